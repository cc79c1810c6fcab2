/* SPDX-License-Identifier: MIT */

#include "kernel/wait.h"

#include "kernel/clock.h"
#include "kernel/panic.h"
#include "kernel/sched.h"
#include "kernel/thread.h"

void wait_queue_init(struct wait_queue *queue, const char *name)
{
	spin_init(&queue->lock, name);
	list_init(&queue->waiters);
}

static void insert(struct wait_queue *queue, struct thread *thread)
{
	struct list *at = queue->waiters.next;

	while (at != &queue->waiters &&
	       list_entry(at, struct thread, queue_link)->priority >= thread->priority)
		at = at->next;
	list_insert_before(at, &thread->queue_link);
	thread->wait_queue = queue;
}

static void remove_and_wake(struct thread *thread)
{
	list_remove(&thread->queue_link);
	thread->wait_queue = NULL;
	sched_wake(thread);
}

/* From here on the thread is off until sched_wake(). Interrupts off; the queue's lock, if there is
 * one, is held and released. */
static void block(struct thread *self, struct wait_queue *queue)
{
	uint64_t deadline_ns = self->wait.deadline_ns;

	self->wait.since_ns = clock_ns();
	self->state = THREAD_BLOCKED;
	if (deadline_ns != CLOCK_NEVER)
		timer_arm(&self->timeout, deadline_ns);
	if (queue != NULL)
		spin_unlock_irqs_off(&queue->lock);
	sched_block();
	/* Not before the callback is out of the way may the queue go, or the thread wait again. */
	if (deadline_ns != CLOCK_NEVER)
		timer_cancel(&self->timeout);
	self->wait.kind = WAIT_NONE;
}

void wait_timeout(struct timer *timer)
{
	struct thread *thread = list_entry((void *)timer, struct thread, timeout);
	struct wait_queue *queue = __atomic_load_n(&thread->wait_queue, __ATOMIC_RELAXED);

	if (thread->wait.kind == WAIT_SLEEP) {
		sched_wake(thread);
		return;
	}
	if (queue == NULL)
		return;
	spin_lock_irqs_off(&queue->lock);
	if (thread->wait_queue == queue) {
		thread->wait_timed_out = true;
		remove_and_wake(thread);
	}
	spin_unlock_irqs_off(&queue->lock);
}

bool wait_block(struct wait_queue *queue, uint64_t *flags, enum wait_kind kind, const void *object,
		const char *object_name, uint64_t deadline_ns)
{
	struct thread *self = thread_current();

	KASSERT((*flags & RFLAGS_IF) && spin_held(&queue->lock));
	self->wait.object = object;
	self->wait.object_name = object_name;
	self->wait.deadline_ns = deadline_ns;
	self->wait.kind = kind;
	self->wait_timed_out = false;
	insert(queue, self);
	block(self, queue);
	spin_lock_irqs_off(&queue->lock);
	return !self->wait_timed_out;
}

void thread_sleep_until_ns(uint64_t deadline_ns)
{
	struct thread *self = thread_current();
	uint64_t flags = irq_save();

	KASSERT(flags & RFLAGS_IF);
	self->wait.object = NULL;
	self->wait.object_name = NULL;
	self->wait.deadline_ns = deadline_ns;
	self->wait.kind = WAIT_SLEEP;
	block(self, NULL);
	irq_restore(flags);
}

void thread_sleep_ns(uint64_t duration_ns)
{
	thread_sleep_until_ns(clock_deadline(duration_ns));
}

struct thread *wait_wake_one(struct wait_queue *queue)
{
	struct thread *thread;

	if (list_empty(&queue->waiters))
		return NULL;
	thread = list_entry(queue->waiters.next, struct thread, queue_link);
	remove_and_wake(thread);
	return thread;
}

unsigned wait_wake_all(struct wait_queue *queue)
{
	unsigned count = 0;

	while (wait_wake_one(queue) != NULL)
		count++;
	return count;
}
