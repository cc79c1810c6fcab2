/* SPDX-License-Identifier: MIT */

#include "kernel/panic.h"
#include "kernel/sync.h"

void cond_init(struct cond *cond, const char *name)
{
	cond->name = name;
	wait_queue_init(&cond->queue, name);
}

bool cond_wait_timeout(struct cond *cond, struct mutex *mutex, uint64_t timeout_ns)
{
	uint64_t deadline_ns = clock_deadline(timeout_ns);
	uint64_t flags;
	bool signalled;

	KASSERT(mutex_held(mutex));
	/* Whoever signals once the mutex is free has to get past this lock, and then finds us
	 * waiting. */
	flags = spin_lock(&cond->queue.lock);
	mutex_unlock(mutex);
	signalled = wait_block(&cond->queue, &flags, WAIT_COND, cond, cond->name, deadline_ns);
	spin_unlock(&cond->queue.lock, flags);
	mutex_lock(mutex);
	return signalled;
}

void cond_wait(struct cond *cond, struct mutex *mutex)
{
	cond_wait_timeout(cond, mutex, CLOCK_NEVER);
}

void cond_signal(struct cond *cond)
{
	uint64_t flags = spin_lock(&cond->queue.lock);

	wait_wake_one(&cond->queue);
	spin_unlock(&cond->queue.lock, flags);
}

void cond_broadcast(struct cond *cond)
{
	uint64_t flags = spin_lock(&cond->queue.lock);

	wait_wake_all(&cond->queue);
	spin_unlock(&cond->queue.lock, flags);
}
