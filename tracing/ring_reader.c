/* SPDX-License-Identifier: MIT */

#include "tracing/errno.h"
#include "tracing/ring.h"

/* The word, or the last word of the session that ended. Acquire: everything that the CPU wrote
 * before it changed the word is seen by the loads that follow. */
static uint64_t load_word(const struct uni_ring *ring)
{
	uint64_t word = __atomic_load_n(&ring->word, __ATOMIC_ACQUIRE);

	return word == UNI_RING_STOPPED ? ring->last_word : word;
}

static const struct uni_trace_packet *packet_at(const struct uni_ring *ring, uint64_t sequence)
{
	return (const void *)(ring->data + ((sequence & ring->slot_mask) << ring->size_bits));
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void uni_ring_bounds(const struct uni_ring *ring, uint64_t *first, uint64_t *end)
{
	uint64_t word = load_word(ring);
	uint64_t open = word >> ring->sequence_shift;
	uint64_t after = word & ring->size ? open + 1 : open; /* closed: the last counts too */
	uint64_t count = ring->slot_mask + 1ull;

	/* Sequence 0 is no packet; numbers are one less than sequences. */
	*end = after > 0 ? after - 1 : 0;
	if (ring->mode == UNI_RING_STREAM)
		*first = min_u64(__atomic_load_n(&ring->consumed, __ATOMIC_RELAXED) - 1, *end);
	else
		*first = open + 1 > count ? min_u64(open - count, *end) : 0;
}

/* Whether the packet is complete in its sub-buffer: 0, -UNI_EAGAIN, -UNI_ENOENT. */
static int check_complete(const struct uni_ring *ring, uint64_t sequence)
{
	uint64_t full = ((sequence >> ring->slot_bits) + 1) << ring->size_bits;
	/* Acquire pairs with the adds that commit: their events and header are seen. */
	uint64_t committed = __atomic_load_n(&ring->slots[sequence & ring->slot_mask].committed,
					     __ATOMIC_ACQUIRE);

	if (committed < full)
		return -UNI_EAGAIN;
	return committed > full ? -UNI_ENOENT : 0;
}

int uni_ring_peek(const struct uni_ring *ring, uint64_t number,
		  const struct uni_trace_packet **packet)
{
	uint64_t sequence = number + 1;
	int result;

	if (ring->mode == UNI_RING_STREAM &&
	    sequence < __atomic_load_n(&ring->consumed, __ATOMIC_RELAXED))
		return -UNI_ENOENT;
	result = check_complete(ring, sequence);
	if (result == 0)
		*packet = packet_at(ring, sequence);
	return result;
}

void uni_ring_release(struct uni_ring *ring, uint64_t number)
{
	/* Release: the reader's loads from the sub-buffer come before the CPU's next stores. */
	__atomic_store_n(&ring->consumed, number + 2, __ATOMIC_RELEASE);
}

long uni_ring_snapshot(const struct uni_ring *ring, uint64_t number, void *buffer, size_t size)
{
	uint64_t sequence = number + 1;
	uint64_t bytes;
	int result = check_complete(ring, sequence);

	if (result != 0)
		return result;
	/* May be half overwritten already, so it is bounded before it is used as a length. */
	bytes = __atomic_load_n(&packet_at(ring, sequence)->packet_size, __ATOMIC_RELAXED) / 8;
	bytes = min_u64(bytes, 1ull << ring->size_bits);
	if (bytes > size)
		return -UNI_ENOMEM;
	__builtin_memcpy(buffer, packet_at(ring, sequence), bytes);
	/* The loads of the copy come before the load of the word. If the sub-buffer was opened
	 * again while they ran, the word said so first. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (load_word(ring) >> ring->sequence_shift > sequence + ring->slot_mask)
		return -UNI_ENOENT;
	return (long)bytes;
}

uint64_t uni_ring_position(const struct uni_ring *ring)
{
	uint64_t word = load_word(ring);

	return ((word >> ring->sequence_shift) << ring->size_bits) + (word & (ring->size - 1));
}

void uni_ring_get_stats(const struct uni_ring *ring, struct uni_ring_stats *stats)
{
	uint64_t word, before, sequence;

	/* Ends: a round is repeated only when the CPU opened or closed a packet meanwhile. */
	do {
		word = load_word(ring);
		sequence = word >> ring->sequence_shift;
		before = __atomic_load_n(&ring->slots[sequence & ring->slot_mask].recorded_before,
					 __ATOMIC_ACQUIRE);
	} while (load_word(ring) >> ring->sequence_shift != sequence);

	uint64_t events = (word & ((1ull << ring->sequence_shift) - 1)) / ring->one_event;

	stats->recorded = before + events;
	stats->discarded = __atomic_load_n(&ring->discarded, __ATOMIC_RELAXED);
	stats->emitted = stats->recorded + stats->discarded;
	stats->overwritten = __atomic_load_n(&ring->overwritten, __ATOMIC_RELAXED);
	stats->packets = word & ring->size ? sequence : sequence > 0 ? sequence - 1 : 0;
}
