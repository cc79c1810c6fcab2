/* SPDX-License-Identifier: MIT */
/*
 * The ring of one CPU: sub-buffers, each of which becomes one CTF packet (trace_abi.h).
 *
 * Writers are the code of that CPU: threads that keep to it, its interrupts and its NMIs, nested in
 * any way. They reserve, fill, commit; none ever waits, locks or allocates. A writer's reservation
 * is repeated only when an interrupt's event came in between. What finds no room is dropped and
 * counted. Recorded plus discarded is emitted, exactly and at any moment.
 *
 * One reader, on any CPU, takes packets: in stream mode in place, and gives them back; in overwrite
 * mode by copies that it validates, while the oldest packet makes room for the newest.
 *
 * A session runs from uni_ring_start() to uni_ring_stop(). These and uni_ring_flush() run on the
 * ring's own CPU, pinned or in an interrupt handler: they are writers like any other, so that a
 * writer below them is interrupted at an instruction and never raced. To reach an idle CPU's ring
 * the platform interrupts that CPU.
 *
 * How it works. One word says how far the CPU has written: the sequence number of the open packet,
 * its events, its bytes, and whether it is closed. Only this CPU changes it, by an unlocked
 * compare-and-exchange, so a nested writer makes the outer one try again. The TSC is read between
 * the read of the word and the exchange: the order of timestamps is the order of places. Each
 * sub-buffer counts committed bytes; who closes a packet owns the unused rest and commits it after
 * the header is complete, so a sub-buffer whose count is full can be read, whatever the order in
 * which nested writers ended.
 *
 * Sequence 0 is a packet that never was, closed, committed and consumed: the first event opens
 * sequence 1, which is packet number 0. The sequence has 69 - 2 log2(sub-buffer size) bits, which
 * is 2^49 bytes a session at the least: days of nothing but events.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tracing/arch/x86_64/local.h"
#include "tracing/trace_abi.h"

#define UNI_RING_SUBBUFFERS_MIN 2
#define UNI_RING_SUBBUFFERS_MAX 4096
#define UNI_RING_DATA_ALIGN 64

#define UNI_RING_STREAM 1    /* a packet stays until the reader releases it */
#define UNI_RING_OVERWRITE 2 /* the oldest packet makes room */

/* The word of a ring without a session. Its offset is past every end. */
#define UNI_RING_STOPPED UINT64_MAX

struct uni_ring_slot {
	uint64_t committed;	  /* bytes, over all uses of the sub-buffer */
	uint64_t recorded_before; /* events of the session before its current packet */
};

/* Private to ring.h and ring.c; read by tests and by whoever finds a ring in a dump. */
struct uni_ring {
	/* Bits, from 0: offset of the last event's end, in bytes (size_bits), closed (1), events
	 * (size_bits - 3), sequence (the rest). An event's end need not be aligned: CTF has the
	 * padding before the next event, not after the last. */
	uint64_t word;
	uint64_t size; /* of a sub-buffer, in bytes; also the bit "closed" */
	uint64_t one_event;
	uint8_t *data;
	struct uni_ring_slot *slots;
	uint32_t slot_mask;
	uint32_t sequence_shift;
	uint32_t size_bits; /* log2 of a sub-buffer's bytes */
	uint32_t slot_bits;

	uint32_t cpu;
	uint32_t mode;
	uint64_t last_word; /* of the session that ended */
	uint64_t discarded;
	uint64_t overwritten; /* events, overwrite mode */
	uint8_t boot_id[16];

	/* Written by the reader: the first sequence that it still needs. */
	_Alignas(64) uint64_t consumed;
} __attribute__((aligned(64)));

struct uni_ring_config {
	uint8_t *data;		     /* subbuffer_count * subbuffer_size, UNI_RING_DATA_ALIGN */
	struct uni_ring_slot *slots; /* subbuffer_count of them */
	size_t subbuffer_size;	/* power of two, UNI_TRACE_PACKET_SIZE_MIN .. _MAX (trace_abi.h) */
	size_t subbuffer_count; /* power of two, UNI_RING_SUBBUFFERS_MIN .. _MAX */
	uint32_t cpu;
	uint8_t boot_id[16];
};

/* A reservation, from uni_ring_reserve() to uni_ring_commit(). */
struct uni_ring_entry {
	uint8_t *fields; /* where the event's fields go */
	uint64_t *committed;
	uint64_t size; /* padding included */
};

struct uni_ring_stats {
	uint64_t emitted; /* recorded + discarded */
	uint64_t recorded;
	uint64_t discarded;
	uint64_t overwritten; /* of those recorded */
	uint64_t packets;     /* closed */
};

/* Prepares a ring without a session. The storage is the caller's and stays as long as the ring.
 * Returns 0, or -UNI_EINVAL for sizes or an alignment out of range. */
int uni_ring_init(struct uni_ring *ring, const struct uni_ring_config *config)
	__attribute__((warn_unused_result));

/* --- on the ring's CPU --- */

