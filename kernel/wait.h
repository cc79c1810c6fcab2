/* SPDX-License-Identifier: MIT */
#pragma once

/* Wait queues: what every blocking object is made of. Whoever waits longest of the most urgent
 * threads is woken first.
 *
 * The lock guards the queue and the condition that its users test before they block:
 *
 *	flags = spin_lock(&queue->lock);
 *	while (!condition)
 *		wait_block(queue, &flags, WAIT_IO, object, "name", CLOCK_NEVER);
 *	spin_unlock(&queue->lock, flags);
 */

#include "kernel/list.h"
#include "kernel/spinlock.h"

struct thread;

enum wait_kind {
	WAIT_NONE,
	WAIT_SLEEP,
	WAIT_MUTEX,
	WAIT_COND,
	WAIT_SEMAPHORE,
	WAIT_JOIN,
	WAIT_IO, /* a device or a port */
};

struct wait_queue {
	struct spinlock lock;
	struct list waiters; /* thread->queue_link, most urgent first */
};

#define WAIT_QUEUE_INIT(variable, name)                                               \
	{                                                                             \
		.lock = SPINLOCK_INIT(name), .waiters = LIST_INIT((variable).waiters) \
	}

void wait_queue_init(struct wait_queue *queue, const char *name);

/* Blocks the calling thread until it is woken or clock_ns() passes the deadline. Thread context,
 * queue->lock held, no other spinlock held, preemption on; holds the lock again when it returns.
 * Returns false when the time was up. */
bool wait_block(struct wait_queue *queue, uint64_t *flags, enum wait_kind kind, const void *object,
		const char *object_name, uint64_t deadline_ns);

/* Wakes the first waiter and returns it, NULL if there was none. Lock held; any context but NMI. */
struct thread *wait_wake_one(struct wait_queue *queue);

/* Wakes all; returns how many. Lock held; any context but NMI. */
unsigned wait_wake_all(struct wait_queue *queue);
