/* SPDX-License-Identifier: MIT */

#include "tracing/ring.h"

#include "tracing/errno.h"

#define HEADER_SIZE sizeof(struct uni_trace_packet)

static uint64_t closed_bit(const struct uni_ring *ring)
{
	return ring->size;
}

static uint64_t word_sequence(const struct uni_ring *ring, uint64_t word)
{
	return word >> ring->sequence_shift;
}

static uint64_t word_events(const struct uni_ring *ring, uint64_t word)
{
	return (word & ((1ull << ring->sequence_shift) - 1)) / ring->one_event;
}

static uint64_t word_offset(const struct uni_ring *ring, uint64_t word)
{
	return word & (ring->size - 1);
}

static struct uni_ring_slot *slot_of(const struct uni_ring *ring, uint64_t sequence)
{
	return &ring->slots[sequence & ring->slot_mask];
}

static struct uni_trace_packet *packet_of(const struct uni_ring *ring, uint64_t sequence)
{
	return (void *)(ring->data + ((sequence & ring->slot_mask) << ring->size_bits));
}

static bool power_of_two_within(size_t value, size_t min, size_t max)
{
	return value >= min && value <= max && (value & (value - 1)) == 0;
}

int uni_ring_init(struct uni_ring *ring, const struct uni_ring_config *config)
{
	if (!power_of_two_within(config->subbuffer_size, UNI_TRACE_PACKET_SIZE_MIN,
				 UNI_TRACE_PACKET_SIZE_MAX) ||
	    !power_of_two_within(config->subbuffer_count, UNI_RING_SUBBUFFERS_MIN,
				 UNI_RING_SUBBUFFERS_MAX) ||
	    (uintptr_t)config->data % UNI_RING_DATA_ALIGN != 0)
		return -UNI_EINVAL;

	uint32_t size_bits = (uint32_t)__builtin_ctzl(config->subbuffer_size);

	*ring = (struct uni_ring){
		.word = UNI_RING_STOPPED,
		.size = config->subbuffer_size,
		.one_event = 1ull << (size_bits + 1),
		.sequence_shift = 2 * size_bits - 2,
		.data = config->data,
		.slots = config->slots,
		.slot_mask = (uint32_t)config->subbuffer_count - 1,
		.slot_bits = (uint32_t)__builtin_ctzl(config->subbuffer_count),
		.size_bits = size_bits,
		.cpu = config->cpu,
		.mode = UNI_RING_STREAM,
		.consumed = 1,
	};
	ring->last_word = closed_bit(ring);
	__builtin_memcpy(ring->boot_id, config->boot_id, sizeof(ring->boot_id));
	for (uint32_t i = 0; i <= ring->slot_mask; i++)
		ring->slots[i] = (struct uni_ring_slot){0};
	ring->slots[0].committed = 1ull << size_bits;
	return 0;
}

/* Whether every reservation of the session that ended was committed. */
static bool all_committed(const struct uni_ring *ring)
{
	uint64_t last = word_sequence(ring, ring->last_word);

	for (uint64_t slot = 0; slot <= ring->slot_mask; slot++) {
		uint64_t uses = last < slot ? 0 : ((last - slot) >> ring->slot_bits) + 1;

		if (ring->slots[slot].committed != uses << ring->size_bits)
			return false;
	}
	return true;
}

int uni_ring_start(struct uni_ring *ring, uint32_t mode)
{
	if (mode != UNI_RING_STREAM && mode != UNI_RING_OVERWRITE)
		return -UNI_EINVAL;
	if (ring->word != UNI_RING_STOPPED || !all_committed(ring))
		return -UNI_EBUSY;

	for (uint32_t i = 0; i <= ring->slot_mask; i++)
		ring->slots[i] = (struct uni_ring_slot){0};
	ring->slots[0].committed = 1ull << ring->size_bits;
	ring->mode = mode;
	ring->discarded = 0;
	ring->overwritten = 0;
	ring->last_word = closed_bit(ring);
	__atomic_store_n(&ring->consumed, 1, __ATOMIC_RELAXED);
	/* Release: who reads this word sees the counters of the session that it belongs to. */
	__atomic_store_n(&ring->word, closed_bit(ring), __ATOMIC_RELEASE);
	return 0;
}

/* Closes the packet of `word`, which is open, as of a TSC and a count of discarded events that were
 * read after the word and before this call. Returns false when the word is not that any more. */
static bool close_packet(struct uni_ring *ring, uint64_t word, uint64_t discarded, uint64_t tsc)
{
	if (!uni_local_compare_exchange(&ring->word, word, word | closed_bit(ring)))
		return false;

	uint64_t sequence = word_sequence(ring, word);
	uint64_t content = word_offset(ring, word), padded = uni_ring_aligned(content);
	struct uni_ring_slot *slot = slot_of(ring, sequence);
	struct uni_trace_packet *packet = packet_of(ring, sequence);

	packet->timestamp_end = tsc;
	packet->content_size = content * 8;
	packet->packet_size = padded * 8;
	packet->events_discarded = discarded;
	packet->event_count = (uint32_t)word_events(ring, word);
	packet->events_emitted = slot->recorded_before + packet->event_count + discarded;
	/* Release, as in uni_ring_commit(): the header is there when the count is full. */
	uni_local_add(&slot->committed, ring->size - padded);
	return true;
}

/* Whether the slot of a sequence can be written: its last packet is complete and, in stream mode,
 * was released. */
