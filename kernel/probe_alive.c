/* SPDX-License-Identifier: MIT */

/* The probe's thread runs on one CPU and says nothing of the others, one of which may spin with
 * interrupts off. So each is sent an interrupt before a heartbeat and must have taken one by the
 * next. An idle CPU is woken for it, once in an interval. */

#include "kernel/cpu.h"
#include "kernel/irq.h"
#include "kernel/probe_internal.h"

static struct {
	bool was_asked;
	uint64_t irq_count; /* when it was asked */
} asked[CPU_MAX];

static bool took_interrupt(unsigned cpu)
{
	return !asked[cpu].was_asked || cpus[cpu].irq_count != asked[cpu].irq_count;
}

bool probe_is_alive(void *context)
{
	const unsigned self = cpu_id();
	bool is_alive = true;

	for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
		if (cpu != self && !took_interrupt(cpu)) {
			is_alive = false; /* it is still asked: the interrupt is pending */
			continue;
		}
		asked[cpu].was_asked = cpu != self;
		asked[cpu].irq_count = cpus[cpu].irq_count;
		if (cpu != self)
			irq_send_reschedule(cpu);
	}
	return is_alive;
}
