/* SPDX-License-Identifier: MIT */

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tracing/errno.h"
#include "tracing/ring.h"

#define SIZE 4096
#define COUNT 4
#define HEADER sizeof(struct uni_trace_packet)

/* An event of these tests: who wrote it and its number among that writer's. */
#define EVENT_SIZE 24
#define EVENTS_PER_PACKET ((SIZE - HEADER - 8) / EVENT_SIZE)

struct box {
	struct uni_ring ring;
	struct uni_ring_slot slots[COUNT];
	_Alignas(UNI_RING_DATA_ALIGN) uint8_t data[COUNT * SIZE];
};

static void box_init(struct box *box, uint32_t mode)
{
	const struct uni_ring_config config = {
		.data = box->data,
		.slots = box->slots,
		.subbuffer_size = SIZE,
		.subbuffer_count = COUNT,
		.cpu = 3,
	};

	cr_assert_eq(uni_ring_init(&box->ring, &config), 0);
	cr_assert_eq(uni_ring_start(&box->ring, mode), 0);
}

static bool emit(struct uni_ring *ring, uint64_t writer, uint64_t number)
{
	struct uni_ring_entry entry;

	if (!uni_ring_reserve(ring, EVENT_SIZE, 7, &entry))
		return false;
	memcpy(entry.fields, &writer, 8);
	memcpy(entry.fields + 8, &number, 8);
	uni_ring_commit(&entry);
	return true;
}

/* What a reader knows of one ring. */
struct reader {
	uint64_t packets, events;
	uint64_t last_tsc, last_discarded, last_emitted;
	uint64_t next_number[8]; /* by writer: larger than all seen */
	uint64_t seen[8];	 /* by writer */
};

/* Checks everything that must hold in a packet and after the one before. */
static void read_packet(struct reader *reader, const struct uni_trace_packet *packet)
{
	const uint8_t *at = (const uint8_t *)packet + HEADER;
	const uint8_t *end = (const uint8_t *)packet + packet->content_size / 8;

	cr_assert_eq(packet->magic, UNI_TRACE_MAGIC);
	cr_assert_eq(packet->cpu_id, 3);
	cr_assert_eq(packet->packet_size, (packet->content_size + 63) / 64 * 64);
	cr_assert_geq(packet->timestamp_begin, reader->last_tsc);
	cr_assert_geq(packet->events_discarded, reader->last_discarded);
	cr_assert_eq((size_t)(end - at), (size_t)packet->event_count * EVENT_SIZE);
	reader->last_tsc = packet->timestamp_begin;
	for (; at < end; at += EVENT_SIZE) {
		uint64_t header, writer, number;

		memcpy(&header, at, 8);
		memcpy(&writer, at + 8, 8);
		memcpy(&number, at + 16, 8);
		cr_assert_eq(header & 0xfff, 7);
		cr_assert_geq(header >> 12, reader->last_tsc & ((1ull << 52) - 1));
		cr_assert_lt(writer, 8);
		cr_assert_geq(number, reader->next_number[writer]);
		reader->next_number[writer] = number + 1;
		reader->seen[writer]++;
		reader->last_tsc = header >> 12;
	}
	cr_assert_geq(packet->timestamp_end, reader->last_tsc);
	reader->events += packet->event_count;
	reader->packets++;
	reader->last_tsc = packet->timestamp_end;
	reader->last_discarded = packet->events_discarded;
	reader->last_emitted = packet->events_emitted;
}

/* Stream mode: reads and releases what is complete. */
static void drain(struct reader *reader, struct uni_ring *ring)
{
	const struct uni_trace_packet *packet;

	while (uni_ring_peek(ring, reader->packets, &packet) == 0) {
		cr_assert_eq(packet->packet_seq_num, reader->packets);
		read_packet(reader, packet);
		cr_assert_eq(packet->events_emitted, reader->events + packet->events_discarded);
		uni_ring_release(ring, packet->packet_seq_num);
	}
}

