/* SPDX-License-Identifier: MIT */
#pragma once

/* The processors: one struct cpu each, found through a register that holds nothing else.
 *
 * cpu_current() and cpu_id() may be stale as soon as they return unless preemption or interrupts
 * are off. Preemption is counted per CPU: while the count is not zero the running thread keeps its
 * CPU (interrupts still come). Interrupt handlers are never preempted. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/arch/x86_64/cpu_arch.h"

#define CPU_MAX 16

struct thread;
struct trap_frame;
struct timer;

struct cpu {
	/* The entry code and percpu.h know the offsets of these. */
	struct cpu *self;
	struct thread *thread; /* runs here */
	uint32_t preempt_count;
	uint32_t need_resched; /* schedule as soon as the preempt count allows */
	uint32_t nmi_depth;    /* not 0 inside the NMI handler */
	uint32_t irq_depth;    /* not 0 inside an interrupt handler */
	uint32_t nmi_blocked;  /* not 0 where iret would let the next NMI in too early */
	uint32_t debug_due;    /* not 0: debug_leave() before a trap is left */

	uint32_t id;	       /* 0 .. cpu_count() - 1 */
	uint32_t hw_id;	       /* of the interrupt controller */
	bool online;	       /* takes part in scheduling; never cleared */
	volatile bool stopped; /* by a panic: sits in the NMI handler for good */
	uint32_t spinlocks;    /* that are held here, and one that is being taken or given back */

	/* The innermost trap being handled, NULL outside of handlers. */
	struct trap_frame *frame;

	struct thread *idle;
	void *fpu;	       /* FPU state of the code that a debugger or a panic stopped here */
	uint64_t irq_since_ns; /* when the last interrupt came */
	uint64_t irq_ns;       /* inside interrupt handlers */
	uint64_t irq_idle_ns;  /* of that, what came while the CPU idled */
	uint64_t irq_count;    /* NMIs not included */
	uint64_t switches;     /* from one thread to another */
	uint64_t nmi_count;    /* that nobody claimed */

	struct cpu_arch arch;
};

/* Where a CPU's time went since it came up; they add up to that time. */
struct cpu_times {
	uint64_t idle_ns;
	uint64_t irq_ns;
	uint64_t busy_ns; /* threads, without the interrupts that came meanwhile */
};

extern struct cpu cpus[CPU_MAX];

/* How many are online; 1 until cpu_start_others() returned, fixed from then on. */
unsigned cpu_count(void);

/* Any context, any cpu < cpu_count(); lock-free, so the three may miss each other by the length of
 * one interrupt. Safe with the world stopped. */
void cpu_get_times(unsigned cpu, struct cpu_times *out);

/* Sets up the running CPU's own registers and tables; id is its index. Boot only. */
void cpu_init(unsigned id, uint32_t hw_id);

/* Gives the CPU its fault, NMI and debug stacks, each above a guard page, and room for the FPU
 * state that it is stopped with. Needs the page allocator. */
void cpu_stacks_init(struct cpu *cpu);

/* Starts every other processor that the firmware lists, up to CPU_MAX, and waits until each runs
 * its idle thread (bounded: a processor that does not come is logged and left out). */
void cpu_start_others(void);

/* Stays in here for good, interrupts off, in the lowest power state. */
_Noreturn void cpu_halt(void);

#include "kernel/arch/x86_64/percpu.h"
