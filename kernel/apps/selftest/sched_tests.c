/* SPDX-License-Identifier: MIT */

#include "kernel/apps/selftest/selftest.h"
#include "kernel/sync.h"

/* Flags that one thread sets and another spins on. */
static volatile bool flag_a, flag_b;

/* --- priorities --- */

static char order[8];
static volatile unsigned order_len;

static int note_order(void *argument)
{
	order[order_len++] = *(const char *)argument;
	return 0;
}

static const char *more_urgent_threads_run_first(void)
{
	struct thread *low, *middle, *high;

	thread_pin(0);
	order_len = 0;
	/* None of them runs before this thread, which shares their CPU, blocks. */
	thread_set_priority(thread_current(), THREAD_PRIORITY_MAX);
	low = test_spawn_pinned("low", 2, 0, note_order, (void *)"l");
	high = test_spawn_pinned("high", 9, 0, note_order, (void *)"h");
	middle = test_spawn_pinned("middle", 5, 0, note_order, (void *)"m");
	thread_join(low);
	thread_join(middle);
	thread_join(high);
	thread_set_priority(thread_current(), THREAD_PRIORITY_DEFAULT);
	thread_pin(THREAD_ANY_CPU);
	CHECK(order_len == 3);
	CHECK(order[0] == 'h' && order[1] == 'm' && order[2] == 'l');
	return NULL;
}

static int set_flag_after_post(void *argument)
{
	sem_wait(argument);
	flag_a = true;
	return 0;
}

static const char *waking_a_more_urgent_thread_switches_at_once(void)
{
	struct semaphore go;
	struct thread *urgent;
	bool ran_at_once, ran_while_disabled;

	thread_pin(0);
	flag_a = false;
	sem_init(&go, "go", 0);
	urgent = test_spawn_pinned("urgent", THREAD_PRIORITY_HIGH, 0, set_flag_after_post, &go);
	sem_post(&go);
	ran_at_once = flag_a;
	thread_join(urgent);

	flag_a = false;
	urgent = test_spawn_pinned("urgent", THREAD_PRIORITY_HIGH, 0, set_flag_after_post, &go);
	preempt_disable();
	sem_post(&go);
	ran_while_disabled = flag_a;
	preempt_enable();
	ran_at_once &= flag_a;
	thread_join(urgent);
	thread_pin(THREAD_ANY_CPU);
	CHECK(ran_at_once);
	CHECK(!ran_while_disabled);
	return NULL;
}

static int post_and_note(void *argument)
{
	sem_post(argument);
	return note_order((void *)"p");
}

static const char *an_interrupted_turn_goes_on_first(void)
{
	struct semaphore go;
	struct thread *urgent, *poster, *next;

	order_len = 0;
	sem_init(&go, "go", 0);
	thread_pin(0);
	thread_set_priority(thread_current(), THREAD_PRIORITY_MAX);
	urgent = test_spawn_pinned("urgent", 9, 0, set_flag_after_post, &go);
	CHECK(test_wait_blocked(urgent));
	poster = test_spawn_pinned("poster", 5, 0, post_and_note, &go);
	next = test_spawn_pinned("next", 5, 0, note_order, (void *)"n");
	thread_join(urgent);
	thread_join(poster);
	thread_join(next);
	thread_set_priority(thread_current(), THREAD_PRIORITY_DEFAULT);
	thread_pin(THREAD_ANY_CPU);
	CHECK(order_len == 2);
	CHECK(order[0] == 'p' && order[1] == 'n');
	return NULL;
}

/* --- time slices --- */

static int wait_for_flag(void *argument)
{
	uint64_t end_ns = clock_deadline(TEST_PATIENCE_NS);

	while (!flag_a && clock_ns() < end_ns)
		cpu_relax();
	return flag_a;
}

static int set_flag(void *argument)
{
	flag_a = true;
	return 0;
}

static const char *equal_threads_take_turns(void)
{
	struct thread *spinner, *setter;
	int saw_flag;

	flag_a = false;
	spinner = test_spawn_pinned("spinner", 5, 0, wait_for_flag, NULL);
	setter = test_spawn_pinned("setter", 5, 0, set_flag, NULL);
	saw_flag = thread_join(spinner);
	thread_join(setter);
	CHECK(saw_flag);
	return NULL;
}

/* --- CPUs --- */

static const char *pinning_moves_the_caller(void)
{
	for (unsigned round = 0; round < 20; round++) {
		unsigned cpu = round % cpu_count();

		thread_pin((int)cpu);
		CHECK(cpu_id() == cpu);
		thread_sleep_ns(1000);
		CHECK(cpu_id() == cpu);
	}
	thread_pin(THREAD_ANY_CPU);
	return NULL;
}

static int spin_until_b(void *argument)
{
	__atomic_fetch_add((unsigned *)argument, 1, __ATOMIC_SEQ_CST);
	while (!flag_b)
		cpu_relax();
	return 0;
}

static int note_cpu(void *argument)
{
	*(volatile int *)argument = (int)cpu_id();
	return 0;
}