Test(ring, refuses_sizes_out_of_range)
{
	static struct box box;
	struct uni_ring_config config = {box.data, box.slots, SIZE, COUNT, 0, {0}};

	config.subbuffer_size = SIZE / 2;
	cr_assert_eq(uni_ring_init(&box.ring, &config), -UNI_EINVAL);
	config.subbuffer_size = SIZE + 8;
	cr_assert_eq(uni_ring_init(&box.ring, &config), -UNI_EINVAL);
	config.subbuffer_size = SIZE;
	config.subbuffer_count = 1;
	cr_assert_eq(uni_ring_init(&box.ring, &config), -UNI_EINVAL);
	config.subbuffer_count = COUNT;
	config.data = box.data + 8;
	cr_assert_eq(uni_ring_init(&box.ring, &config), -UNI_EINVAL);
}

Test(ring, records_and_counts_nothing_without_a_session)
{
	static struct box box;
	struct uni_ring_stats stats;

	box_init(&box, UNI_RING_STREAM);
	uni_ring_stop(&box.ring);
	cr_assert_not(emit(&box.ring, 0, 0));
	uni_ring_get_stats(&box.ring, &stats);
	cr_assert_eq(stats.emitted, 0);
	cr_assert_eq(stats.packets, 0);
}

Test(ring, keeps_an_open_packet_from_the_reader_until_it_is_flushed)
{
	static struct box box;
	struct reader reader = {0};
	const struct uni_trace_packet *packet;

	box_init(&box, UNI_RING_STREAM);
	cr_assert(emit(&box.ring, 0, 0));
	cr_assert_eq(uni_ring_peek(&box.ring, 0, &packet), -UNI_EAGAIN);
	uni_ring_flush(&box.ring);
	drain(&reader, &box.ring);
	cr_assert_eq(reader.packets, 1);
	cr_assert_eq(reader.events, 1);
	uni_ring_flush(&box.ring);
	cr_assert_eq(uni_ring_peek(&box.ring, 1, &packet), -UNI_EAGAIN, "no empty packets");
}

Test(ring, drops_and_counts_when_full)
{
	static struct box box;
	struct reader reader = {0};
	struct uni_ring_stats stats;
	uint64_t room = COUNT * EVENTS_PER_PACKET;

	box_init(&box, UNI_RING_STREAM);
	for (uint64_t i = 0; i < room; i++)
		cr_assert(emit(&box.ring, 0, i), "event %lu", i);
	for (uint64_t i = 0; i < 100; i++)
		cr_assert_not(emit(&box.ring, 0, room + i));
	uni_ring_get_stats(&box.ring, &stats);
	cr_assert_eq(stats.recorded, room);
	cr_assert_eq(stats.discarded, 100);
	cr_assert_eq(stats.emitted, room + 100);

	drain(&reader, &box.ring);
	cr_assert_eq(reader.events, room);
	cr_assert(emit(&box.ring, 0, room + 100), "there is room again");
	uni_ring_stop(&box.ring);
	drain(&reader, &box.ring);
	cr_assert_eq(reader.events, room + 1);
	cr_assert_eq(reader.last_discarded, 100);
	cr_assert_eq(reader.last_emitted, room + 101);
}

Test(ring, starts_a_session_from_zero)
{
	static struct box box;
	struct reader reader = {0};

	box_init(&box, UNI_RING_STREAM);
	for (uint64_t i = 0; i < 10 * COUNT * EVENTS_PER_PACKET; i++)
		emit(&box.ring, 0, i);
	cr_assert_eq(uni_ring_start(&box.ring, UNI_RING_STREAM), -UNI_EBUSY);
	uni_ring_stop(&box.ring);
	cr_assert_eq(uni_ring_start(&box.ring, UNI_RING_STREAM), 0);
	cr_assert(emit(&box.ring, 0, 0));
	uni_ring_stop(&box.ring);
	drain(&reader, &box.ring);
	cr_assert_eq(reader.packets, 1);
	cr_assert_eq(reader.last_emitted, 1);
}

Test(ring, does_not_start_over_an_event_that_is_not_committed)
{
	static struct box box;
	struct uni_ring_entry entry;

	box_init(&box, UNI_RING_STREAM);
	cr_assert(uni_ring_reserve(&box.ring, EVENT_SIZE, 7, &entry));
	uni_ring_stop(&box.ring);
	cr_assert_eq(uni_ring_start(&box.ring, UNI_RING_STREAM), -UNI_EBUSY);
	uni_ring_commit(&entry);
	cr_assert_eq(uni_ring_start(&box.ring, UNI_RING_STREAM), 0);
}

