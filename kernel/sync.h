/* SPDX-License-Identifier: MIT */
#pragma once

/* Mutex, condition variable, semaphore: for threads. Interrupt handlers may only sem_post(),
 * cond_signal() and cond_broadcast().
 *
 * A mutex is handed to the most urgent waiter when it is released, so its owner is never unknown.
 * Before a thread blocks on a mutex without a timeout the chain "owner waits for a mutex whose
 * owner waits ..." is followed; if it comes back to the thread the system panics and names the
 * cycle.
 *
 * Timeouts are durations in ns from now; CLOCK_NEVER (clock.h) waits for good, 0 does not wait. */

#include <stdbool.h>
#include <stdint.h>

#include "kernel/clock.h"
#include "kernel/thread.h"
#include "kernel/wait.h"

struct mutex {
	const char *name;
	struct wait_queue queue;
	struct thread *owner;	 /* NULL: free */
	uint64_t owned_since_ns; /* when the owner got it */
	uint64_t contended;	 /* times that a thread had to wait */
};

struct cond {
	const char *name;
	struct wait_queue queue;
};

struct semaphore {
	const char *name;
	struct wait_queue queue;
	uint32_t count;
};

#define MUTEX_INIT(variable, name_)                                                \
	{                                                                          \
		.name = (name_), .queue = WAIT_QUEUE_INIT((variable).queue, name_) \
	}
#define COND_INIT(variable, name_)                                                 \
	{                                                                          \
		.name = (name_), .queue = WAIT_QUEUE_INIT((variable).queue, name_) \
	}
#define SEMAPHORE_INIT(variable, name_, count_)                                     \
	{                                                                           \
		.name = (name_), .queue = WAIT_QUEUE_INIT((variable).queue, name_), \
		.count = (count_)                                                   \
	}

/* Names are kept, not copied. */
void mutex_init(struct mutex *mutex, const char *name);
void mutex_lock(struct mutex *mutex);
bool mutex_try_lock(struct mutex *mutex);
/* Returns false when the time was up. */
bool mutex_lock_timeout(struct mutex *mutex, uint64_t timeout_ns);
void mutex_unlock(struct mutex *mutex);
/* True when the calling thread owns it. */
bool mutex_held(const struct mutex *mutex);

void cond_init(struct cond *cond, const char *name);
/* Releases the mutex while it waits; owns it again when it returns, also after a timeout. */
void cond_wait(struct cond *cond, struct mutex *mutex);
bool cond_wait_timeout(struct cond *cond, struct mutex *mutex, uint64_t timeout_ns);
void cond_signal(struct cond *cond);
void cond_broadcast(struct cond *cond);

void sem_init(struct semaphore *semaphore, const char *name, uint32_t count);
void sem_wait(struct semaphore *semaphore);
bool sem_try_wait(struct semaphore *semaphore);
bool sem_wait_timeout(struct semaphore *semaphore, uint64_t timeout_ns);
void sem_post(struct semaphore *semaphore);
