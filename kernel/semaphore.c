/* SPDX-License-Identifier: MIT */

#include "kernel/sync.h"

void sem_init(struct semaphore *semaphore, const char *name, uint32_t count)
{
	semaphore->name = name;
	semaphore->count = count;
	wait_queue_init(&semaphore->queue, name);
}

/* A post goes to the first waiter if there is one, past the count: nobody can take it in between.
 */
bool sem_wait_timeout(struct semaphore *semaphore, uint64_t timeout_ns)
{
	uint64_t flags = spin_lock(&semaphore->queue.lock);
	bool taken = semaphore->count > 0;

	if (taken)
		semaphore->count--;
	else if (timeout_ns != 0)
		taken = wait_block(&semaphore->queue, &flags, WAIT_SEMAPHORE, semaphore,
				   semaphore->name, clock_deadline(timeout_ns));
	spin_unlock(&semaphore->queue.lock, flags);
	return taken;
}

void sem_wait(struct semaphore *semaphore)
{
	sem_wait_timeout(semaphore, CLOCK_NEVER);
}

bool sem_try_wait(struct semaphore *semaphore)
{
	return sem_wait_timeout(semaphore, 0);
}

void sem_post(struct semaphore *semaphore)
{
	uint64_t flags = spin_lock(&semaphore->queue.lock);

	if (wait_wake_one(&semaphore->queue) == NULL)
		semaphore->count++;
	spin_unlock(&semaphore->queue.lock, flags);
}
