/* SPDX-License-Identifier: MIT */

/* How a thread becomes ready, and where. */

#include "kernel/irq.h"
#include "kernel/run_queue.h"
#include "kernel/sched_internal.h"
#include "kernel/tracepoints.h"

/* Where a thread that becomes ready should run: where it was, unless that is busy and another is
 * not. */
static unsigned choose_cpu(const struct thread *thread)
{
	unsigned other;

	if (thread->pinned_cpu != THREAD_ANY_CPU) {
		sched_leave_idle((unsigned)thread->pinned_cpu);
		return (unsigned)thread->pinned_cpu;
	}
	if (sched_claim_idle(1u << thread->cpu, &other) || sched_claim_idle(UINT32_MAX, &other))
		return other;
	return thread->cpu;
}

/* Tells a CPU that its run queue got something. Its lock held, interrupts off. */
static void notify(unsigned cpu)
{
	if (cpu == cpu_id())
		sched_check_preemption(run_queue_of(cpu), cpu_current());
	else if (run_queue_top(run_queue_of(cpu)) >= cpus[cpu].thread->priority)
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
	may_be_stolen = thread->pinned_cpu == THREAD_ANY_CPU && cpus[cpu].thread != cpus[cpu].idle;
	spin_unlock_irqs_off(&queue->lock);
	if (may_be_stolen)
		kick_idle();
}

void sched_wake(struct thread *thread)
{
	struct run_queue *queue = run_queue_lock_home(thread);
	bool still_running = cpus[thread->cpu].thread == thread;

	/* It is on its way into sched_block(), which finds that it need not. */
	if (still_running)
		thread->state = THREAD_RUNNING;
	spin_unlock_irqs_off(&queue->lock);
	if (!still_running)
		make_ready(thread);
}

void sched_start(struct thread *thread)
{
	uint64_t flags = irq_save();

	make_ready(thread);
	irq_restore(flags);
	preempt_check();
}
