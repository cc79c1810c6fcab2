/* SPDX-License-Identifier: MIT */

/* As much of POSIX threads as GDB's tests use, on the kernel's threads. The types are the C
 * library's; each holds a pointer to what stands for it here, made when it is first used, because a
 * static initializer leaves zeros. */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>

#include "kernel/cpu.h"
#include "kernel/heap.h"
#include "kernel/sync.h"
#include "kernel/thread.h"
#include "tests/guest/gdb_testsuite/guest.h"

#define THREADS_MAX 1024
#define STACK_SIZE 65536
#define KEYS_MAX 16

struct posix_thread {
	bool taken;
	struct thread *thread;
	void *(*start)(void *argument);
	void *argument;
	void *result;
	bool detached;
	const void *values[KEYS_MAX];
};

struct lock {
	struct mutex mutex;
	unsigned depth; /* of its owner, beyond the first */
};

struct barrier {
	struct mutex mutex;
	struct cond cond;
	unsigned count;
	unsigned waiting;
	unsigned round;
};

static struct posix_thread threads[THREADS_MAX];
static struct posix_thread main_thread;
static unsigned alive = 1;
static struct mutex books = MUTEX_INIT(books, "pthreads");
static unsigned key_count;

/* A pthread_t is the kernel's pointer to the thread, by which the stub names it to gdb. */
static struct posix_thread *from_id(pthread_t id)
{
	for (unsigned i = 0; i < THREADS_MAX; i++) {
		if (threads[i].thread == (struct thread *)id)
			return &threads[i];
	}
	return &main_thread;
}

static struct posix_thread *self(void)
{
	return from_id(pthread_self());
}

/* --- threads --- */

/* Threads begin and end without a lock: a debugger may let one of them go alone. */
static struct posix_thread *take_slot(void)
{
	for (unsigned i = 0; i < THREADS_MAX; i++) {
		if (!__atomic_exchange_n(&threads[i].taken, true, __ATOMIC_ACQUIRE))
			return &threads[i];
	}
	return NULL;
}

static void free_slot(struct posix_thread *thread)
{
	thread->thread = NULL;
	__atomic_store_n(&thread->taken, false, __ATOMIC_RELEASE);
}

/* The program ends with its last thread, whichever that is. */
static void end(struct posix_thread *thread)
{
	if (thread->detached)
		free_slot(thread);
	if (__atomic_sub_fetch(&alive, 1, __ATOMIC_SEQ_CST) == 0)
		guest_exit(0);
}

static int run(void *argument)
{
	struct posix_thread *thread = argument;

	thread->thread = thread_current();
	thread->result = thread->start(thread->argument);
	end(thread);
	return 0;
}

int pthread_create(pthread_t *out, const pthread_attr_t *attributes, void *(*start)(void *),
		   void *argument)
{
	struct thread_options options = {.name = "pthread", .stack_size = STACK_SIZE};
	struct posix_thread *thread = take_slot();
	struct thread *made;

	if (thread == NULL)
		return EAGAIN;
	memset(thread->values, 0, sizeof(thread->values));
	thread->detached = false;
	if (attributes != NULL) {
		int state;

		pthread_attr_getdetachstate(attributes, &state);
		thread->detached = state == PTHREAD_CREATE_DETACHED;
	}
	options.detached = thread->detached;
	thread->start = start;
	thread->argument = argument;
	__atomic_add_fetch(&alive, 1, __ATOMIC_SEQ_CST);
	made = thread_create(&options, run, thread);
	if (made == NULL) {
		__atomic_sub_fetch(&alive, 1, __ATOMIC_SEQ_CST);
		free_slot(thread);
		return EAGAIN;
	}
	/* It has not begun yet, perhaps, and is joined. One that is detached may have ended. */
	if (!thread->detached)
		thread->thread = made;
	*out = (pthread_t)made;
	return 0;
}

int pthread_join(pthread_t id, void **result)
{
	struct posix_thread *thread = from_id(id);

	thread_join((struct thread *)id);
	if (result != NULL)
		*result = thread->result;
	free_slot(thread);
	return 0;
}

int pthread_detach(pthread_t id)
{
	struct posix_thread *thread = from_id(id);

	thread->detached = true;
	thread_detach((struct thread *)id);
	return 0;
}

pthread_t pthread_self(void)
{
	return (pthread_t)thread_current();
}

int(pthread_equal)(pthread_t a, pthread_t b)
{
	return a == b;
}

void pthread_exit(void *result)
{
	struct posix_thread *thread = self();

	thread->result = result;
	end(thread);
	thread_exit(0);
}

int pthread_setname_np(pthread_t id, const char *name)
{
	struct thread *thread = (struct thread *)id;

	strncpy(thread->name, name, sizeof(thread->name) - 1);
	return 0;
}

int sched_yield(void)
{
	thread_yield();
	return 0;
}

void pthread_testcancel(void)
{
}

/* --- attributes: one of them counts --- */

int pthread_attr_init(pthread_attr_t *attributes)
{
	memset(attributes, 0, sizeof(*attributes));
	return 0;
}