/* Begins a session with all counters 0. Returns 0; -UNI_EINVAL (mode); -UNI_EBUSY (a session runs,
 * or an event of the last one is not committed yet: try again when its writer went on). */
int uni_ring_start(struct uni_ring *ring, uint32_t mode) __attribute__((warn_unused_result));

/* Closes the open packet, if there is one, so that a reader gets what is in it. */
void uni_ring_flush(struct uni_ring *ring);

/* Flushes and ends the session: nothing is recorded or counted from here on. Packets and counters
 * stay to be read until the next start. */
void uni_ring_stop(struct uni_ring *ring);

/* The rest of uni_ring_reserve(). */
bool uni_ring_reserve_slow(struct uni_ring *ring, uint64_t size, uint32_t id,
			   struct uni_ring_entry *entry);

static inline uint64_t uni_ring_aligned(uint64_t size)
{
	return (size + UNI_TRACE_ALIGN - 1) & ~(uint64_t)(UNI_TRACE_ALIGN - 1);
}

/* Where in its sub-buffer the next event starts; at or behind its end when it is closed. */
static inline uint64_t uni_ring_start_offset(const struct uni_ring *ring, uint64_t word)
{
	return uni_ring_aligned(word & (2 * ring->size - 1));
}

/* The word after an event of `size` bytes was put at `start`. */
static inline uint64_t uni_ring_word_after(const struct uni_ring *ring, uint64_t word,
					   uint64_t start, uint64_t size)
{
	return (word & ~(2 * ring->size - 1)) + start + size + ring->one_event;
}

static inline void uni_ring_place(struct uni_ring *ring, uint64_t word, uint64_t start,
				  uint64_t size, uint32_t id, uint64_t tsc,
				  struct uni_ring_entry *entry)
{
	uint64_t slot = word >> ring->sequence_shift & ring->slot_mask;
	uint8_t *event = ring->data + (slot << ring->size_bits) + start;
	uint64_t header = tsc << UNI_TRACE_ID_BITS | id;

	__builtin_memcpy(event, &header, sizeof(header));
	entry->fields = event + sizeof(header);
	entry->committed = &ring->slots[slot].committed;
	entry->size = uni_ring_aligned(size);
}

/* Reserves an event of `size` bytes (its header included, at most UNI_TRACE_EVENT_SIZE_MAX) and
 * writes its header. Returns false when no session runs, or when there is no room and the event was
 * counted as discarded. */
static inline bool uni_ring_reserve(struct uni_ring *ring, size_t size, uint32_t id,
				    struct uni_ring_entry *entry)
{
	uint64_t word, start, tsc;

	do {
		word = __atomic_load_n(&ring->word, __ATOMIC_RELAXED);
		tsc = uni_tsc();
		start = uni_ring_start_offset(ring, word);
		/* Some of a sub-buffer always stays free, for the closer to commit. */
		if (__builtin_expect(start + uni_ring_aligned(size) >= ring->size, 0))
			return uni_ring_reserve_slow(ring, size, id, entry);
	} while (__builtin_expect(
		!uni_local_compare_exchange(&ring->word, word,
					    uni_ring_word_after(ring, word, start, size)),
		0));
	uni_ring_place(ring, word, start, size, id, tsc, entry);
	return true;
}

/* Hands the filled event over. Each reservation is committed once, on the same CPU. */
static inline void uni_ring_commit(const struct uni_ring_entry *entry)
{
	/* A release: the reader that sees the count full, with acquire, sees the event. */
	uni_local_add(entry->committed, entry->size);
}

/* --- the reader, on any CPU --- */

/* The closed packets that may be there: numbers *first up to but not including *end. */
void uni_ring_bounds(const struct uni_ring *ring, uint64_t *first, uint64_t *end);

/* Stream mode, or overwrite mode after uni_ring_stop(): the packet with this number, in place and
 * of packet_size bits, valid until it is released. Returns 0; -UNI_EAGAIN (not closed, or not all
 * of it committed yet); -UNI_ENOENT (gone). */
int uni_ring_peek(const struct uni_ring *ring, uint64_t number,
		  const struct uni_trace_packet **packet) __attribute__((warn_unused_result));

/* Gives back every packet up to and including this number. */
void uni_ring_release(struct uni_ring *ring, uint64_t number);

/* Copies a packet out from under its writers. Returns its bytes; -UNI_EAGAIN and -UNI_ENOENT as
 * above; -UNI_ENOMEM (size is too small). The buffer's contents are undefined after an error. */
long uni_ring_snapshot(const struct uni_ring *ring, uint64_t number, void *buffer, size_t size);

/* Bytes from the start of sequence 0 to the end of the last event, whole sub-buffers counted whole:
 * modulo the size of the storage it is a place in it. */
uint64_t uni_ring_position(const struct uni_ring *ring);

/* The counters of the session, consistent while no writer runs, else off by what it just does. */
void uni_ring_get_stats(const struct uni_ring *ring, struct uni_ring_stats *stats);
