/* SPDX-License-Identifier: MIT */

/* What a tracepoint costs, off and on, beside the floor: reading the clock that each event carries.
 * Hosted and hot: one thread, a ring of 1 MiB, overwrite mode. Best of several rounds. */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tracing/hosted/platform.h"
#include "tracing/points.h"

#define UNI_TRACEPOINT_DEFINE
#include "tests/unit/trace_points_under_test.h"

#define CALLS 2000000
#define ROUNDS 7
#define SIZE 65536
#define COUNT 16

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void nothing(unsigned long i)
{
	__asm__ volatile("" ::"r"(i));
}

static void clock_alone(unsigned long i)
{
	__asm__ volatile("" ::"r"(i + uni_tsc()));
}

static void pair(unsigned long i)
{
	uni_trace_test_pair(i, i + 1);
	__asm__ volatile("" ::"r"(i));
}

static void text(unsigned long i)
{
	uni_trace_test_text((uint32_t)i, "a name of 20 letters");
	__asm__ volatile("" ::"r"(i));
}

#define MEASURE(function)                                         \
	({                                                        \
		double best = 1e18;                               \
		for (int round = 0; round < ROUNDS; round++) {    \
			double start = now_ns(), took;            \
			for (unsigned long i = 0; i < CALLS; i++) \
				function(i);                      \
			took = (now_ns() - start) / CALLS;        \
			best = took < best ? took : best;         \
		}                                                 \
		best;                                             \
	})

static void switch_all(struct uni_points *points, uint8_t bits)
{
	if (uni_points_set(points, &bits, points->event_count) != 0)
		abort();
}

int main(void)
{
	static _Alignas(UNI_RING_DATA_ALIGN) uint8_t data[SIZE * COUNT];
	static struct uni_ring_slot slots[COUNT];
	static struct uni_ring ring;
	static struct uni_points points;
	struct uni_ring_config config = {data, slots, SIZE, COUNT, 0, {0}};
	double loop, off, clock, on, on_text;

	if (uni_ring_init(&ring, &config) != 0 || uni_ring_start(&ring, UNI_RING_OVERWRITE) != 0 ||
	    uni_points_init(&points, &uni_hosted_text) != 0)
		abort();
	uni_hosted_ring = &ring;
	loop = MEASURE(nothing);
	clock = MEASURE(clock_alone) - loop;
	off = MEASURE(pair) - loop;
	switch_all(&points, 0xff);
	on = MEASURE(pair) - loop;
	on_text = MEASURE(text) - loop;
	printf("rdtsc alone             %6.2f ns\n", clock);
	printf("tracepoint off          %6.2f ns\n", off);
	printf("on, two u64 (24 bytes)  %6.2f ns\n", on);
	printf("on, u32 and 20 letters  %6.2f ns\n", on_text);
	return 0;
}