static bool slot_is_free(const struct uni_ring *ring, uint64_t sequence)
{
	uint64_t full_before = (sequence >> ring->slot_bits) << ring->size_bits;

	/* An outer writer of this CPU may sit in the middle of an event there. */
	if (slot_of(ring, sequence)->committed != full_before)
		return false;
	/* Acquire pairs with the release in uni_ring_release(): the reader's loads from the
	 * sub-buffer are done before this CPU's stores to it. */
	return ring->mode == UNI_RING_OVERWRITE ||
	       sequence <= __atomic_load_n(&ring->consumed, __ATOMIC_ACQUIRE) + ring->slot_mask;
}

static void write_packet_begin(struct uni_ring *ring, uint64_t sequence, uint64_t tsc)
{
	struct uni_trace_packet *packet = packet_of(ring, sequence);

	/* Not the fields of close_packet(): an interrupt may have closed the packet already. */
	packet->magic = UNI_TRACE_MAGIC;
	__builtin_memcpy(packet->uuid, ring->boot_id, sizeof(packet->uuid));
	packet->stream_id = 0;
	packet->version = UNI_TRACE_VERSION;
	__builtin_memset(packet->reserved, 0, sizeof(packet->reserved));
	packet->timestamp_begin = tsc;
	packet->packet_seq_num = sequence - 1;
	packet->cpu_id = ring->cpu;
	packet->padding = 0;
}

/* Opens the packet after that of `word`, which is closed, with a first event in it. Its slot is
 * free. Returns false when the word is not that any more. */
static bool open_packet(struct uni_ring *ring, uint64_t word, uint64_t size, uint32_t id,
			uint64_t tsc, struct uni_ring_entry *entry)
{
	uint64_t sequence = word_sequence(ring, word) + 1;
	struct uni_ring_slot *slot = slot_of(ring, sequence);
	uint64_t recorded = slot_of(ring, sequence - 1)->recorded_before + word_events(ring, word);
	uint64_t recorded_before = slot->recorded_before;
	uint64_t lost = 0;

	if (ring->mode == UNI_RING_OVERWRITE && sequence > ring->slot_mask + 1ull)
		lost = packet_of(ring, sequence)->event_count;
	/* What was read above belongs to this word. A nested writer that opens the packet after
	 * this line writes the same number, and one that has gone round the ring since makes the
	 * first exchange fail too: the number never falls. The fence keeps the compiler from moving
	 * the reads down; interrupts see program order. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&ring->word, __ATOMIC_RELAXED) != word)
		return false;
	(void)uni_local_compare_exchange(&slot->recorded_before, recorded_before, recorded);

	uint64_t start = sequence << ring->sequence_shift;

	if (!uni_local_compare_exchange(&ring->word, word,
					uni_ring_word_after(ring, start, HEADER_SIZE, size)))
		return false;
	/* From here a copy of the old packet is invalid, and its reader can tell by the word, which
	 * was stored before anything below. */
	if (lost)
		uni_local_add(&ring->overwritten, lost);
	write_packet_begin(ring, sequence, tsc);
	uni_local_add(&slot->committed, HEADER_SIZE);
	uni_ring_place(ring, start, HEADER_SIZE, size, id, tsc, entry);
	return true;
}

bool uni_ring_reserve_slow(struct uni_ring *ring, uint64_t size, uint32_t id,
			   struct uni_ring_entry *entry)
{
	for (;;) {
		uint64_t word = __atomic_load_n(&ring->word, __ATOMIC_RELAXED);
		/* Before the exchange in close_packet(), so that a later packet, closed by an
		 * interrupt meanwhile, has the same or more. */
		uint64_t discarded = __atomic_load_n(&ring->discarded, __ATOMIC_RELAXED);
		uint64_t tsc = uni_tsc();

		if (word == UNI_RING_STOPPED)
			return false;
		if (word & closed_bit(ring)) {
			if (!slot_is_free(ring, word_sequence(ring, word) + 1)) {
				uni_local_add(&ring->discarded, 1);
				return false;
			}
			if (open_packet(ring, word, size, id, tsc, entry))
				return true;
			continue;
		}

		uint64_t start = uni_ring_start_offset(ring, word);

		if (start + uni_ring_aligned(size) >= ring->size) {
			(void)close_packet(ring, word, discarded, tsc);
		} else if (uni_local_compare_exchange(
				   &ring->word, word,
				   uni_ring_word_after(ring, word, start, size))) {
			uni_ring_place(ring, word, start, size, id, tsc, entry);
			return true;
		}
	}
}

void uni_ring_flush(struct uni_ring *ring)
{
	for (;;) {
		uint64_t word = __atomic_load_n(&ring->word, __ATOMIC_RELAXED);
		uint64_t discarded = __atomic_load_n(&ring->discarded, __ATOMIC_RELAXED);
		uint64_t tsc = uni_tsc();

		/* The word of a stopped ring has the bit too. */
		if (word & closed_bit(ring) || close_packet(ring, word, discarded, tsc))
			return;
	}
}

void uni_ring_stop(struct uni_ring *ring)
{
	for (;;) {
		uni_ring_flush(ring);

		uint64_t word = __atomic_load_n(&ring->word, __ATOMIC_RELAXED);

		if (word == UNI_RING_STOPPED)
			return;
		if (!(word & closed_bit(ring)))
			continue;
		ring->last_word = word;
		if (uni_local_compare_exchange(&ring->word, word, UNI_RING_STOPPED))
			return;
	}
}