Test(ring, holds_a_packet_back_until_its_last_commit)
{
	static struct box box;
	struct reader reader = {0};
	struct uni_ring_entry outer;
	uint64_t number = 0, writer = 1;

	box_init(&box, UNI_RING_STREAM);
	cr_assert(uni_ring_reserve(&box.ring, EVENT_SIZE, 7, &outer));
	memcpy(outer.fields, &writer, 8);
	memcpy(outer.fields + 8, &number, 8);
	/* Interrupts fill the whole ring meanwhile. */
	while (emit(&box.ring, 0, number))
		number++;
	drain(&reader, &box.ring);
	cr_assert_eq(reader.packets, 0);
	uni_ring_commit(&outer);
	drain(&reader, &box.ring);
	cr_assert_eq(reader.packets, COUNT);
	cr_assert_eq(reader.events, number + 1);
}

Test(ring, overwrites_the_oldest_and_counts_it)
{
	static struct box box;
	static uint64_t copy[SIZE / 8];
	struct reader reader = {0};
	struct uni_ring_stats stats;
	uint64_t first, end, total = 100 * EVENTS_PER_PACKET + 5;

	box_init(&box, UNI_RING_OVERWRITE);
	for (uint64_t i = 0; i < total; i++)
		cr_assert(emit(&box.ring, 0, i));
	uni_ring_flush(&box.ring);
	uni_ring_bounds(&box.ring, &first, &end);
	cr_assert_eq(end, 101);
	cr_assert_eq(first, 101 - COUNT);
	cr_assert_eq(uni_ring_snapshot(&box.ring, first - 1, copy, sizeof(copy)), -UNI_ENOENT);
	cr_assert_eq(uni_ring_snapshot(&box.ring, end, copy, sizeof(copy)), -UNI_EAGAIN);
	cr_assert_eq(uni_ring_snapshot(&box.ring, first, copy, 100), -UNI_ENOMEM);
	for (uint64_t number = first; number < end; number++) {
		cr_assert_gt(uni_ring_snapshot(&box.ring, number, copy, sizeof(copy)), 0);
		read_packet(&reader, (const void *)copy);
	}
	uni_ring_get_stats(&box.ring, &stats);
	cr_assert_eq(stats.emitted, total);
	cr_assert_eq(stats.discarded, 0);
	cr_assert_eq(reader.events + stats.overwritten, total);
	cr_assert_eq(reader.next_number[0], total, "the newest event is there");
	cr_assert_eq(reader.last_emitted, total);
}

Test(ring, never_overwrites_an_event_that_is_not_committed)
{
	static struct box box;
	struct uni_ring_entry outer;
	struct uni_ring_stats stats;
	uint64_t kept = 0;

	box_init(&box, UNI_RING_OVERWRITE);
	cr_assert(uni_ring_reserve(&box.ring, EVENT_SIZE, 7, &outer));
	for (int i = 0; i < 1000; i++)
		kept += emit(&box.ring, 0, 0);
	uni_ring_get_stats(&box.ring, &stats);
	cr_assert_eq(stats.recorded, kept + 1);
	cr_assert_eq(stats.discarded, 1000 - kept);
	cr_assert_eq(stats.overwritten, 0);
	uni_ring_commit(&outer);
	cr_assert(emit(&box.ring, 0, 0));
	uni_ring_get_stats(&box.ring, &stats);
	cr_assert_gt(stats.overwritten, 0);
}

/* A timer's signals as interrupts that strike anywhere, and within them a second timer's as NMIs:
 * each writes events of its own. */

static struct uni_ring *interrupted_ring;
static volatile uint64_t attempts[3], kept[3];

static void interrupt(int number)
{
	uint64_t writer = number == SIGUSR1 ? 1 : 2;

	for (int i = 0; i < 3; i++)
		kept[writer] += emit(interrupted_ring, writer, attempts[writer]++);
}

static timer_t start_interrupts(int number, long interval_ns)
{
	struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = number};
	struct itimerspec interval = {{0, interval_ns}, {0, interval_ns}};
	timer_t timer;

	sigemptyset(&action.sa_mask);
	cr_assert_eq(sigaction(number, &action, NULL), 0);
	cr_assert_eq(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	cr_assert_eq(timer_settime(timer, 0, &interval, NULL), 0);
	return timer;
}

