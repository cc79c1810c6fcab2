/* SPDX-License-Identifier: MIT */

/* An interrupt at each single instruction of a writer: the processor's trap flag stops the outer
 * writer after every instruction, and at a chosen one the handler writes events of its own, up to
 * several times the whole ring. */

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "tracing/ring.h"

#define SIZE 4096
#define COUNT 2
#define HEADER sizeof(struct uni_trace_packet)
#define EVENT_SIZE 1016
#define EVENTS_PER_PACKET 3

#define TRAP_FLAG 0x100

static struct {
	struct uni_ring ring;
	struct uni_ring_slot slots[COUNT];
	_Alignas(UNI_RING_DATA_ALIGN) uint8_t data[COUNT * SIZE];
} box;

static volatile unsigned long step, strike_at;
static volatile unsigned burst, nested_kept;

static bool emit(void)
{
	struct uni_ring_entry entry;

	if (!uni_ring_reserve(&box.ring, EVENT_SIZE, 1, &entry))
		return false;
	entry.fields[0] = 0xaa;
	uni_ring_commit(&entry);
	return true;
}

static void on_trap(int number, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;

	(void)number;
	(void)info;
	if (step++ == strike_at) {
		for (unsigned i = 0; i < burst; i++)
			nested_kept += emit();
		/* The rest of the writer at full speed. */
		interrupted->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
	}
}

static bool emit_stepped(void)
{
	bool kept;

	/* Below the red zone, as these push. */
	__asm__ volatile("lea -128(%%rsp), %%rsp\n pushfq\n orq $0x100, (%%rsp)\n popfq\n"
			 "lea 128(%%rsp), %%rsp" ::
				 : "memory", "cc");
	kept = emit();
	__asm__ volatile("lea -128(%%rsp), %%rsp\n pushfq\n andq $~0x100, (%%rsp)\n popfq\n"
			 "lea 128(%%rsp), %%rsp" ::
				 : "memory", "cc");
	return kept;
}

static unsigned check_packets(uint64_t *last_discarded, uint64_t *last_tsc)
{
	uint64_t first, end;
	unsigned events = 0;

	uni_ring_bounds(&box.ring, &first, &end);
	for (uint64_t number = first; number < end; number++) {
		const struct uni_trace_packet *packet;

		cr_assert_eq(uni_ring_peek(&box.ring, number, &packet), 0, "strike %lu", strike_at);
		cr_assert_eq(packet->packet_seq_num, number);
		cr_assert_eq(packet->content_size / 8, HEADER + packet->event_count * EVENT_SIZE);
		cr_assert_geq(packet->events_discarded, *last_discarded);
		cr_assert_geq(packet->timestamp_begin, *last_tsc);
		*last_tsc = packet->timestamp_begin;
		for (unsigned i = 0; i < packet->event_count; i++) {
			uint64_t header;

			memcpy(&header, (const uint8_t *)packet + HEADER + i * EVENT_SIZE, 8);
			cr_assert_geq(header >> 12, *last_tsc, "strike %lu", strike_at);
			*last_tsc = header >> 12;
		}
		cr_assert_geq(packet->timestamp_end, *last_tsc);
		*last_tsc = packet->timestamp_end;
		*last_discarded = packet->events_discarded;
		events += packet->event_count;
	}
	return events;
}

/* The outer writer finds `before` events in the ring, and is struck after each of its instructions
 * in turn. Returns how many instructions it had. */
static unsigned long strike_everywhere(uint32_t mode, unsigned before, unsigned nested)
{
	struct uni_ring_config config = {box.data, box.slots, SIZE, COUNT, 0, {0}};
	struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};

	cr_assert_eq(sigaction(SIGTRAP, &action, NULL), 0);
	burst = nested;
	for (strike_at = 0;; strike_at++) {
		struct uni_ring_stats stats;
		uint64_t last_discarded = 0, last_tsc = 0;
		unsigned outer_kept, events;

		cr_assert_eq(uni_ring_init(&box.ring, &config), 0);
		cr_assert_eq(uni_ring_start(&box.ring, mode), 0);
		for (unsigned i = 0; i < before; i++)
			cr_assert(emit());
		step = 0;
		nested_kept = 0;
		outer_kept = emit_stepped();
		uni_ring_stop(&box.ring);
		uni_ring_get_stats(&box.ring, &stats);
		cr_assert_eq(stats.recorded, before + outer_kept + nested_kept, "strike %lu",
			     strike_at);
		if (step <= strike_at)
			return step;
		cr_assert_eq(stats.emitted, before + 1 + nested, "strike %lu", strike_at);
		events = check_packets(&last_discarded, &last_tsc);
		cr_assert_eq(events + stats.overwritten, stats.recorded, "strike %lu", strike_at);
		cr_assert_eq(uni_ring_start(&box.ring, mode), 0, "all is committed");
	}
}

Test(ring_interrupts, at_each_instruction_of_the_fast_path)
{
	cr_assert_gt(strike_everywhere(UNI_RING_STREAM, 1, 1), 20);
	cr_assert_gt(strike_everywhere(UNI_RING_STREAM, 1, 10), 20);
	cr_assert_gt(strike_everywhere(UNI_RING_OVERWRITE, 1, 10), 20);
}

Test(ring_interrupts, at_each_instruction_of_opening_the_first_packet)
{
	cr_assert_gt(strike_everywhere(UNI_RING_STREAM, 0, 1), 40);
	cr_assert_gt(strike_everywhere(UNI_RING_STREAM, 0, 10), 40);
	cr_assert_gt(strike_everywhere(UNI_RING_OVERWRITE, 0, 10), 40);
}

Test(ring_interrupts, at_each_instruction_of_changing_sub_buffers)
{
	for (unsigned nested = 1; nested <= 4; nested++) {
		strike_everywhere(UNI_RING_STREAM, EVENTS_PER_PACKET, nested);
		strike_everywhere(UNI_RING_OVERWRITE, EVENTS_PER_PACKET, nested);
		strike_everywhere(UNI_RING_OVERWRITE, 2 * EVENTS_PER_PACKET, nested);
	}
	strike_everywhere(UNI_RING_OVERWRITE, EVENTS_PER_PACKET, 20);
	strike_everywhere(UNI_RING_OVERWRITE, 2 * EVENTS_PER_PACKET, 20);
}

Test(ring_interrupts, at_each_instruction_of_discarding)
{
	cr_assert_gt(strike_everywhere(UNI_RING_STREAM, 2 * EVENTS_PER_PACKET, 1), 20);
	cr_assert_gt(strike_everywhere(UNI_RING_STREAM, 2 * EVENTS_PER_PACKET, 10), 20);
}
