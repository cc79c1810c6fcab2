/* SPDX-License-Identifier: MIT */

/* What debuggers are measured and tried on: main() stands at the end of calls DEPTH deep and goes
 * round a loop on one line, `rounds=` times a call (200000), and so do `threads=` others (0), each
 * of which checks what came out. */

#include <stdint.h>

#include "kernel/app.h"
#include "kernel/cmdline.h"
#include "kernel/format.h"
#include "kernel/panic.h"
#include "kernel/thread.h"

const char app_name[] = "drill";

/* With main() and what calls it a backtrace has 30 frames. */
#define DEPTH 26

static uint64_t rounds;
static uint64_t expected;

/* For the debugger to read. */
uint64_t drill_calls, drill_wrong;
__thread uint64_t drill_own_calls; /* of each thread */

/* An instruction that is long enough for a fast tracepoint, on the line of the loop. */
#define FIVE_BYTES(value)                                               \
	({                                                              \
		__asm__ volatile("nopl 8(%%rax, %%rax)" : "+r"(value)); \
		(value);                                                \
	})

static __attribute__((noinline)) uint64_t drill_loop(uint64_t left)
{
	uint64_t sum = 1;

	for (; left > 0; sum = FIVE_BYTES(sum) * 31 + left--)
		;
	return sum;
}

static __attribute__((noinline)) void drill_call(void)
{
	uint64_t sum = drill_loop(rounds);

	__atomic_fetch_add(&drill_calls, 1, __ATOMIC_RELAXED);
	drill_own_calls++;
	if (sum != expected)
		__atomic_fetch_add(&drill_wrong, 1, __ATOMIC_RELAXED);
}

static int work(void *argument)
{
	for (;;)
		drill_call();
	return 0;
}

/* The asm keeps it from becoming a loop. */
static __attribute__((noinline)) void drill_dive(unsigned depth)
{
	if (depth > 0)
		drill_dive(depth - 1);
	while (depth == 0)
		drill_call();
	__asm__ volatile("" ::: "memory");
}

int app_main(void)
{
	unsigned threads = (unsigned)cmdline_get_u64("threads", 0);
	char name[THREAD_NAME_SIZE];

	rounds = cmdline_get_u64("rounds", 200000);
	expected = drill_loop(rounds);
	for (unsigned i = 0; i < threads; i++) {
		struct thread_options options = {.name = name};

		format_text(name, sizeof(name), "driller-%u", i);
		KASSERT(thread_create(&options, work, NULL) != NULL);
	}
	drill_dive(DEPTH);
	return 0;
}