int pthread_attr_destroy(pthread_attr_t *attributes)
{
	(void)attributes;
	return 0;
}

int pthread_attr_setdetachstate(pthread_attr_t *attributes, int state)
{
	attributes->__align = state;
	return 0;
}

int pthread_attr_getdetachstate(const pthread_attr_t *attributes, int *state)
{
	*state = (int)attributes->__align;
	return 0;
}

int pthread_attr_setstacksize(pthread_attr_t *attributes, size_t size)
{
	(void)attributes;
	(void)size;
	return 0;
}

int pthread_attr_setscope(pthread_attr_t *attributes, int scope)
{
	(void)attributes;
	(void)scope;
	return 0;
}

/* --- mutexes and conditions --- */

static struct lock *lock_of(pthread_mutex_t *mutex)
{
	struct lock **place = (struct lock **)mutex;

	mutex_lock(&books);
	if (*place == NULL) {
		*place = heap_alloc_zeroed(sizeof(**place));
		mutex_init(&(*place)->mutex, "pthread");
	}
	mutex_unlock(&books);
	return *place;
}

int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
	memset(mutex, 0, sizeof(*mutex));
	if (attributes != NULL)
		mutex->__data.__kind = attributes->__align;
	return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
	(void)mutex;
	return 0;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	struct lock *lock = lock_of(mutex);

	if (mutex->__data.__kind == PTHREAD_MUTEX_RECURSIVE && mutex_held(&lock->mutex))
		lock->depth++;
	else
		mutex_lock(&lock->mutex);
	return 0;
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
	return mutex_try_lock(&lock_of(mutex)->mutex) ? 0 : EBUSY;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	struct lock *lock = lock_of(mutex);

	if (lock->depth > 0)
		lock->depth--;
	else
		mutex_unlock(&lock->mutex);
	return 0;
}

int pthread_mutexattr_init(pthread_mutexattr_t *attributes)
{
	attributes->__align = 0;
	return 0;
}

int pthread_mutexattr_settype(pthread_mutexattr_t *attributes, int type)
{
	attributes->__align = type;
	return 0;
}

int pthread_mutexattr_destroy(pthread_mutexattr_t *attributes)
{
	(void)attributes;
	return 0;
}

static struct cond *cond_of(pthread_cond_t *cond)
{
	struct cond **place = (struct cond **)cond;

	mutex_lock(&books);
	if (*place == NULL) {
		*place = heap_alloc_zeroed(sizeof(**place));
		cond_init(*place, "pthread");
	}
	mutex_unlock(&books);
	return *place;
}

int pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attributes)
{
	(void)attributes;
	memset(cond, 0, sizeof(*cond));
	return 0;
}

int pthread_cond_destroy(pthread_cond_t *cond)
{
	(void)cond;
	return 0;
}

int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	cond_wait(cond_of(cond), &lock_of(mutex)->mutex);
	return 0;
}

int pthread_cond_signal(pthread_cond_t *cond)
{
	cond_signal(cond_of(cond));
	return 0;
}

int pthread_cond_broadcast(pthread_cond_t *cond)
{
	cond_broadcast(cond_of(cond));
	return 0;
}

/* --- barriers, once, keys --- */

int pthread_barrier_init(pthread_barrier_t *out, const pthread_barrierattr_t *attributes,
			 unsigned count)
{
	struct barrier *barrier = heap_alloc_zeroed(sizeof(*barrier));

	(void)attributes;
	mutex_init(&barrier->mutex, "barrier");
	cond_init(&barrier->cond, "barrier");
	barrier->count = count;
	memcpy(out, &barrier, sizeof(barrier));
	return 0;
}

int pthread_barrier_destroy(pthread_barrier_t *barrier)
{
	(void)barrier;
	return 0;
}

int pthread_barrier_wait(pthread_barrier_t *in)
{
	struct barrier *barrier;
	unsigned round;

	memcpy(&barrier, in, sizeof(barrier));
	mutex_lock(&barrier->mutex);
	round = barrier->round;
	if (++barrier->waiting == barrier->count) {
		barrier->waiting = 0;
		barrier->round++;
		cond_broadcast(&barrier->cond);
		mutex_unlock(&barrier->mutex);
		return PTHREAD_BARRIER_SERIAL_THREAD;
	}
	while (barrier->round == round)
		cond_wait(&barrier->cond, &barrier->mutex);
	mutex_unlock(&barrier->mutex);
	return 0;
}

int pthread_once(pthread_once_t *control, void (*routine)(void))
{
	bool first;

	mutex_lock(&books);
	first = *control == 0;
	*control = 1;
	mutex_unlock(&books);
	if (first)
		routine();
	return 0;
}

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
	(void)destructor;
	if (key_count == KEYS_MAX)
		return EAGAIN;
	*key = key_count++;
	return 0;
}

void *pthread_getspecific(pthread_key_t key)
{
	return (void *)self()->values[key];
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
	self()->values[key] = value;
	return 0;
}
