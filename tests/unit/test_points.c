/* SPDX-License-Identifier: MIT */

/* Sites in this very program, switched while threads run through them. */

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "tracing/errno.h"
#include "tracing/hosted/platform.h"
#include "tracing/points.h"

#define UNI_TRACEPOINT_DEFINE
#include "tests/unit/trace_points_under_test.h"

#define SIZE 4096
#define COUNT 4

struct cpu {
	struct uni_ring ring;
	struct uni_ring_slot slots[COUNT];
	_Alignas(UNI_RING_DATA_ALIGN) uint8_t data[COUNT * SIZE];
};

static struct uni_points points;

static void init_cpu(struct cpu *cpu)
{
	struct uni_ring_config config = {cpu->data, cpu->slots, SIZE, COUNT, 0, {0}};

	cr_assert_eq(uni_ring_init(&cpu->ring, &config), 0);
	cr_assert_eq(uni_ring_start(&cpu->ring, UNI_RING_OVERWRITE), 0);
	uni_hosted_ring = &cpu->ring;
}

static uint64_t recorded(const struct cpu *cpu)
{
	struct uni_ring_stats stats;

	uni_ring_get_stats(&cpu->ring, &stats);
	return stats.recorded;
}

static void switch_to(unsigned bits)
{
	const uint8_t bitmap[1] = {(uint8_t)bits};

	cr_assert_eq(uni_points_set(&points, bitmap, points.event_count), 0);
}

static unsigned bit_of(const struct uni_trace_meta *meta)
{
	return 1u << (meta - __start_uni_trace_meta);
}

/* Inlined into each caller: a site of its own in each. */
static inline __attribute__((always_inline)) void inlined(uint32_t id)
{
	uni_trace_test_text(id, "inlined");
}

static __attribute__((noinline)) void first_caller(void)
{
	inlined(1);
}

static __attribute__((noinline)) void second_caller(void)
{
	inlined(2);
	uni_trace_test_pair(3, 4);
}

Test(points, switches_every_site_of_an_event_and_no_other)
{
	static struct cpu cpu;

	cr_assert_eq(uni_points_init(&points, &uni_hosted_text), 0);
	init_cpu(&cpu);
	first_caller();
	second_caller();
	cr_assert_eq(recorded(&cpu), 0, "all are off at the start");
	switch_to(bit_of(&uni_trace_meta_test_text));
	first_caller();
	second_caller();
	cr_assert_eq(recorded(&cpu), 2);
	switch_to(bit_of(&uni_trace_meta_test_pair));
	first_caller();
	second_caller();
	cr_assert_eq(recorded(&cpu), 3);
	switch_to(0);
	first_caller();
	second_caller();
	cr_assert_eq(recorded(&cpu), 3);
}

Test(points, refuses_ids_that_are_not_there)
{
	const uint8_t bitmap[2] = {0xff, 0xff};

	cr_assert_eq(uni_points_init(&points, &uni_hosted_text), 0);
	cr_assert_eq(uni_points_set(&points, bitmap, points.event_count + 1), -UNI_EINVAL);
}

static const struct uni_trace_site *site_of(const struct uni_trace_meta *meta)
{
	for (size_t i = 0; i < points.site_count; i++) {
		if (points.sites[i].event_id == (uint32_t)(meta - __start_uni_trace_meta))
			return &points.sites[i];
	}
	return NULL;
}

Test(points, knows_where_code_is_changed)
{
	const struct uni_trace_site *last;

	cr_assert_eq(uni_points_init(&points, &uni_hosted_text), 0);
	last = &points.sites[points.site_count - 1];
	cr_expect(uni_points_overlap(&points, last->address, 1));
	cr_expect(uni_points_overlap(&points, last->address - 4, 5));
	cr_expect(uni_points_overlap(&points, last->address + 4, 5));
	cr_expect(!uni_points_overlap(&points, 0x1000, 5));
	points.site_count = 1;
	cr_expect(!uni_points_overlap(&points, points.sites[0].address - 5, 5));
	cr_expect(!uni_points_overlap(&points, points.sites[0].address + 5, 5));
}

