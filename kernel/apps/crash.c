/* SPDX-License-Identifier: MIT */

/* Dies in the way that `kind=` says, `after=` milliseconds (200) after it started its threads.
 * Tests find the line of each death by its comment, so a death has a function and a line of its
 * own. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernel/app.h"
#include "kernel/clock.h"
#include "kernel/cmdline.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/heap.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/port.h"
#include "kernel/sync.h"
#include "kernel/thread.h"
#include "kernel/timer.h"

const char app_name[] = "crash";

#define AFTER_DEFAULT_MS 200

/* Canonical addresses that no machine of ours maps. */
#define NOWHERE 0x5eed00000000

/* Page 0 is not mapped, and is no guard page of a stack either. */
#define NO_STACK 0x800

#define NOINLINE __attribute__((noinline))

/* --- what the other threads wait for --- */

static struct mutex gate = MUTEX_INIT(gate, "gate");
static struct mutex news_lock = MUTEX_INIT(news_lock, "news");
static struct cond news = COND_INIT(news, "news");
static struct semaphore work = SEMAPHORE_INIT(work, "work", 0);
static volatile bool stop_computing;

static int wait_for_mutex(void *argument)
{
	mutex_lock(&gate);
	return 0;
}

static int wait_for_news(void *argument)
{
	mutex_lock(&news_lock);
	cond_wait(&news, &news_lock);
	return 0;
}

static int wait_for_work(void *argument)
{
	sem_wait(&work);
	return 0;
}

static int sleep_long(void *argument)
{
	thread_sleep_ns(3600 * NS_PER_S);
	return 0;
}

static int wait_for_thread(void *argument)
{
	return thread_join(argument);
}

static int compute(void *argument)
{
	while (!stop_computing)
		cpu_relax();
	return 0;
}

static void start_workers(void)
{
	const struct thread_options computes = {
		.name = "worker-6",
		.priority = THREAD_PRIORITY_LOW,
	};
	struct thread *sleeper;

	mutex_lock(&gate);
	thread_spawn("worker-1", wait_for_mutex, NULL);
	thread_spawn("worker-2", wait_for_news, NULL);
	thread_spawn("worker-3", wait_for_work, NULL);
	sleeper = thread_spawn("worker-4", sleep_long, NULL);
	thread_spawn("worker-5", wait_for_thread, sleeper);
	KASSERT(thread_create(&computes, compute, NULL) != NULL);
}

/* --- deaths --- */

static NOINLINE void crash_null_write(void)
{
	volatile int *volatile target = NULL;

	*target = 42; /* CRASH: null-write */
}

static NOINLINE void crash_wild_jump(void)
{
	void (*volatile target)(void) = (void (*)(void))NOWHERE;

	target(); /* CRASH: wild-jump */
}

/* Each call fills its frame from the bottom, so the stack ends there. */
static NOINLINE unsigned recurse(unsigned depth)
{
	volatile unsigned room[256];

	room[0] = depth; /* CRASH: stack-overflow */
	if (depth == UINT32_MAX)
		return 0;
	return recurse(depth + 1) + room[0];
}

static NOINLINE void crash_stack_overflow(void)
{
	log_printf(LOG_INFO, "depth %u", recurse(0));
}

/* The processor finds no stack to report the bad instruction on. The frame pointer stays, and with
 * it the backtrace. */
static NOINLINE void crash_double_fault(void)
{
	volatile uintptr_t stack = NO_STACK;

	__asm__ volatile("mov %0, %%rsp; ud2" ::"m"(stack)); /* CRASH: double-fault */
}

static NOINLINE void crash_assert(void)
{
	volatile int balance = -1;

	KASSERT(balance >= 0); /* CRASH: assert */
}

static NOINLINE void crash_oom(void)
{
	const size_t size = 1 << 20;

	for (;;) {
		void *block = heap_alloc(size); /* CRASH: oom */

		memset(block, 0x5a, size);
	}
}