static bool all_others_spin(void *context)
{
	return __atomic_load_n((unsigned *)context, __ATOMIC_SEQ_CST) == cpu_count() - 1;
}

/* All other CPUs are kept busy while a thread is queued behind this one; then they are let go. It
 * can run only if one of them takes it away. */
static const char *an_idle_cpu_steals(void)
{
	struct thread *spinners[CPU_MAX];
	struct thread *stolen;
	unsigned spinning = 0;
	volatile int ran_on = -1;
	uint64_t end_ns;

	thread_pin(0);
	thread_set_priority(thread_current(), THREAD_PRIORITY_HIGH);
	flag_b = false;
	for (unsigned i = 1; i < cpu_count(); i++)
		spinners[i] = test_spawn_pinned("spinner", 0, i, spin_until_b, &spinning);
	CHECK(test_wait_until(all_others_spin, &spinning));
	stolen = thread_spawn("stolen", note_cpu, (void *)&ran_on);
	flag_b = true;
	end_ns = clock_deadline(TEST_PATIENCE_NS);
	while (ran_on < 0 && clock_ns() < end_ns)
		cpu_relax();
	thread_set_priority(thread_current(), THREAD_PRIORITY_DEFAULT);
	thread_pin(THREAD_ANY_CPU);
	for (unsigned i = 1; i < cpu_count(); i++)
		thread_join(spinners[i]);
	thread_join(stolen);
	CHECK(ran_on > 0);
	return NULL;
}

/* The same with a pinned thread: it waits for its CPU, though all others are idle. */
static const char *a_pinned_thread_is_not_stolen(void)
{
	volatile int ran_on = -1;
	struct thread *pinned;
	bool stayed;

	thread_pin(0);
	thread_set_priority(thread_current(), THREAD_PRIORITY_HIGH);
	pinned = test_spawn_pinned("pinned", 0, 0, note_cpu, (void *)&ran_on);
	clock_delay_ns(5 * NS_PER_MS);
	stayed = ran_on < 0;
	thread_set_priority(thread_current(), THREAD_PRIORITY_DEFAULT);
	thread_pin(THREAD_ANY_CPU);
	thread_join(pinned);
	CHECK(stayed);
	CHECK(ran_on == 0);
	return NULL;
}

static const char *a_new_thread_goes_to_an_idle_cpu(void)
{
	volatile int ran_on = -1;
	struct thread *thread;
	uint64_t end_ns = clock_deadline(TEST_PATIENCE_NS);

	thread_pin(0);
	thread_set_priority(thread_current(), THREAD_PRIORITY_HIGH);
	thread = thread_spawn("elsewhere", note_cpu, (void *)&ran_on);
	while (ran_on < 0 && clock_ns() < end_ns)
		cpu_relax();
	thread_set_priority(thread_current(), THREAD_PRIORITY_DEFAULT);
	thread_pin(THREAD_ANY_CPU);
	thread_join(thread);
	CHECK(ran_on > 0);
	return NULL;
}

static struct semaphore starting_gun = SEMAPHORE_INIT(starting_gun, "starting gun", 0);

/* Meets the others of the crowd, letting nobody else onto its CPU before. */
static int meet(void *argument)
{
	unsigned *arrived = argument;
	uint64_t end_ns;
	bool met = false;

	sem_wait(&starting_gun);
	end_ns = clock_deadline(TEST_PATIENCE_NS);
	preempt_disable();
	__atomic_fetch_add(arrived, 1, __ATOMIC_SEQ_CST);
	while (!met && clock_ns() < end_ns)
		met = __atomic_load_n(arrived, __ATOMIC_SEQ_CST) == cpu_count();
	preempt_enable();
	return met;
}

static const char *a_crowd_spreads_over_all_cpus(void)
{
	struct thread *threads[CPU_MAX];
	unsigned arrived = 0;
	bool all_met = true;

	for (unsigned i = 0; i < cpu_count(); i++) {
		threads[i] = thread_spawn("crowd", meet, &arrived);
		CHECK(test_wait_blocked(threads[i]));
	}
	for (unsigned i = 0; i < cpu_count(); i++)
		sem_post(&starting_gun);
	for (unsigned i = 0; i < cpu_count(); i++)
		all_met &= thread_join(threads[i]);
	CHECK(all_met);
	return NULL;
}

/* --- urgent threads that do not end --- */

static volatile bool spin_ends;

static int unpin_and_wait(void *argument)
{
	thread_pin(THREAD_ANY_CPU);
	sem_wait(argument);
	flag_a = true;
	return 0;
}

static int spin_until_told(void *argument)
{
	(void)argument;
	while (!spin_ends)
		cpu_relax();
	return 0;
}

/* Every CPU has a thread of its own that never ends: an urgent one on this CPU, others elsewhere.
 */
static void occupy_cpus(struct thread *spinners[CPU_MAX], unsigned urgent)
{
	spin_ends = false;
	for (unsigned i = 0; i < cpu_count(); i++)
		if (i != urgent)
			spinners[i] = test_spawn_pinned("spinner", 0, i, spin_until_told, NULL);
	spinners[urgent] =
		test_spawn_pinned("urgent", THREAD_PRIORITY_HIGH, urgent, spin_until_told, NULL);
}

