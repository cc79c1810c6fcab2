/* SPDX-License-Identifier: MIT */

#include "kernel/format.h"
#include "kernel/panic.h"
#include "kernel/sched.h"
#include "kernel/spinlock.h"
#include "kernel/sync.h"
#include "kernel/tracepoints.h"

/* The waits-for graph: an edge from each thread that waits for a mutex without a timeout
 * (thread->blocked_on) to that mutex's owner. While a mutex has such a waiter its owner changes
 * only by being handed on, so under this lock, which is taken inside the mutex's own, the graph
 * stands still. Only contended paths take it. */
static struct spinlock graph_lock = SPINLOCK_INIT("mutex graph");

static struct thread *next_in_chain(const struct thread *thread)
{
	return thread->blocked_on != NULL ? thread->blocked_on->owner : NULL;
}

static _Noreturn void report_cycle(const struct thread *self)
{
	char text[PANIC_REASON_MAX];
	size_t len = format_text(text, sizeof(text), "%s", self->name);

	for (const struct thread *thread = next_in_chain(self); len < sizeof(text);
	     thread = next_in_chain(thread)) {
		len += format_text(text + len, sizeof(text) - len, " -> %s", thread->name);
		if (thread == self)
			break;
	}
	panic_kind(PANIC_DEADLOCK, "deadlock: %s", text);
}

/* The edge that closed a cycle is found by the thread that adds it. */
static void add_edge(struct thread *self, struct mutex *mutex)
{
	struct thread *thread;

	spin_lock_irqs_off(&graph_lock);
	self->blocked_on = mutex;
	for (thread = mutex->owner; thread != NULL; thread = next_in_chain(thread)) {
		if (thread == self)
			report_cycle(self);
	}
	spin_unlock_irqs_off(&graph_lock);
}

static void take(struct mutex *mutex, struct thread *thread)
{
	mutex->owner = thread;
	mutex->owned_since_ns = clock_ns();
	thread->mutexes_held++;
}

/* Gives the mutex to its first waiter. */
static void hand_on(struct mutex *mutex)
{
	struct thread *next;

	uni_trace_lock_release((uintptr_t)mutex, clock_ns() - mutex->owned_since_ns);
	spin_lock_irqs_off(&graph_lock);
	next = list_entry(mutex->queue.waiters.next, struct thread, queue_link);
	next->blocked_on = NULL;
	take(mutex, next);
	spin_unlock_irqs_off(&graph_lock);
	wait_wake_one(&mutex->queue);
}

void mutex_init(struct mutex *mutex, const char *name)
{
	*mutex = (struct mutex){.name = name};
	wait_queue_init(&mutex->queue, name);
}

/* Queue's lock held. Returns false when the time was up. */
static bool wait_for_hand(struct mutex *mutex, uint64_t *flags, uint64_t timeout_ns, uintptr_t site)
{
	uint64_t start_ns = clock_ns();

	uni_trace_lock_wait((uintptr_t)mutex, mutex->owner->id, site, mutex->name);
	mutex->contended++;
	if (timeout_ns == CLOCK_NEVER)
		add_edge(thread_current(), mutex);
	if (!wait_block(&mutex->queue, flags, WAIT_MUTEX, mutex, mutex->name,
			clock_deadline(timeout_ns)))
		return false;
	uni_trace_lock_acquired((uintptr_t)mutex, clock_ns() - start_ns);
	return true;
}

static bool lock(struct mutex *mutex, uint64_t timeout_ns, uintptr_t site)
{
	uint64_t flags = spin_lock(&mutex->queue.lock);
	bool is_mine = mutex->owner == NULL;

	if (is_mine)
		take(mutex, thread_current());
	else if (timeout_ns != 0)
		is_mine = wait_for_hand(mutex, &flags, timeout_ns, site);
	spin_unlock(&mutex->queue.lock, flags);
	return is_mine;
}

#define CALL_SITE() ((uintptr_t)__builtin_return_address(0))

bool mutex_lock_timeout(struct mutex *mutex, uint64_t timeout_ns)
{
	return lock(mutex, timeout_ns, CALL_SITE());
}

void mutex_lock(struct mutex *mutex)
{
	lock(mutex, CLOCK_NEVER, CALL_SITE());
}

bool mutex_try_lock(struct mutex *mutex)
{
	return lock(mutex, 0, CALL_SITE());
}

void mutex_unlock(struct mutex *mutex)
{
	uint64_t flags = spin_lock(&mutex->queue.lock);

	KASSERT(mutex_held(mutex));
	mutex->owner->mutexes_held--;
	if (list_empty(&mutex->queue.waiters))
		mutex->owner = NULL;
	else
		hand_on(mutex);
	spin_unlock(&mutex->queue.lock, flags);
}

bool mutex_held(const struct mutex *mutex)
{
	return mutex->owner == thread_current();
}
