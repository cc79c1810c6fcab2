/* SPDX-License-Identifier: MIT */

#include "kernel/sched.h"

#include "kernel/clock.h"
#include "kernel/irq.h"
#include "kernel/panic.h"
#include "kernel/spinlock.h"
#include "kernel/tracepoints.h"

#define PRIORITY_COUNT (THREAD_PRIORITY_MAX + 1)

struct run_queue {
	struct spinlock lock;
	uint32_t ready_mask; /* bit p: ready[p] is not empty */
	struct list ready[PRIORITY_COUNT];
	struct timer slice; /* armed while another thread of the running one's priority is ready */
};

static struct run_queue run_queues[CPU_MAX];

/* Bit n: CPU n runs its idle thread and looks for work before it halts. */
static uint32_t idle_mask;

static struct run_queue *queue_of(unsigned cpu)
{
	return &run_queues[cpu];
}

/* The thread may be moved while we wait for the lock of where it was. Interrupts off. */
static struct run_queue *lock_home(const struct thread *thread)
{
	for (;;) {
		unsigned cpu = __atomic_load_n(&thread->cpu, __ATOMIC_RELAXED);
		struct run_queue *queue = queue_of(cpu);

		spin_lock_irqs_off(&queue->lock);
		if (thread->cpu == cpu)
			return queue;
		spin_unlock_irqs_off(&queue->lock);
	}
}

/* --- one run queue; its lock held --- */

static int top_priority(const struct run_queue *queue)
{
	return queue->ready_mask != 0 ? 31 - __builtin_clz(queue->ready_mask) : -1;
}

static void put_ready(struct run_queue *queue, struct thread *thread, bool first)
{
	struct list *list = &queue->ready[thread->priority];

	thread->state = THREAD_READY;
	list_insert_before(first ? list->next : list, &thread->queue_link);
	queue->ready_mask |= 1u << thread->priority;
}

static void take_ready(struct run_queue *queue, struct thread *thread)
{
	list_remove(&thread->queue_link);
	if (list_empty(&queue->ready[thread->priority]))
		queue->ready_mask &= ~(1u << thread->priority);
}

static struct thread *first_ready(const struct run_queue *queue, int priority)
{
	return list_entry(queue->ready[priority].next, struct thread, queue_link);
}

/* Something became ready on this CPU: is it due now, or at the end of a slice? */
static void check_preemption(struct run_queue *queue, struct cpu *cpu)
{
	int top = top_priority(queue);

	if (top > cpu->thread->priority)
		cpu->need_resched = 1;
	else if (top == cpu->thread->priority && !queue->slice.armed)
		timer_arm(&queue->slice, clock_deadline(THREAD_SLICE_NS));
}

static void slice_over(struct timer *timer)
{
	cpu_current()->need_resched = 1;
}

/* --- the switch --- */

void sched_finish_switch(void)
{
	spin_unlock_irqs_off(&queue_of(cpu_id())->lock);
}

/* What should run now; it is in no queue any more, and the running thread is in one if it could go
 * on. */
static struct thread *pick_next(struct run_queue *queue, struct cpu *cpu, bool preempted)
{
	struct thread *prev = cpu->thread;
	struct thread *next;
	bool can_go_on = prev->state == THREAD_RUNNING && prev != cpu->idle;
	int top = top_priority(queue);

	if (can_go_on && top < prev->priority)
		return prev;
	/* One that a more urgent thread interrupts has not had its turn yet: it keeps its place. */
	if (can_go_on)
		put_ready(queue, prev, preempted && top > prev->priority);
	if (top < 0)
		return cpu->idle;
	next = first_ready(queue, top);
	take_ready(queue, next);
	return next;
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
		__atomic_fetch_and(&idle_mask, ~(1u << cpu->id), __ATOMIC_SEQ_CST);
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
	}
	check_preemption(queue, cpu);
	if (next != prev)
		thread_switch(&prev->saved_rsp, prev->fxsave, next->saved_rsp, next->fxsave);
	sched_finish_switch();
}

static void reschedule(bool preempted)
{
	struct run_queue *queue = queue_of(cpu_id());

	spin_lock_irqs_off(&queue->lock);
	switch_locked(queue, preempted);
}

void sched_block(void)
{
	struct run_queue *queue = queue_of(cpu_id());

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
	reschedule(false);
	irq_restore(flags);
}

void thread_preempt(void)
{
	if (preempt_count() != 0 || cpu_in_interrupt() || !irq_enabled())
		return;
	irq_disable();
	if (cpu_current()->need_resched)
		reschedule(true);
	irq_enable();
}

void thread_preempt_irq(void)
{
	if (preempt_count() == 0 && !cpu_in_interrupt())
		reschedule(true);
}

void thread_reschedule_interrupt(void)
{
	struct run_queue *queue = queue_of(cpu_id());

	spin_lock_irqs_off(&queue->lock);
	check_preemption(queue, cpu_current());
	spin_unlock_irqs_off(&queue->lock);
}

