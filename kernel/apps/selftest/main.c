/* SPDX-License-Identifier: MIT */

#include "kernel/app.h"
#include "kernel/apps/selftest/selftest.h"
#include "kernel/cmdline.h"
#include "kernel/console.h"

/* Less urgent threads get their chance in between. */
#define TEST_POLL_NS (50 * NS_PER_US)

static const struct test *const tables[] = {
	thread_tests, sched_tests, sync_tests, time_tests, memory_tests, machine_tests,
};

bool test_wait_until(bool (*condition)(void *context), void *context)
{
	uint64_t end_ns = clock_deadline(TEST_PATIENCE_NS);

	while (!condition(context)) {
		if (clock_ns() > end_ns)
			return false;
		thread_sleep_ns(TEST_POLL_NS);
	}
	return true;
}

struct search {
	uint32_t id;
	struct thread_info *out;
	bool found;
};

static bool visit(const struct thread_info *info, void *context)
{
	struct search *search = context;

	search->found = info->id == search->id;
	if (search->found)
		*search->out = *info;
	return !search->found;
}

bool test_find_thread(uint32_t id, struct thread_info *out)
{
	struct search search = {id, out, false};

	thread_for_each(visit, &search);
	return search.found;
}

static bool is_blocked(void *context)
{
	struct thread_info info;

	return test_find_thread(((const struct thread *)context)->id, &info) &&
	       info.state == THREAD_BLOCKED;
}

bool test_wait_blocked(const struct thread *thread)
{
	return test_wait_until(is_blocked, (void *)thread);
}

struct thread *test_spawn_pinned(const char *name, int priority, unsigned cpu,
				 int (*entry)(void *argument), void *argument)
{
	const struct thread_options options = {
		.name = name,
		.priority = priority,
		.pinned = true,
		.cpu = cpu,
	};

	return thread_create(&options, entry, argument);
}

/* Sends back one line of what is typed. */
static void echo(void)
{
	char line[80];
	size_t len = 0;

	console_printf("type\n");
	while (len < sizeof(line) && (len == 0 || line[len - 1] != '\n'))
		len += console_read(line + len, sizeof(line) - len);
	console_printf("typed: %.*s", (int)len, line);
}

int app_main(void)
{
	unsigned passed = 0, failed = 0;

	if (cmdline_has("echo")) {
		echo();
		return 0;
	}
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (const struct test *test = tables[i]; test->name != NULL; test++) {
			const char *why;

			if (cpu_count() < test->cpus_min)
				continue;
			why = test->run();
			if (why == NULL) {
				passed++;
				console_printf("ok %s\n", test->name);
			} else {
				failed++;
				console_printf("not ok %s: %s\n", test->name, why);
			}
		}
	}
	console_printf("%u passed, %u failed, %u cpus\n", passed, failed, cpu_count());
	return failed != 0;
}