Test(ring, nested_writers_lose_nothing_uncounted)
{
	static struct box box;
	struct reader reader = {0};
	struct uni_ring_stats stats;

	box_init(&box, UNI_RING_STREAM);
	interrupted_ring = &box.ring;

	timer_t first = start_interrupts(SIGUSR1, 70000),
		second = start_interrupts(SIGUSR2, 110000);

	while (attempts[1] < 3000 || attempts[2] < 3000) {
		for (int i = 0; i < 1500; i++)
			kept[0] += emit(&box.ring, 0, attempts[0]++);
		drain(&reader, &box.ring);
	}
	timer_delete(first);
	timer_delete(second);
	uni_ring_stop(&box.ring);
	drain(&reader, &box.ring);
	uni_ring_get_stats(&box.ring, &stats);
	for (int writer = 0; writer < 3; writer++)
		cr_assert_eq(reader.seen[writer], kept[writer]);
	cr_assert_eq(stats.recorded, reader.events);
	cr_assert_eq(stats.emitted, attempts[0] + attempts[1] + attempts[2]);
}

/* Threads as CPUs, each with its ring; one reader for all. */

#define CPUS 4
#define EVENTS_PER_CPU 200000

static struct box cpu_boxes[CPUS];
static uint64_t cpu_kept[CPUS];

static void *cpu_main(void *argument)
{
	size_t cpu = (size_t)argument;

	for (uint64_t i = 0; i < EVENTS_PER_CPU; i++)
		cpu_kept[cpu] += emit(&cpu_boxes[cpu].ring, cpu, i);
	uni_ring_stop(&cpu_boxes[cpu].ring);
	return NULL;
}

Test(ring, reader_on_another_cpu_gets_every_packet)
{
	struct reader readers[CPUS] = {0};
	pthread_t threads[CPUS];

	for (size_t cpu = 0; cpu < CPUS; cpu++)
		box_init(&cpu_boxes[cpu], UNI_RING_STREAM);
	for (size_t cpu = 0; cpu < CPUS; cpu++)
		cr_assert_eq(pthread_create(&threads[cpu], NULL, cpu_main, (void *)cpu), 0);
	for (size_t cpu = 0; cpu < CPUS; cpu++) {
		while (__atomic_load_n(&cpu_boxes[cpu].ring.word, __ATOMIC_ACQUIRE) !=
		       UNI_RING_STOPPED) {
			for (size_t i = 0; i < CPUS; i++)
				drain(&readers[i], &cpu_boxes[i].ring);
		}
		pthread_join(threads[cpu], NULL);
	}
	for (size_t cpu = 0; cpu < CPUS; cpu++) {
		struct uni_ring_stats stats;

		drain(&readers[cpu], &cpu_boxes[cpu].ring);
		uni_ring_get_stats(&cpu_boxes[cpu].ring, &stats);
		cr_assert_eq(readers[cpu].events, cpu_kept[cpu]);
		cr_assert_eq(stats.emitted, EVENTS_PER_CPU);
		cr_assert_eq(stats.recorded, cpu_kept[cpu]);
	}
}

static bool enough;

static void *write_until_enough(void *argument)
{
	for (uint64_t i = 0; !__atomic_load_n(&enough, __ATOMIC_RELAXED); i++)
		(void)emit(argument, 0, i);
	return NULL;
}

/* A snapshot taken under a running writer is whole or refused. */
Test(ring, snapshots_are_never_torn)
{
	static uint64_t copy[SIZE / 8];
	struct box *box = &cpu_boxes[0];
	pthread_t thread;
	uint64_t taken = 0;

	box_init(box, UNI_RING_OVERWRITE);
	cr_assert_eq(pthread_create(&thread, NULL, write_until_enough, &box->ring), 0);
	while (taken < 2000) {
		uint64_t first, end;

		uni_ring_bounds(&box->ring, &first, &end);
		for (uint64_t number = first; number < end; number++) {
			struct reader reader = {0};
			long bytes = uni_ring_snapshot(&box->ring, number, copy, sizeof(copy));

			if (bytes < 0)
				continue;
			read_packet(&reader, (const void *)copy);
			cr_assert_eq(((struct uni_trace_packet *)copy)->packet_seq_num, number);
			taken++;
		}
	}
	__atomic_store_n(&enough, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}
