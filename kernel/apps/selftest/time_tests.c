/* SPDX-License-Identifier: MIT */

#include "kernel/apps/selftest/selftest.h"
#include "kernel/timer.h"

#define TIMERS 64
#define SPACING_NS 20000

struct noted_timer {
	struct timer timer; /* first: the callback gets its address */
	unsigned number;
};

static struct noted_timer timers[TIMERS];
static volatile unsigned fired[TIMERS];
static volatile unsigned fired_count;
static volatile bool fired_early;

static void note(struct timer *timer)
{
	fired_early |= clock_ns() < timer->deadline_ns;
	fired[fired_count] = ((struct noted_timer *)timer)->number;
	fired_count = fired_count + 1;
}

static bool all_fired(void *context)
{
	return fired_count == *(unsigned *)context;
}

/* Armed in the order 0, 37, 74 - 64, ...: any odd step visits each once. None fires before all are
 * armed, however long the host lets this CPU wait. On the CPU it is called on. */
static void arm_shuffled(uint64_t delay_ns)
{
	uint64_t flags = irq_save();
	uint64_t base_ns = clock_deadline(delay_ns);

	fired_count = 0;
	fired_early = false;
	for (unsigned i = 0; i < TIMERS; i++) {
		unsigned number = i * 37 % TIMERS;

		timers[number].number = number;
		timer_setup(&timers[number].timer, note);
		timer_arm(&timers[number].timer, base_ns + number * SPACING_NS);
	}
	irq_restore(flags);
}

static const char *timers_fire_in_order(void)
{
	unsigned count = TIMERS;

	thread_pin(0);
	arm_shuffled(2 * NS_PER_MS);
	CHECK(test_wait_until(all_fired, &count));
	thread_pin(THREAD_ANY_CPU);
	CHECK(!fired_early);
	for (unsigned i = 0; i < TIMERS; i++)
		CHECK(fired[i] == i);
	return NULL;
}

static const char *cancelled_timers_do_not_fire(void)
{
	unsigned left = TIMERS / 2;

	thread_pin(0);
	arm_shuffled(200 * NS_PER_MS);
	/* From another CPU, where there is one. */
	thread_pin((int)cpu_count() - 1);
	for (unsigned i = 0; i < TIMERS; i += 2)
		CHECK(timer_cancel(&timers[i].timer));
	CHECK(test_wait_until(all_fired, &left));
	thread_pin(THREAD_ANY_CPU);
	for (unsigned i = 0; i < TIMERS / 2; i++)
		CHECK(fired[i] == 2 * i + 1);
	CHECK(!timer_cancel(&timers[1].timer));
	return NULL;
}

static const char *a_deadline_in_the_past_fires(void)
{
	unsigned one = 1;

	fired_count = 0;
	timer_setup(&timers[0].timer, note);
	timer_arm(&timers[0].timer, 0);
	CHECK(test_wait_until(all_fired, &one));
	return NULL;
}

static const char *sleep_is_not_shorter_than_asked(void)
{
	for (unsigned i = 0; i < 10; i++) {
		uint64_t start_ns = clock_ns();

		thread_sleep_ns(300 * NS_PER_US);
		CHECK(clock_ns() - start_ns >= 300 * NS_PER_US);
	}
	return NULL;
}

static const char *the_clock_never_goes_back(void)
{
	uint64_t last_ns = clock_ns();

	for (unsigned i = 0; i < 200; i++) {
		uint64_t now_ns;

		thread_pin((int)(i % cpu_count()));
		now_ns = clock_ns();
		CHECK(now_ns >= last_ns);
		last_ns = now_ns;
	}
	thread_pin(THREAD_ANY_CPU);
	return NULL;
}

static const char *ns_and_tsc_convert_both_ways(void)
{
	for (uint64_t ns = 1; ns < 100000 * NS_PER_S; ns *= 7) {
		uint64_t back = clock_tsc_to_ns(clock_ns_to_tsc(ns));

		/* Rounded up to a tick; the fixed-point factor is good to some parts in 10^9. */
		CHECK(back + 1 + ns / 100000000 >= ns && back <= ns + 2 + ns / 100000000);
	}
	CHECK(clock_deadline(CLOCK_NEVER) == CLOCK_NEVER);
	return NULL;
}

static const char *cpu_times_add_up(void)
{
	struct cpu_times before, after;
	uint64_t start_ns, passed_ns, counted_ns;

	start_ns = clock_ns();
	cpu_get_times(0, &before);
	thread_sleep_ns(5 * NS_PER_MS);
	cpu_get_times(0, &after);
	passed_ns = clock_ns() - start_ns;
	counted_ns = after.idle_ns - before.idle_ns + after.irq_ns - before.irq_ns + after.busy_ns -
		     before.busy_ns;
	CHECK(counted_ns <= passed_ns + 100 * NS_PER_US);
	CHECK(counted_ns >= 5 * NS_PER_MS - 100 * NS_PER_US);
	return NULL;
}

const struct test time_tests[] = {
	{"timers_fire_in_order", timers_fire_in_order, 1},
	{"cancelled_timers_do_not_fire", cancelled_timers_do_not_fire, 1},
	{"a_deadline_in_the_past_fires", a_deadline_in_the_past_fires, 1},
	{"sleep_is_not_shorter_than_asked", sleep_is_not_shorter_than_asked, 1},
	{"the_clock_never_goes_back", the_clock_never_goes_back, 1},
	{"ns_and_tsc_convert_both_ways", ns_and_tsc_convert_both_ways, 1},
	{"cpu_times_add_up", cpu_times_add_up, 1},
	{NULL, NULL, 0},
};
