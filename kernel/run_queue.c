/* SPDX-License-Identifier: MIT */

#include "kernel/run_queue.h"

static struct run_queue run_queues[CPU_MAX];

struct run_queue *run_queue_of(unsigned cpu)
{
	return &run_queues[cpu];
}

/* The thread may be moved while we wait for the lock of where it was. */
struct run_queue *run_queue_lock_home(const struct thread *thread)
{
	for (;;) {
		unsigned cpu = __atomic_load_n(&thread->cpu, __ATOMIC_RELAXED);
		struct run_queue *queue = run_queue_of(cpu);

		spin_lock_irqs_off(&queue->lock);
		if (thread->cpu == cpu)
			return queue;
		spin_unlock_irqs_off(&queue->lock);
	}
}

void run_queue_lock_both(struct run_queue *a, struct run_queue *b)
{
	spin_lock_irqs_off(a < b ? &a->lock : &b->lock);
	spin_lock_irqs_off(a < b ? &b->lock : &a->lock);
}

void run_queue_set_running(struct run_queue *queue, int priority)
{
	__atomic_store_n(&queue->running_priority, priority, __ATOMIC_RELAXED);
}

int run_queue_running(const struct run_queue *queue)
{
	return __atomic_load_n(&queue->running_priority, __ATOMIC_RELAXED);
}

int run_queue_top(const struct run_queue *queue)
{
	return queue->ready_mask != 0 ? 31 - __builtin_clz(queue->ready_mask) : -1;
}

void run_queue_put(struct run_queue *queue, struct thread *thread, bool first)
{
	struct list *list = &queue->ready[thread->priority];

	thread->state = THREAD_READY;
	thread->put_aside = thread->frozen;
	if (thread->put_aside) {
		list_append(&queue->frozen, &thread->queue_link);
		return;
	}
	list_insert_before(first ? list->next : list, &thread->queue_link);
	queue->ready_mask |= 1u << thread->priority;
	if (thread->priority != THREAD_PRIORITY_IDLE)
		queue->ready_count++;
}

void run_queue_take(struct run_queue *queue, struct thread *thread)
{
	list_remove(&thread->queue_link);
	if (thread->put_aside)
		return;
	if (list_empty(&queue->ready[thread->priority]))
		queue->ready_mask &= ~(1u << thread->priority);
	if (thread->priority != THREAD_PRIORITY_IDLE)
		queue->ready_count--;
}

struct thread *run_queue_first(const struct run_queue *queue, int priority)
{
	return list_entry(queue->ready[priority].next, struct thread, queue_link);
}

struct thread *run_queue_movable(const struct run_queue *queue)
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