/* --- becoming ready --- */

static bool is_idle(unsigned cpu)
{
	return __atomic_load_n(&idle_mask, __ATOMIC_SEQ_CST) >> cpu & 1;
}

/* Where a thread that becomes ready should run: where it was, unless that is busy and another is
 * not. */
static unsigned choose_cpu(const struct thread *thread)
{
	uint32_t idle = __atomic_load_n(&idle_mask, __ATOMIC_SEQ_CST);

	if (thread->pinned_cpu != THREAD_ANY_CPU)
		return (unsigned)thread->pinned_cpu;
	if (idle == 0 || idle >> thread->cpu & 1)
		return thread->cpu;
	return (unsigned)__builtin_ctz(idle);
}

/* Tells a CPU that its run queue got something. Its lock held, interrupts off. */
static void notify(unsigned cpu)
{
	if (cpu == cpu_id())
		check_preemption(queue_of(cpu), cpu_current());
	else if (top_priority(queue_of(cpu)) >= cpus[cpu].thread->priority)
		irq_send_reschedule(cpu);
}

/* A CPU that went idle while we chose another one has looked around before this thread was in a
 * queue. One of the two sees the other: both sides write first and read then. */
static void kick_idle(const struct thread *thread, unsigned cpu)
{
	uint32_t idle = __atomic_load_n(&idle_mask, __ATOMIC_SEQ_CST) & ~(1u << cpu);

	if (idle != 0 && !is_idle(cpu) && thread->pinned_cpu == THREAD_ANY_CPU)
		irq_send_reschedule((unsigned)__builtin_ctz(idle));
}

/* Lock of the new CPU's queue held, the thread in no queue. */
static void move(struct thread *thread, unsigned cpu)
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
	struct run_queue *queue = queue_of(cpu);

	spin_lock_irqs_off(&queue->lock);
	uni_trace_sched_wakeup(thread->id, cpu);
	move(thread, cpu);
	put_ready(queue, thread, false);
	notify(cpu);
	spin_unlock_irqs_off(&queue->lock);
	kick_idle(thread, cpu);
}

void sched_wake(struct thread *thread)
{
	struct run_queue *queue = lock_home(thread);
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

/* --- stealing and idling --- */

static void lock_both(struct run_queue *a, struct run_queue *b)
{
	spin_lock_irqs_off(a < b ? &a->lock : &b->lock);
	spin_lock_irqs_off(a < b ? &b->lock : &a->lock);
}

/* The most urgent thread of the queue that may leave its CPU, NULL if there is none. Lock held. */
static struct thread *find_movable(struct run_queue *queue)
{
	for (uint32_t mask = queue->ready_mask; mask != 0;) {
		int priority = 31 - __builtin_clz(mask);

		list_for_each(node, &queue->ready[priority])
		{
			struct thread *thread = list_entry(node, struct thread, queue_link);

			if (thread->pinned_cpu == THREAD_ANY_CPU)
				return thread;
		}
		mask &= ~(1u << priority);
	}
	return NULL;
}

static bool steal_from(unsigned victim, unsigned self)
{
	struct run_queue *from = queue_of(victim);
	struct run_queue *to = queue_of(self);
	struct thread *thread;

	lock_both(from, to);
	thread = find_movable(from);
	if (thread != NULL) {
		take_ready(from, thread);
		move(thread, self);
		put_ready(to, thread, false);
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

		if (__atomic_load_n(&queue_of(victim)->ready_mask, __ATOMIC_SEQ_CST) != 0 &&
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
		if (queue_of(self)->ready_mask != 0 || steal(self))
			reschedule(false);
		else
			cpu_wait_for_interrupt();
	}
}

/* --- the rest --- */

void sched_init_cpu(struct thread *idle)
{
	struct cpu *cpu = cpu_current();
	struct run_queue *queue = queue_of(cpu->id);

	spin_init(&queue->lock, "run queue");
	for (int i = 0; i < PRIORITY_COUNT; i++)
		list_init(&queue->ready[i]);
	timer_setup(&queue->slice, slice_over);
	cpu->idle = idle;
	cpu->thread = idle;
}

void thread_set_priority(struct thread *thread, int priority)
{
	uint64_t flags = irq_save();
	struct run_queue *queue;

	KASSERT(priority > THREAD_PRIORITY_IDLE && priority <= THREAD_PRIORITY_MAX);
	queue = lock_home(thread);
	if (thread->state == THREAD_READY) {
		take_ready(queue, thread);
		thread->priority = (uint8_t)priority;
		put_ready(queue, thread, false);
	} else {
		thread->priority = (uint8_t)priority;
	}
	if (thread->cpu == cpu_id())
		check_preemption(queue, cpu_current());
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
		struct run_queue *queue = lock_home(thread);
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
	struct run_queue *queue = lock_home(thread);

	thread_fill_info(thread, out);
	spin_unlock_irqs_off(&queue->lock);
	irq_restore(flags);
}