Test(points, leaves_an_event_alone_whose_site_holds_a_debuggers_breakpoint)
{
	static const uint8_t breakpoint = 0xcc, nop = 0x0f;
	static struct cpu cpu;
	const struct uni_trace_site *site;
	uint8_t bitmap[1];

	cr_assert_eq(uni_points_init(&points, &uni_hosted_text), 0);
	init_cpu(&cpu);
	site = site_of(&uni_trace_meta_test_pair);
	cr_assert_not_null(site);
	cr_assert_eq(uni_hosted_text.write((void *)site->address, &breakpoint, 1), 0);
	bitmap[0] =
		(uint8_t)(bit_of(&uni_trace_meta_test_pair) | bit_of(&uni_trace_meta_test_text));
	cr_assert_eq(uni_points_set(&points, bitmap, points.event_count), -UNI_EBUSY);
	cr_assert_eq(*(const volatile uint8_t *)site->address, 0xcc);
	cr_assert_eq(uni_hosted_text.write((void *)site->address, &nop, 1), 0);
	first_caller();
	second_caller();
	cr_assert_eq(recorded(&cpu), 2, "the other event is on, in both places");
	cr_assert_eq(uni_points_set(&points, bitmap, points.event_count), 0, "a second try");
	second_caller();
	cr_assert_eq(recorded(&cpu), 4);
}

/* What the platform is asked, as letters: b a breakpoint, t the tail, f the first byte, s a sync.
 */
static char asked[64];

static int note_write(void *address, const void *bytes, size_t len)
{
	bool breakpoint = len == 1 && *(const uint8_t *)bytes == 0xcc;

	strcat(asked, len > 1 ? "t" : breakpoint ? "b" : "f");
	return uni_hosted_text.write(address, bytes, len);
}

static void note_sync(void)
{
	strcat(asked, "s");
}

Test(points, syncs_every_cpu_between_the_steps)
{
	static const struct uni_text_ops noting = {.write = note_write, .sync = note_sync};

	cr_assert_eq(uni_points_init(&points, &noting), 0);
	/* Two sites: each step at both, then a sync; at last the first byte again. */
	switch_to(bit_of(&uni_trace_meta_test_text));
	cr_assert_str_eq(asked, "bbsttsffsff");
	asked[0] = '\0';
	switch_to(0);
	cr_assert_str_eq(asked, "bbsttsffsff");
}

static volatile bool stop;
static uint64_t trapped;

static void on_trap(int number, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	uintptr_t resume;

	(void)number;
	(void)info;
	if (!uni_points_trap(&points, (uintptr_t)registers[REG_RIP], &resume))
		abort();
	registers[REG_RIP] = (greg_t)resume;
	__atomic_add_fetch(&trapped, 1, __ATOMIC_RELAXED);
}

static void *run_through(void *argument)
{
	init_cpu(argument);
	while (!stop) {
		first_caller();
		second_caller();
	}
	return NULL;
}

Test(points, switches_under_threads_that_run_through_the_sites)
{
	static struct cpu cpus[2];
	struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
	pthread_t threads[2];
	uint64_t before[2];

	cr_assert_eq(uni_points_init(&points, &uni_hosted_text), 0);
	cr_assert_eq(sigaction(SIGTRAP, &action, NULL), 0);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, run_through, &cpus[i]), 0);
	for (int round = 0; round < 300; round++)
		switch_to(round % 2 ? 0 : 7);
	/* All on: what was off in between is on for both. */
	switch_to(7);
	for (int i = 0; i < 2; i++)
		before[i] = recorded(&cpus[i]);
	for (int i = 0; i < 2; i++) {
		while (recorded(&cpus[i]) < before[i] + 1000)
			;
	}
	switch_to(0);
	stop = true;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	cr_log_info("%lu times into a breakpoint", trapped);
}
