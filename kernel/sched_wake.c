/* SPDX-License-Identifier: MIT */

/* How a thread becomes ready, and where it gets its turn. */

#include "kernel/irq.h"
#include "kernel/run_queue.h"
#include "kernel/sched_internal.h"
#include "kernel/tracepoints.h"

/* Of the CPUs that run something less urgent than `limit` the one where that is least so; false
 * when there is none. They may change meanwhile. */
static bool find_less_urgent(int limit, unsigned *out)
{
	bool found = false;

	for (unsigned i = 0; i < cpu_count(); i++) {
		int running = run_queue_running(run_queue_of(i));

		if (running >= limit)
			continue;
		limit = running;
		*out = i;
		found = true;
	}
	return found;
}

/* Where a thread that becomes ready should run: where it was, unless that is busy and another is
 * not, or runs something more urgent and another does not. */
static unsigned choose_cpu(const struct thread *thread)
{
	unsigned other;

	if (thread->pinned_cpu != THREAD_ANY_CPU) {
		sched_leave_idle((unsigned)thread->pinned_cpu);
		return (unsigned)thread->pinned_cpu;
	}
	if (sched_claim_idle(1u << thread->cpu, &other) || sched_claim_idle(UINT32_MAX, &other))
		return other;
	if (run_queue_running(run_queue_of(thread->cpu)) > thread->priority &&
	    find_less_urgent(thread->priority + 1, &other))
		return other;
	return thread->cpu;
}

static bool is_idle(unsigned cpu)
{
	return cpus[cpu].thread == cpus[cpu].idle;
}

/* Tells a CPU that its run queue got something. One that was claimed as idle is told of a frozen
 * thread too: it does nothing but say again that it is idle. Its lock held, interrupts off. */
static void notify(unsigned cpu)
{
	if (cpu == cpu_id())
		sched_check_preemption(run_queue_of(cpu), cpu_current());
	else if (run_queue_top(run_queue_of(cpu)) >= cpus[cpu].thread->priority ||
		 run_queue_movable(run_queue_of(cpu)) != NULL || is_idle(cpu))
		irq_send_reschedule(cpu);
}

/* A CPU that went idle while we chose another one has looked around before the thread was in a
 * queue. One of the two sees the other: both sides write first and read then. */
static void kick_idle(void)
{
	unsigned idle;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (sched_claim_idle(UINT32_MAX, &idle))
		irq_send_reschedule(idle);
}

void sched_move(struct thread *thread, unsigned cpu)
{
	if (thread->cpu == cpu)
		return;
	uni_trace_sched_migrate(thread->id, thread->cpu, cpu);
	thread->cpu = (uint16_t)cpu;
	thread->migrations++;
}

/* Lock of both held. */
static void pass_on(struct thread *thread, struct run_queue *from, unsigned cpu)
{
	run_queue_take(from, thread);
	sched_move(thread, cpu);
	run_queue_put(run_queue_of(cpu), thread, false);
	notify(cpu);
}

void sched_relieve(void)
{
	struct run_queue *from = run_queue_of(cpu_id());
	struct run_queue *to;
	struct thread *thread;
	unsigned other;

	if (!find_less_urgent(run_queue_running(from), &other))
		return;
	to = run_queue_of(other);
	run_queue_lock_both(from, to);
	thread = run_queue_movable(from);
	if (thread != NULL && thread->priority >= run_queue_running(to) &&
	    run_queue_running(to) < run_queue_running(from))
		pass_on(thread, from, other);
	spin_unlock_irqs_off(&from->lock);
	spin_unlock_irqs_off(&to->lock);
}

/* The thread is in no queue and nobody else's to touch. Interrupts off. */
static void make_ready(struct thread *thread)
{
	unsigned cpu = choose_cpu(thread);
	struct run_queue *queue = run_queue_of(cpu);
	bool may_be_stolen;

	spin_lock_irqs_off(&queue->lock);
	uni_trace_sched_wakeup(thread->id, cpu);
	sched_move(thread, cpu);
	run_queue_put(queue, thread, false);
	notify(cpu);
	may_be_stolen = thread->pinned_cpu == THREAD_ANY_CPU && !is_idle(cpu);
	spin_unlock_irqs_off(&queue->lock);
	if (may_be_stolen)
		kick_idle();
}

void sched_wake(struct thread *thread)
{
	struct run_queue *queue = run_queue_lock_home(thread);
	bool still_running = cpus[thread->cpu].thread == thread && !thread->called;

	/* It is on its way into sched_block(), which finds that it need not. */
	if (still_running)
		thread->state = THREAD_RUNNING;
	spin_unlock_irqs_off(&queue->lock);
	if (!still_running)
		make_ready(thread);
}

static struct thread *take_thawed(struct run_queue *queue)
{
	struct thread *found = NULL;

	spin_lock_irqs_off(&queue->lock);
	list_for_each(node, &queue->frozen)
	{
		found = list_entry(node, struct thread, queue_link);
		if (!found->frozen)
			break;
		found = NULL;
	}
	if (found != NULL) {
		run_queue_take(queue, found);
		/* Nobody is to look for it in a run queue until it is in one. */
		found->state = THREAD_BLOCKED;
	}
	spin_unlock_irqs_off(&queue->lock);
	return found;
}

void sched_thaw(void)
{
	struct thread *thread;

	for (unsigned i = 0; i < cpu_count(); i++)
		while ((thread = take_thawed(run_queue_of(i))) != NULL)
			make_ready(thread);
}

void sched_start(struct thread *thread)
{
	uint64_t flags = irq_save();

	make_ready(thread);
	irq_restore(flags);
	preempt_check();
}
