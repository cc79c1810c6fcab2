/* SPDX-License-Identifier: MIT */

/* Which thread runs on a CPU, and the switch to it. */

#include "kernel/sched.h"

#include "kernel/arch/x86_64/tls.h"
#include "kernel/clock.h"
#include "kernel/debug.h"
#include "kernel/irq.h"
#include "kernel/panic.h"
#include "kernel/run_queue.h"
#include "kernel/sched_internal.h"
#include "kernel/tracepoints.h"

void sched_check_preemption(struct run_queue *queue, struct cpu *cpu)
{
	int top = run_queue_top(queue);
	int running = cpu->thread->priority;

	if (top > running)
		cpu->need_resched = 1;
	else if (!queue->slice.armed && (top == running || run_queue_movable(queue) != NULL))
		timer_arm(&queue->slice, clock_deadline(THREAD_SLICE_NS));
}

static void slice_over(struct timer *timer)
{
	sched_relieve();
	cpu_current()->need_resched = 1;
}

void sched_finish_switch(void)
{
	spin_unlock_irqs_off(&run_queue_of(cpu_id())->lock);
}

/* What should run now; it is in no queue any more, and the running thread is in one if it could go
 * on. */
static struct thread *pick_next(struct run_queue *queue, struct cpu *cpu, bool preempted)
{
	struct thread *prev = cpu->thread;
	struct thread *next;
	bool can_go_on = prev->state == THREAD_RUNNING && prev != cpu->idle;
	int top = run_queue_top(queue);

	if (can_go_on && top < prev->priority && !prev->frozen)
		return prev;
	/* One that a more urgent thread interrupts has not had its turn yet: it keeps its place. */
	if (can_go_on)
		run_queue_put(queue, prev, preempted && top > prev->priority);
	while ((top = run_queue_top(queue)) >= 0) {
		next = run_queue_first(queue, top);
		run_queue_take(queue, next);
		if (!next->frozen)
			return next;
		run_queue_put(queue, next, false);
	}
	return cpu->idle;
}

static void account_switch(struct cpu *cpu, struct thread *prev, struct thread *next)
{
	uint64_t now_ns = clock_ns();

	uni_trace_sched_switch(prev->id, next->id, (uint8_t)prev->state);
	prev->runtime_ns += now_ns - prev->running_since_ns;
	next->running_since_ns = now_ns;
	next->switches++;
	cpu->switches++;
	if (prev == cpu->idle) {
		prev->state = THREAD_READY;
		sched_leave_idle(cpu->id);
	}
}

/* Lock of this CPU's queue held, interrupts off. The lock is released when it returns, which is
 * perhaps on another CPU. */
static void switch_locked(struct run_queue *queue, bool preempted)
{
	struct cpu *cpu = cpu_current();
	struct thread *prev = cpu->thread;
	struct thread *next = pick_next(queue, cpu, preempted);

	cpu->need_resched = 0;
	if (queue->slice.armed)
		timer_cancel(&queue->slice);
	next->state = THREAD_RUNNING;
	if (next != prev) {
		prev->preemptions += preempted;
		account_switch(cpu, prev, next);
		cpu->thread = next;
		run_queue_set_running(queue, next->priority);
	}
	sched_check_preemption(queue, cpu);
	if (next != prev) {
		tls_use(next->tls);
		thread_switch(&prev->saved_rsp, prev->fpu, next->saved_rsp, next->fpu);
	}
	sched_finish_switch();
}

void sched_reschedule(bool preempted)
{
	struct run_queue *queue = run_queue_of(cpu_id());

	spin_lock_irqs_off(&queue->lock);
	switch_locked(queue, preempted);
}

void sched_block(void)
{
	struct run_queue *queue = run_queue_of(cpu_id());

	KASSERT(preempt_count() == 0 && !cpu_in_interrupt());
	spin_lock_irqs_off(&queue->lock);
	if (thread_current()->state == THREAD_RUNNING)
		spin_unlock_irqs_off(&queue->lock);
	else
		switch_locked(queue, false);
}

void thread_yield(void)
{
	uint64_t flags = irq_save();

	KASSERT(preempt_count() == 0 && !cpu_in_interrupt());
	sched_reschedule(false);
	irq_restore(flags);
}

void thread_preempt(void)
{
	if (preempt_count() != 0 || cpu_in_interrupt() || !irq_enabled())
		return;
	irq_disable();
	if (cpu_current()->need_resched)
		sched_reschedule(true);
	irq_enable();
}

void thread_preempt_irq(void)
{
	if (preempt_count() == 0 && !cpu_in_interrupt())
		sched_reschedule(true);
}

void thread_reschedule_interrupt(void)
{
	struct run_queue *queue = run_queue_of(cpu_id());

	if (debug_takes_thawed())
		sched_thaw();
	spin_lock_irqs_off(&queue->lock);
	sched_check_preemption(queue, cpu_current());
	spin_unlock_irqs_off(&queue->lock);
}

void sched_init_cpu(struct thread *idle)
{
	struct cpu *cpu = cpu_current();
	struct run_queue *queue = run_queue_of(cpu->id);

	spin_init(&queue->lock, "run queue");
	for (int i = 0; i <= THREAD_PRIORITY_MAX; i++)
		list_init(&queue->ready[i]);
	list_init(&queue->frozen);
	timer_setup(&queue->slice, slice_over);
	cpu->idle = idle;
	cpu->thread = idle;
}

void thread_set_priority(struct thread *thread, int priority)
{
	uint64_t flags = irq_save();
	struct run_queue *queue;

	KASSERT(priority > THREAD_PRIORITY_IDLE && priority <= THREAD_PRIORITY_MAX);
	queue = run_queue_lock_home(thread);
	if (thread->state == THREAD_READY) {
		run_queue_take(queue, thread);
		thread->priority = (uint8_t)priority;
		run_queue_put(queue, thread, false);
	} else {
		thread->priority = (uint8_t)priority;
		if (cpus[thread->cpu].thread == thread)
			run_queue_set_running(queue, priority);
	}
	if (thread->cpu == cpu_id())
		sched_check_preemption(queue, cpu_current());
	else
		irq_send_reschedule(thread->cpu);
	spin_unlock_irqs_off(&queue->lock);
	irq_restore(flags);
	preempt_check();
}

void sched_wait_off_cpu(struct thread *thread)
{
	for (;;) {
		uint64_t flags = irq_save();
		struct run_queue *queue = run_queue_lock_home(thread);
		bool is_off = cpus[thread->cpu].thread != thread;

		spin_unlock(&queue->lock, flags);
		if (is_off)
			return;
		cpu_relax();
	}
}

void sched_snapshot(struct thread *thread, struct thread_info *out)
{
	uint64_t flags = irq_save();
	struct run_queue *queue = run_queue_lock_home(thread);

	thread_fill_info(thread, out);
	spin_unlock_irqs_off(&queue->lock);
	irq_restore(flags);
}
