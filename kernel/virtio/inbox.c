/* SPDX-License-Identifier: MIT */

#include "kernel/virtio/inbox.h"

#include <string.h>

static uint16_t position_used(uint64_t position)
{
	return (uint16_t)position;
}

static uint32_t position_offset(uint64_t position)
{
	return (uint32_t)(position >> 16);
}

static uint64_t position_load(const struct inbox *inbox)
{
	return __atomic_load_n(&inbox->position, __ATOMIC_ACQUIRE);
}

static void position_store(struct inbox *inbox, uint16_t used, uint32_t offset)
{
	__atomic_store_n(&inbox->position, (uint64_t)offset << 16 | used, __ATOMIC_RELEASE);
}

/* How many buffers came back since `used`; 0 when the device claims more than it was given. */
static uint16_t pending_since(const struct inbox *inbox, uint16_t used)
{
	uint16_t pending = (uint16_t)(virtqueue_used(&inbox->queue) - used);

	return pending <= inbox->count ? pending : 0;
}

/* The bytes of a buffer that came back. An id that was never given out is an empty buffer. */
static const uint8_t *buffer_at(const struct inbox *inbox, uint16_t used, uint32_t *len)
{
	struct virtq_used_elem elem = virtqueue_used_at(&inbox->queue, used);

	if (elem.id >= inbox->count) {
		*len = 0;
		return inbox->buffers;
	}
	*len = elem.len < inbox->buffer_size ? elem.len : inbox->buffer_size;
	return inbox->buffers + (size_t)elem.id * inbox->buffer_size;
}

static void count_nonsense(struct inbox *inbox, uint16_t used)
{
	struct virtq_used_elem elem = virtqueue_used_at(&inbox->queue, used);

	if (elem.id >= inbox->count || elem.len > inbox->buffer_size)
		inbox->errors++;
}

void inbox_init(struct inbox *inbox, void *buffers, uint32_t buffer_size, uint16_t count)
{
	inbox->buffers = buffers;
	inbox->buffer_size = buffer_size;
	inbox->count = count;
	inbox->position = 0;
	for (uint16_t i = 0; i < count; i++) {
		inbox->queue.desc[i] = (struct virtq_desc){
			.address = (uintptr_t)inbox->buffers + (size_t)i * buffer_size,
			.len = buffer_size,
			.flags = VIRTQ_DESC_DEVICE_WRITES,
		};
		virtqueue_publish(&inbox->queue, i);
	}
}

bool inbox_pending(const struct inbox *inbox)
{
	return pending_since(inbox, position_used(position_load(inbox))) != 0;
}

size_t inbox_read(struct inbox *inbox, void *out, size_t len)
{
	uint64_t position = position_load(inbox);
	uint16_t used = position_used(position);
	uint32_t offset = position_offset(position);
	size_t done = 0;

	while (done < len && pending_since(inbox, used) != 0) {
		uint32_t filled;
		const uint8_t *buffer = buffer_at(inbox, used, &filled);
		size_t part = offset < filled ? filled - offset : 0;

		if (part > len - done)
			part = len - done;
		memcpy((uint8_t *)out + done, buffer + offset, part);
		done += part;
		offset += (uint32_t)part;
		if (offset >= filled) {
			count_nonsense(inbox, used);
			inbox->buffers_read++;
			used++;
			offset = 0;
		}
		position_store(inbox, used, offset);
	}
	return done;
}

void inbox_drop(struct inbox *inbox)
{
	uint16_t used = position_used(position_load(inbox));

	if (pending_since(inbox, used) == 0)
		return;
	count_nonsense(inbox, used);
	inbox->buffers_read++;
	position_store(inbox, (uint16_t)(used + 1), 0);
}

bool inbox_refill(struct inbox *inbox)
{
	uint16_t goal = (uint16_t)(position_used(position_load(inbox)) + inbox->count);

	/* Half of them at once: one kick for many buffers, and the device always has some. */
	if ((uint16_t)(goal - virtqueue_published(&inbox->queue)) < (inbox->count + 1) / 2)
		return false;
	while (virtqueue_published(&inbox->queue) != goal) {
		uint16_t back = (uint16_t)(virtqueue_published(&inbox->queue) - inbox->count);
		uint32_t id = virtqueue_used_at(&inbox->queue, back).id;

		/* Any valid id will do in place of one that the device made up. */
		virtqueue_publish(&inbox->queue, (uint16_t)(id < inbox->count ? id : 0));
	}
	return true;
}

size_t inbox_peek(const struct inbox *inbox, size_t offset, void *out, size_t len)
{
	uint64_t position = position_load(inbox);
	uint16_t used = position_used(position);
	uint16_t pending = pending_since(inbox, used);
	size_t skip = position_offset(position) + offset;
	size_t done = 0;

	for (uint16_t i = 0; i < pending && done < len; i++) {
		uint32_t filled;
		const uint8_t *buffer = buffer_at(inbox, (uint16_t)(used + i), &filled);
		size_t part;

		if (skip >= filled) {
			skip -= filled;
			continue;
		}
		part = filled - skip < len - done ? filled - skip : len - done;
		memcpy((uint8_t *)out + done, buffer + skip, part);
		done += part;
		skip = 0;
	}
	/* The copies must be over before the position is looked at again. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return position_load(inbox) == position ? done : 0;
}

bool inbox_peek_message(const struct inbox *inbox, uint16_t at, void *out, size_t len,
			size_t *taken)
{
	uint16_t used = position_used(position_load(inbox));
	const uint8_t *buffer;
	uint32_t filled;

	if (at >= pending_since(inbox, used))
		return false;
	buffer = buffer_at(inbox, (uint16_t)(used + at), &filled);
	*taken = filled < len ? filled : len;
	memcpy(out, buffer, *taken);
	return true;
}
