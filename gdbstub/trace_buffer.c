/* SPDX-License-Identifier: MIT */

/* The buffer of trace frames. CPUs that collect at the same moment take room by moving the head,
 * which nobody waits for. A part that is to be given up while a CPU still writes to it stays, and
 * the frame that wanted its place is lost and counted.
 *
 * The writing side runs with breakpoints in memory: no memcpy(). */

#include "gdbstub/trace_internal.h"
#include "tracing/errno.h"

/* A part holds some frames at least. */
#define PART_MIN (2 * UNI_GDB_TRACE_FRAME_MAX)

static uint64_t make_head(uint64_t serial, uint32_t used)
{
	return serial << 32 | used;
}

static uint64_t serial_of(uint64_t head)
{
	return head >> 32;
}

static uint32_t used_of(uint64_t head)
{
	return (uint32_t)head;
}

static unsigned part_of(const struct uni_gdb_trace_buffer *buffer, uint64_t serial)
{
	return (uint32_t)serial % buffer->part_count;
}

static uint8_t *part_bytes(const struct uni_gdb_trace_buffer *buffer, unsigned part)
{
	return buffer->bytes + (size_t)part * buffer->part_size;
}

void uni_gdb_trace_buffer_reset(struct uni_gdb_trace_buffer *buffer, bool circular)
{
	buffer->circular = circular;
	buffer->part_count = circular ? UNI_GDB_TRACE_PARTS : 1;
	while (buffer->part_count > 1 && buffer->size / buffer->part_count < PART_MIN)
		buffer->part_count--;
	buffer->part_size = buffer->size / buffer->part_count;
	buffer->head = 0;
	buffer->created = buffer->lost = buffer->cut = buffer->unread = 0;
	for (unsigned i = 0; i < UNI_GDB_TRACE_PARTS; i++)
		buffer->parts[i].used = buffer->parts[i].writers = 0;
}

/* --- writing --- */

static unsigned part_behind(const struct uni_gdb_trace_buffer *buffer, unsigned part)
{
	return part + 1 < buffer->part_count ? part + 1 : 0;
}

static void enter(struct uni_gdb_trace_buffer *buffer, unsigned part)
{
	__atomic_fetch_add(&buffer->parts[part].writers, 1, __ATOMIC_SEQ_CST);
}

static void leave(struct uni_gdb_trace_buffer *buffer, unsigned part)
{
	__atomic_fetch_sub(&buffer->parts[part].writers, 1, __ATOMIC_SEQ_CST);
}

static bool has_writers(struct uni_gdb_trace_buffer *buffer, unsigned part)
{
	return __atomic_load_n(&buffer->parts[part].writers, __ATOMIC_SEQ_CST);
}

