/* SPDX-License-Identifier: MIT */

/* A CPU without work: looks for some with the others, then halts. */

#include "kernel/run_queue.h"
#include "kernel/sched_internal.h"

/* Bit n: CPU n runs its idle thread and nobody has given it work since. It looks around for work
 * after it set its bit and before it halts. */
static uint32_t idle_mask;

bool sched_claim_idle(uint32_t among, unsigned *out)
{
	uint32_t idle;

	while ((idle = __atomic_load_n(&idle_mask, __ATOMIC_SEQ_CST) & among) != 0) {
		unsigned cpu = (unsigned)__builtin_ctz(idle);
		uint32_t before = __atomic_fetch_and(&idle_mask, ~(1u << cpu), __ATOMIC_SEQ_CST);

		if (before >> cpu & 1) {
			*out = cpu;
			return true;
		}
	}
	return false;
}

void sched_leave_idle(unsigned cpu)
{
	__atomic_fetch_and(&idle_mask, ~(1u << cpu), __ATOMIC_SEQ_CST);
}

static bool steal_from(unsigned victim, unsigned self)
{
	struct run_queue *from = run_queue_of(victim);
	struct run_queue *to = run_queue_of(self);
	struct thread *thread;

	run_queue_lock_both(from, to);
	thread = run_queue_movable(from);
	if (thread != NULL) {
		run_queue_take(from, thread);
		sched_move(thread, self);
		run_queue_put(to, thread, false);
	}
	spin_unlock_irqs_off(&from->lock);
	spin_unlock_irqs_off(&to->lock);
	return thread != NULL;
}

/* Starts with the next CPU, so that not all thieves come to the same one. */
static bool steal(unsigned self)
{
	unsigned count = cpu_count();

	for (unsigned i = 1; i < count; i++) {
		unsigned victim = (self + i) % count;

		if (__atomic_load_n(&run_queue_of(victim)->ready_mask, __ATOMIC_SEQ_CST) != 0 &&
		    steal_from(victim, self))
			return true;
	}
	return false;
}

void thread_idle(void)
{
	unsigned self = cpu_id();

	for (;;) {
		irq_disable();
		__atomic_fetch_or(&idle_mask, 1u << self, __ATOMIC_SEQ_CST);
		if (run_queue_of(self)->ready_mask != 0 || steal(self))
			sched_reschedule(false);
		else
			cpu_wait_for_interrupt();
	}
}
