/* SPDX-License-Identifier: MIT */
#pragma once

/* The kernel's tests of itself. A test returns NULL, or why it failed. Tests run one after the
 * other in thread "main" and wait for events, never for a time in which something should have
 * happened; what should come at all is given TEST_PATIENCE_NS. */

#include <stdbool.h>
#include <stdint.h>

#include "kernel/clock.h"
#include "kernel/thread.h"

#define TEST_PATIENCE_NS (10 * NS_PER_S)

struct test {
	const char *name;
	const char *(*run)(void);
	unsigned cpus_min;
};

/* One table a file, ending in an entry without a name. */
extern const struct test thread_tests[];
extern const struct test sched_tests[];
extern const struct test sync_tests[];
extern const struct test time_tests[];
extern const struct test memory_tests[];
extern const struct test machine_tests[];

#define CHECK(condition)                   \
	do {                               \
		if (!(condition))          \
			return #condition; \
	} while (0)

/* Waits until condition() is true. Returns false when patience is at its end.
 */
bool test_wait_until(bool (*condition)(void *context), void *context);

/* Waits until the thread is BLOCKED. */
bool test_wait_blocked(const struct thread *thread);

/* A copy of what the kernel tells of a thread; false if there is no such id. */
bool test_find_thread(uint32_t id, struct thread_info *out);

/* thread_create() that keeps to a CPU. */
struct thread *test_spawn_pinned(const char *name, int priority, unsigned cpu,
				 int (*entry)(void *argument), void *argument);