static bool move_head(struct uni_gdb_trace_buffer *buffer, uint64_t from, uint64_t to)
{
	return __atomic_compare_exchange_n(&buffer->head, &from, to, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/* The CPU counts as a writer of both parts until it has said where the old one ends. */
static bool open_next(struct uni_gdb_trace_buffer *buffer, uint64_t head, unsigned part,
		      uint32_t len)
{
	unsigned next = part_behind(buffer, part);
	bool moved;

	enter(buffer, part);
	enter(buffer, next);
	moved = move_head(buffer, head, make_head(serial_of(head) + 1, len));
	if (moved)
		buffer->parts[part].used = used_of(head);
	else
		leave(buffer, next);
	leave(buffer, part);
	return moved;
}

static bool stay(struct uni_gdb_trace_buffer *buffer, uint64_t head, unsigned part, uint32_t len)
{
	enter(buffer, part);
	if (move_head(buffer, head, make_head(serial_of(head), used_of(head) + len)))
		return true;
	leave(buffer, part);
	return false;
}

/* The CPU is a writer of room->part then. */
static int reserve(struct uni_gdb_trace_buffer *buffer, uint32_t len,
		   struct uni_gdb_trace_room *room)
{
	for (;;) {
		uint64_t head = __atomic_load_n(&buffer->head, __ATOMIC_SEQ_CST);
		unsigned part = part_of(buffer, serial_of(head));

		if (len <= buffer->part_size - used_of(head)) {
			room->part = part;
			room->bytes = part_bytes(buffer, part) + used_of(head);
			if (stay(buffer, head, part, len))
				return 0;
			continue;
		}
		if (!buffer->circular || len > buffer->part_size)
			return -UNI_ENOSPC;
		room->part = part_behind(buffer, part);
		room->bytes = part_bytes(buffer, room->part);
		if (has_writers(buffer, room->part))
			return -UNI_EAGAIN;
		if (open_next(buffer, head, part, len))
			return 0;
	}
}

int uni_gdb_trace_buffer_reserve(struct uni_gdb_trace_buffer *buffer, uint32_t len,
				 struct uni_gdb_trace_room *room)
{
	int err = reserve(buffer, len, room);

	if (err < 0)
		__atomic_fetch_add(&buffer->lost, 1, __ATOMIC_RELAXED);
	return err;
}

void uni_gdb_trace_buffer_commit(struct uni_gdb_trace_buffer *buffer,
				 const struct uni_gdb_trace_room *room)
{
	__atomic_fetch_add(&buffer->created, 1, __ATOMIC_RELAXED);
	leave(buffer, room->part);
}

/* --- reading --- */

static uint64_t oldest(const struct uni_gdb_trace_buffer *buffer)
{
	uint64_t serial = serial_of(buffer->head);

	return serial < buffer->part_count ? 0 : serial - buffer->part_count + 1;
}

static uint32_t part_used(const struct uni_gdb_trace_buffer *buffer, uint64_t serial)
{
	if (serial == serial_of(buffer->head))
		return used_of(buffer->head);
	return buffer->parts[part_of(buffer, serial)].used;
}

uint64_t uni_gdb_trace_buffer_used(const struct uni_gdb_trace_buffer *buffer)
{
	uint64_t used = 0;

	for (uint64_t serial = oldest(buffer); serial <= serial_of(buffer->head); serial++)
		used += part_used(buffer, serial);
	return used;
}

size_t uni_gdb_trace_buffer_read(const struct uni_gdb_trace_buffer *buffer, uint64_t offset,
				 uint8_t *bytes, size_t len)
{
	size_t got = 0;

	for (uint64_t serial = oldest(buffer); serial <= serial_of(buffer->head); serial++) {
		uint32_t used = part_used(buffer, serial);
		const uint8_t *from = part_bytes(buffer, part_of(buffer, serial));

		for (; offset < used && got < len; offset++)
			bytes[got++] = from[offset];
		offset -= used;
		if (got == len)
			break;
	}
	return got;
}

/* Looks for a frame at frame->part, frame->at and behind. What lies there is the guest's memory,
 * and may have been written over. */
static bool settle(const struct uni_gdb_trace_buffer *buffer, struct uni_gdb_frame *frame)
{
	for (; frame->part <= serial_of(buffer->head); frame->part++, frame->at = 0) {
		uint32_t used = part_used(buffer, frame->part);
		const uint8_t *head = part_bytes(buffer, part_of(buffer, frame->part)) + frame->at;

		if (used < UNI_GDB_FRAME_HEAD || frame->at > used - UNI_GDB_FRAME_HEAD)
			continue;
		frame->tracepoint = (uint16_t)(head[0] | head[1] << 8);
		frame->len = (uint32_t)head[2] | (uint32_t)head[3] << 8 | (uint32_t)head[4] << 16 |
			     (uint32_t)head[5] << 24;
		frame->blocks = head + UNI_GDB_FRAME_HEAD;
		if (frame->len <= used - UNI_GDB_FRAME_HEAD - frame->at)
			return true;
	}
	return false;
}

bool uni_gdb_frame_first(const struct uni_gdb_trace_buffer *buffer, struct uni_gdb_frame *frame)
{
	struct uni_gdb_frame first = {.is = true, .part = oldest(buffer)};

	if (!settle(buffer, &first))
		return false;
	*frame = first;
	return true;
}

bool uni_gdb_frame_next(const struct uni_gdb_trace_buffer *buffer, struct uni_gdb_frame *frame)
{
	struct uni_gdb_frame next = *frame;

	next.number++;
	next.at += UNI_GDB_FRAME_HEAD + next.len;
	if (!settle(buffer, &next))
		return false;
	*frame = next;
	return true;
}
