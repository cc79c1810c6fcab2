/* SPDX-License-Identifier: MIT */

#include "kernel/apps/selftest/selftest.h"
#include "kernel/sync.h"

#define CROWD 8
#define ROUNDS 500
#define SHORT_NS NS_PER_MS

static struct mutex mutex = MUTEX_INIT(mutex, "test mutex");
static struct cond cond = COND_INIT(cond, "test cond");
static struct semaphore semaphore = SEMAPHORE_INIT(semaphore, "test semaphore", 0);

/* --- mutex --- */

static volatile uint64_t counter;

static int count_up(void *argument)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t value;

		mutex_lock(&mutex);
		value = counter;
		if (i % 16 == 0)
			thread_yield();
		counter = value + 1;
		mutex_unlock(&mutex);
	}
	return 0;
}

static const char *a_mutex_excludes(void)
{
	struct thread *threads[CROWD];

	counter = 0;
	for (unsigned i = 0; i < CROWD; i++)
		threads[i] = thread_spawn("counter", count_up, NULL);
	for (unsigned i = 0; i < CROWD; i++)
		thread_join(threads[i]);
	CHECK(counter == CROWD * ROUNDS);
	CHECK(mutex.owner == NULL);
	return NULL;
}

static int try_and_time_out(void *argument)
{
	uint64_t start_ns = clock_ns();
	bool *failed_both = argument;

	*failed_both = !mutex_try_lock(&mutex) && !mutex_lock_timeout(&mutex, SHORT_NS) &&
		       clock_ns() - start_ns >= SHORT_NS;
	return 0;
}

static const char *a_held_mutex_times_out(void)
{
	bool failed_both = false;

	mutex_lock(&mutex);
	thread_join(thread_spawn("tries", try_and_time_out, &failed_both));
	CHECK(mutex_held(&mutex));
	mutex_unlock(&mutex);
	CHECK(failed_both);
	CHECK(mutex_try_lock(&mutex));
	mutex_unlock(&mutex);
	return NULL;
}

static char order[CROWD];
static volatile unsigned order_len;

static int lock_and_note(void *argument)
{
	mutex_lock(&mutex);
	order[order_len++] = *(const char *)argument;
	mutex_unlock(&mutex);
	return 0;
}

static struct thread *spawn_blocked(const char *name, int priority, int (*entry)(void *),
				    void *argument)
{
	struct thread_options options = {.name = name, .priority = priority};
	struct thread *thread = thread_create(&options, entry, argument);

	return test_wait_blocked(thread) ? thread : NULL;
}

static const char *a_mutex_goes_to_the_most_urgent_waiter(void)
{
	struct thread *low, *high, *second;
	struct thread_info info;

	order_len = 0;
	mutex_lock(&mutex);
	low = spawn_blocked("low", 3, lock_and_note, (void *)"l");
	second = spawn_blocked("second", 3, lock_and_note, (void *)"s");
	high = spawn_blocked("high", 20, lock_and_note, (void *)"h");
	CHECK(low != NULL && second != NULL && high != NULL);
	CHECK(test_find_thread(high->id, &info));
	CHECK(info.wait.kind == WAIT_MUTEX && info.wait_owner == thread_current()->id);
	mutex_unlock(&mutex);
	thread_join(low);
	thread_join(second);
	thread_join(high);
	CHECK(order_len == 3);
	CHECK(order[0] == 'h' && order[1] == 'l' && order[2] == 's');
	return NULL;
}

/* --- condition --- */

static unsigned stock, eaten;

static int consume(void *argument)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		mutex_lock(&mutex);
		while (stock == 0)
			cond_wait(&cond, &mutex);
		stock--;
		eaten++;
		mutex_unlock(&mutex);
	}
	return 0;
}