static void free_cpus(struct thread *spinners[CPU_MAX])
{
	spin_ends = true;
	for (unsigned i = 0; i < cpu_count(); i++)
		thread_join(spinners[i]);
}

/* Comes back only if the thread, which the urgent one sends off its CPU, gets another. */
static const char *one_that_is_sent_off_its_cpu_goes_on_elsewhere(void)
{
	struct thread *spinners[CPU_MAX];
	unsigned urgent = cpu_count() - 1;

	thread_pin((int)urgent);
	thread_pin(THREAD_ANY_CPU);
	occupy_cpus(spinners, urgent);
	free_cpus(spinners);
	return NULL;
}

static const char *one_that_wakes_below_an_urgent_thread_goes_elsewhere(void)
{
	struct thread *spinners[CPU_MAX];
	struct semaphore gate;
	struct thread *sleeper;
	unsigned urgent = cpu_count() - 1;

	flag_a = false;
	sem_init(&gate, "gate", 0);
	sleeper = test_spawn_pinned("sleeper", 0, urgent, unpin_and_wait, &gate);
	CHECK(test_wait_blocked(sleeper));
	occupy_cpus(spinners, urgent);
	sem_post(&gate);
	thread_join(sleeper);
	free_cpus(spinners);
	CHECK(flag_a);
	return NULL;
}

/* A tick of 100 Hz would be 10 interrupts. What comes are this thread's wake-up and the probe's. */
static const char *an_idle_cpu_has_no_tick(void)
{
	uint64_t before[CPU_MAX];

	for (unsigned i = 0; i < cpu_count(); i++)
		before[i] = cpus[i].irq_count;
	thread_sleep_ns(100 * NS_PER_MS);
	for (unsigned i = 0; i < cpu_count(); i++)
		CHECK(cpus[i].irq_count - before[i] < 8);
	return NULL;
}

/* --- the FPU --- */

struct sse_check {
	uint64_t pattern[2];
	uint32_t mxcsr;
	bool intact;
};

/* Keeps a pattern in xmm5 and a rounding mode in MXCSR while others, with theirs, run in between.
 */
static int keep_sse_state(void *argument)
{
	struct sse_check *check = argument;
	uint64_t found[2];
	uint32_t mxcsr;

	check->intact = true;
	for (unsigned i = 0; i < 100 && check->intact; i++) {
		__asm__ volatile("ldmxcsr %3\n\t"
				 "movdqu %2, %%xmm5\n\t"
				 "call thread_yield\n\t"
				 "movdqu %%xmm5, %0\n\t"
				 "stmxcsr %1"
				 : "=m"(found), "=m"(mxcsr)
				 : "m"(check->pattern), "m"(check->mxcsr)
				 : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
				   "xmm5", "memory", "cc");
		check->intact = found[0] == check->pattern[0] && found[1] == check->pattern[1] &&
				mxcsr == check->mxcsr;
	}
	return 0;
}

static const char *sse_state_is_each_threads_own(void)
{
	static const uint32_t rounding[] = {0x1f80, 0x3f80, 0x5f80, 0x7f80};
	struct sse_check checks[4];
	struct thread *threads[4];

	for (unsigned i = 0; i < 4; i++) {
		checks[i] = (struct sse_check){{i, ~(uint64_t)i}, rounding[i], false};
		threads[i] = test_spawn_pinned("sse", 0, 0, keep_sse_state, &checks[i]);
	}
	for (unsigned i = 0; i < 4; i++)
		thread_join(threads[i]);
	for (unsigned i = 0; i < 4; i++)
		CHECK(checks[i].intact);
	return NULL;
}

const struct test sched_tests[] = {
	{"more_urgent_threads_run_first", more_urgent_threads_run_first, 1},
	{"waking_a_more_urgent_thread_switches_at_once",
	 waking_a_more_urgent_thread_switches_at_once, 1},
	{"an_interrupted_turn_goes_on_first", an_interrupted_turn_goes_on_first, 1},
	{"equal_threads_take_turns", equal_threads_take_turns, 1},
	{"pinning_moves_the_caller", pinning_moves_the_caller, 1},
	{"an_idle_cpu_steals", an_idle_cpu_steals, 2},
	{"a_pinned_thread_is_not_stolen", a_pinned_thread_is_not_stolen, 2},
	{"a_new_thread_goes_to_an_idle_cpu", a_new_thread_goes_to_an_idle_cpu, 2},
	{"a_crowd_spreads_over_all_cpus", a_crowd_spreads_over_all_cpus, 1},
	{"one_that_is_sent_off_its_cpu_goes_on_elsewhere",
	 one_that_is_sent_off_its_cpu_goes_on_elsewhere, 2},
	{"one_that_wakes_below_an_urgent_thread_goes_elsewhere",
	 one_that_wakes_below_an_urgent_thread_goes_elsewhere, 2},
	{"an_idle_cpu_has_no_tick", an_idle_cpu_has_no_tick, 1},
	{"sse_state_is_each_threads_own", sse_state_is_each_threads_own, 1},
	{NULL, NULL, 0},
};
