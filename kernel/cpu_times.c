/* SPDX-License-Identifier: MIT */

#include "kernel/clock.h"
#include "kernel/cpu.h"
#include "kernel/thread.h"

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* The idle thread is as old as its CPU. Its time has the interrupts in it that ended its halts. */
void cpu_get_times(unsigned index, struct cpu_times *out)
{
	const struct cpu *cpu = &cpus[index];
	const struct thread *idle = cpu->idle;
	uint64_t now_ns = clock_ns();
	uint64_t idle_ns = idle->runtime_ns;

	if (cpu->thread == idle)
		idle_ns += less(now_ns, idle->running_since_ns);
	out->idle_ns = less(idle_ns, cpu->irq_idle_ns);
	out->irq_ns = cpu->irq_ns;
	out->busy_ns = less(now_ns - idle->created_ns, out->idle_ns + out->irq_ns);
}