static const char *a_condition_loses_no_wakeup(void)
{
	struct thread *consumers[2];

	stock = eaten = 0;
	for (unsigned i = 0; i < 2; i++)
		consumers[i] = thread_spawn("consumer", consume, NULL);
	for (unsigned i = 0; i < 2 * ROUNDS; i++) {
		mutex_lock(&mutex);
		stock++;
		cond_signal(&cond);
		mutex_unlock(&mutex);
	}
	for (unsigned i = 0; i < 2; i++)
		thread_join(consumers[i]);
	CHECK(stock == 0 && eaten == 2 * ROUNDS);
	return NULL;
}

static int wait_for_broadcast(void *argument)
{
	mutex_lock(&mutex);
	cond_wait(&cond, &mutex);
	mutex_unlock(&mutex);
	return 0;
}

static const char *a_broadcast_wakes_all(void)
{
	struct thread *threads[CROWD];

	for (unsigned i = 0; i < CROWD; i++) {
		threads[i] = spawn_blocked("waits", 0, wait_for_broadcast, NULL);
		CHECK(threads[i] != NULL);
	}
	mutex_lock(&mutex);
	cond_broadcast(&cond);
	mutex_unlock(&mutex);
	for (unsigned i = 0; i < CROWD; i++)
		thread_join(threads[i]);
	return NULL;
}

static const char *a_condition_times_out_and_owns_the_mutex(void)
{
	uint64_t start_ns = clock_ns();
	bool signalled;

	mutex_lock(&mutex);
	signalled = cond_wait_timeout(&cond, &mutex, SHORT_NS);
	CHECK(mutex_held(&mutex));
	mutex_unlock(&mutex);
	CHECK(!signalled);
	CHECK(clock_ns() - start_ns >= SHORT_NS);
	return NULL;
}

/* --- semaphore --- */

static const char *a_semaphore_counts_and_times_out(void)
{
	sem_post(&semaphore);
	sem_post(&semaphore);
	CHECK(sem_try_wait(&semaphore));
	CHECK(sem_wait_timeout(&semaphore, SHORT_NS));
	CHECK(!sem_try_wait(&semaphore));
	CHECK(!sem_wait_timeout(&semaphore, SHORT_NS));
	CHECK(semaphore.count == 0);
	return NULL;
}

static void post_from_interrupt(struct timer *timer)
{
	sem_post(&semaphore);
}

static const char *an_interrupt_may_post(void)
{
	struct timer timer;

	timer_setup(&timer, post_from_interrupt);
	timer_arm(&timer, clock_deadline(SHORT_NS));
	CHECK(sem_wait_timeout(&semaphore, TEST_PATIENCE_NS));
	return NULL;
}

/* A post and the end of a wait's time at the same moment: each post is taken or still there. */
static int post_rounds(void *argument)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		clock_delay_ns(i % 50 * 1000);
		sem_post(&semaphore);
	}
	return 0;
}

static const char *timeouts_lose_no_post(void)
{
	struct thread *poster = thread_spawn("poster", post_rounds, NULL);
	uint64_t end_ns = clock_deadline(TEST_PATIENCE_NS);
	unsigned taken = 0;

	while (taken < ROUNDS && clock_ns() < end_ns)
		taken += sem_wait_timeout(&semaphore, 20000);
	thread_join(poster);
	CHECK(taken == ROUNDS);
	CHECK(!sem_try_wait(&semaphore));
	return NULL;
}

const struct test sync_tests[] = {
	{"a_mutex_excludes", a_mutex_excludes, 1},
	{"a_held_mutex_times_out", a_held_mutex_times_out, 1},
	{"a_mutex_goes_to_the_most_urgent_waiter", a_mutex_goes_to_the_most_urgent_waiter, 1},
	{"a_condition_loses_no_wakeup", a_condition_loses_no_wakeup, 1},
	{"a_broadcast_wakes_all", a_broadcast_wakes_all, 1},
	{"a_condition_times_out_and_owns_the_mutex", a_condition_times_out_and_owns_the_mutex, 1},
	{"a_semaphore_counts_and_times_out", a_semaphore_counts_and_times_out, 1},
	{"an_interrupt_may_post", an_interrupt_may_post, 1},
	{"timeouts_lose_no_post", timeouts_lose_no_post, 1},
	{NULL, NULL, 0},
};
