/* SPDX-License-Identifier: MIT */

#include "kernel/apps/selftest/selftest.h"
#include "kernel/heap.h"
#include "kernel/page.h"
#include "kernel/sync.h"

#include <string.h>

static int return_argument(void *argument)
{
	return (int)(intptr_t)argument;
}

static int exit_with_argument(void *argument)
{
	thread_exit((int)(intptr_t)argument);
}

static const char *join_gives_exit_code(void)
{
	CHECK(thread_join(thread_spawn("returns", return_argument, (void *)42)) == 42);
	CHECK(thread_join(thread_spawn("exits", exit_with_argument, (void *)-7)) == -7);
	return NULL;
}

static int wait_for_post(void *argument)
{
	sem_wait(argument);
	return 0;
}

static const char *blocked_thread_tells_why(void)
{
	struct semaphore never;
	struct thread_info info;
	struct thread *thread;
	uint64_t before_ns = clock_ns();

	sem_init(&never, "never", 0);
	thread = thread_spawn("a name that is much too long", wait_for_post, &never);
	CHECK(test_wait_blocked(thread));
	CHECK(test_find_thread(thread->id, &info));
	CHECK(strcmp(info.name, "a name that is much too") == 0);
	CHECK(info.wait.kind == WAIT_SEMAPHORE);
	CHECK(info.wait.object == &never);
	CHECK(strcmp(info.wait.object_name, "never") == 0);
	CHECK(info.wait.since_ns > before_ns && info.wait.since_ns < clock_ns());
	CHECK(info.wait.deadline_ns == CLOCK_NEVER);
	CHECK(info.entry == (uintptr_t)wait_for_post);
	CHECK(info.switches >= 1);
	CHECK(info.saved_rsp > info.stack_low && info.saved_rsp < info.stack_high);
	sem_post(&never);
	thread_join(thread);
	return NULL;
}

static bool ids_grow(const struct thread_info *info, void *context)
{
	uint32_t *last = context;

	if (info->id <= *last)
		return false;
	*last = info->id;
	return true;
}

static const char *threads_are_listed_in_order_of_id(void)
{
	struct thread *thread = thread_spawn("last", return_argument, NULL);
	uint32_t last = 0;

	thread_for_each(ids_grow, &last);
	CHECK(last == thread->id);
	thread_join(thread);
	return NULL;
}

static bool is_idle(const struct thread_info *info, void *context)
{
	unsigned *count = context;

	*count += strncmp(info->name, "idle/", 5) == 0 && info->priority == THREAD_PRIORITY_IDLE;
	return true;
}

static const char *each_cpu_has_an_idle_thread(void)
{
	unsigned count = 0;

	thread_for_each(is_idle, &count);
	CHECK(count == cpu_count());
	return NULL;
}

static int use_stack(void *argument)
{
	volatile char bytes[8192];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)0xff;
	sem_wait(argument);
	return bytes[0];
}

static const char *stack_use_is_measured(void)
{
	struct semaphore hold;
	struct thread_info info;
	struct thread *thread;

	sem_init(&hold, "hold", 0);
	thread = thread_spawn("deep", use_stack, &hold);
	CHECK(test_wait_blocked(thread));
	CHECK(test_find_thread(thread->id, &info));
	CHECK(info.stack_high - info.stack_low == THREAD_STACK_DEFAULT);
	CHECK(info.stack_used_max >= 8192 && info.stack_used_max < 8192 + 4096);
	CHECK(page_is_guard(info.stack_low - 1));
	CHECK(page_get_access(info.stack_low - 1) == PAGE_NONE);
	CHECK(page_get_access(info.stack_low) == PAGE_READ_WRITE);
	sem_post(&hold);
	thread_join(thread);
	return NULL;
}

#define CROWD 100

static int post(void *argument)
{
	sem_post(argument);
	return 0;
}

static bool count_is(void *context)
{
	return thread_count() == *(unsigned *)context;
}

static const char *detached_threads_are_reaped(void)
{
	struct semaphore done;
	struct thread_options options = {.name = "detached", .detached = true};
	unsigned before = thread_count();
	struct heap_stats heap_before, heap_after;

	heap_get_stats(&heap_before);
	sem_init(&done, "done", 0);
	for (unsigned i = 0; i < CROWD; i++)
		CHECK(thread_create(&options, post, &done) != NULL);
	for (unsigned i = 0; i < CROWD; i++)
		sem_wait(&done);
	CHECK(test_wait_until(count_is, &before));
	/* The reaper leaves the list before it frees. */
	thread_join(thread_spawn("lap", return_argument, NULL));
	heap_get_stats(&heap_after);
	CHECK(heap_after.live_count <= heap_before.live_count + 1);
	return NULL;
}

static const char *a_thread_can_be_detached_later(void)
{
	struct semaphore hold;
	unsigned before = thread_count();

	sem_init(&hold, "hold", 0);
	thread_detach(thread_spawn("held", wait_for_post, &hold));
	sem_post(&hold);
	CHECK(test_wait_until(count_is, &before));
	return NULL;
}

static __thread uint64_t own = 42;
static __thread char own_zeroes[200];

static int uses_its_own(void *argument)
{
	uint64_t number = (uintptr_t)argument;

	if (own != 42)
		return -1;
	for (size_t i = 0; i < sizeof(own_zeroes); i++)
		if (own_zeroes[i] != 0)
			return -2;
	own = number;
	memset(own_zeroes, (int)number, sizeof(own_zeroes));
	thread_sleep_ns(NS_PER_MS);
	return own == number && own_zeroes[199] == (char)number ? 0 : -3;
}

static const char *each_thread_has_variables_of_its_own(void)
{
	struct thread *threads[8];

	for (size_t i = 0; i < 8; i++)
		threads[i] = thread_spawn("own", uses_its_own, (void *)(i + 1));
	for (size_t i = 0; i < 8; i++)
		CHECK(thread_join(threads[i]) == 0);
	CHECK(own == 42);
	return NULL;
}

const struct test thread_tests[] = {
	{"join_gives_exit_code", join_gives_exit_code, 1},
	{"blocked_thread_tells_why", blocked_thread_tells_why, 1},
	{"threads_are_listed_in_order_of_id", threads_are_listed_in_order_of_id, 1},
	{"each_cpu_has_an_idle_thread", each_cpu_has_an_idle_thread, 1},
	{"stack_use_is_measured", stack_use_is_measured, 1},
	{"detached_threads_are_reaped", detached_threads_are_reaped, 1},
	{"a_thread_can_be_detached_later", a_thread_can_be_detached_later, 1},
	{"each_thread_has_variables_of_its_own", each_thread_has_variables_of_its_own, 1},
	{NULL, NULL, 0},
};