static struct mutex left = MUTEX_INIT(left, "left");
static struct mutex right = MUTEX_INIT(right, "right");

static int take_left_then_right(void *argument)
{
	mutex_lock(&left);
	sem_post(argument);
	mutex_lock(&right);
	return 0;
}

static NOINLINE void crash_deadlock(void)
{
	static struct semaphore has_left = SEMAPHORE_INIT(has_left, "has left", 0);

	mutex_lock(&right);
	thread_spawn("rival", take_left_then_right, &has_left);
	sem_wait(&has_left);
	while (right.contended == 0)
		thread_sleep_ns(NS_PER_MS);
	mutex_lock(&left); /* CRASH: deadlock */
}

static NOINLINE void crash_in_interrupt(struct timer *timer)
{
	volatile int *volatile target = NULL;

	*target = 42; /* CRASH: panic-irq */
}

static void crash_panic_irq(void)
{
	static struct timer timer;

	timer_setup(&timer, crash_in_interrupt);
	timer_arm(&timer, 0);
	sleep_long(NULL);
}

/* The lock is held while memory is read that is not there. */
static NOINLINE void crash_holding_console(void)
{
	console_write((const char *)NOWHERE, 16); /* CRASH: panic-locked console */
}

static NOINLINE void crash_holding_port(void)
{
	const struct port_iov iov = {(const void *)NOWHERE, 16};
	struct port *port = port_find(PORT_NAME_PROBE);

	if (port != NULL)
		port_write(port, &iov, 1); /* CRASH: panic-locked port */
}

/* A write after free: the heap follows it when the block is due again. */
static NOINLINE void crash_holding_heap(void)
{
	volatile uintptr_t *volatile block = heap_alloc(64);

	heap_free((void *)block);
	*block = NOWHERE;
	for (;;)
		heap_alloc(64); /* CRASH: panic-locked heap */
}

static bool crash_at_thread(const struct thread_info *info, void *context)
{
	*(volatile int *)context = 42; /* CRASH: panic-locked threads */
	return true;
}

static NOINLINE void crash_holding_threads(void)
{
	void *volatile nowhere = NULL;

	thread_for_each(crash_at_thread, nowhere);
}

static void crash_panic_locked(void)
{
	char lock[16] = "console";

	cmdline_get("lock", lock, sizeof(lock));
	if (strcmp(lock, "port") == 0)
		crash_holding_port();
	else if (strcmp(lock, "heap") == 0)
		crash_holding_heap();
	else if (strcmp(lock, "threads") == 0)
		crash_holding_threads();
	else
		crash_holding_console();
}

static NOINLINE void crash_spin_irqs_off(void)
{
	irq_disable();
	for (;;)
		cpu_relax(); /* CRASH: spin-irqs-off */
}

static const struct {
	const char *kind;
	void (*crash)(void);
} crashes[] = {
	{"null-write", crash_null_write},
	{"wild-jump", crash_wild_jump},
	{"stack-overflow", crash_stack_overflow},
	{"double-fault", crash_double_fault},
	{"assert", crash_assert},
	{"oom", crash_oom},
	{"deadlock", crash_deadlock},
	{"panic-irq", crash_panic_irq},
	{"panic-locked", crash_panic_locked},
	{"spin-irqs-off", crash_spin_irqs_off},
};

int app_main(void)
{
	char kind[32] = "";

	cmdline_get("kind", kind, sizeof(kind));
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++) {
		if (strcmp(kind, crashes[i].kind) != 0)
			continue;
		start_workers();
		thread_sleep_ns(cmdline_get_u64("after", AFTER_DEFAULT_MS) * NS_PER_MS);
		log_printf(LOG_INFO, "crashing: %s", kind);
		crashes[i].crash();
		return 1; /* it did not work */
	}
	log_printf(LOG_ERROR, "no such kind of crash: \"%s\"; known are:", kind);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		log_printf(LOG_ERROR, "  kind=%s", crashes[i].kind);
	return 2;
}
