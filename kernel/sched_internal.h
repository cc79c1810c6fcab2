/* SPDX-License-Identifier: MIT */
#pragma once

/* Between sched.c, sched_wake.c and sched_idle.c. */

#include "kernel/run_queue.h"
#include "kernel/sched.h"

/* Something became ready on this CPU: is it due now, or at the end of a slice? Lock held. */
void sched_check_preemption(struct run_queue *queue, struct cpu *cpu);

/* A thread that waits here for its turn gets it where something less urgent runs, or its equals do.
 * Interrupts off. */
void sched_relieve(void);

/* Runs the most urgent ready thread, or goes on with this one. Interrupts off. */
void sched_reschedule(bool preempted);

/* Those that were frozen and are so no more get their turn again. Interrupts off. */
void sched_thaw(void);

/* Gives a thread that is in no queue to a CPU. Lock of that CPU's queue held. */
void sched_move(struct thread *thread, unsigned cpu);

/* Takes one of the CPUs in the mask `among` that have nothing to do, which is then the caller's to
 * give work to and to wake: no other caller gets it. False when there is none. Sequentially
 * consistent. */
bool sched_claim_idle(uint32_t among, unsigned *out);

/* The CPU has something to do from here on. */
void sched_leave_idle(unsigned cpu);
