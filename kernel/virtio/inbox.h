/* SPDX-License-Identifier: MIT */
#pragma once

/* The receiving side of a port or of the control queue: buffers that lie with the device, and the
 * bytes in those that came back.
 *
 * All the reader's state is `position`, one word written by one store. What is to be offered to the
 * device again follows from it and from the rings: buffer number n (counted from 0) goes out again
 * as the (n + count)-th published. So a reader stopped at any instruction leaves nothing half done,
 * and whoever takes the queue over for good (port_poll_read() after a panic) just goes on.
 *
 * One reader at a time. inbox_peek() may run at any time besides. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/virtio/virtqueue.h"

struct inbox {
	struct virtqueue queue;
	uint8_t *buffers;
	uint32_t buffer_size;
	uint16_t count;
	uint64_t position; /* used index of the buffer being read, and << 16 the bytes read of it */
	uint64_t buffers_read;
	uint64_t errors; /* nonsense in the used ring */
};

/* Lays `count` (at most the queue's size) buffers of buffer_size bytes from `buffers` on into the
 * queue; no kick. */
void inbox_init(struct inbox *inbox, void *buffers, uint32_t buffer_size, uint16_t count);

/* Whether buffers came back that were not read yet. Any context. */
bool inbox_pending(const struct inbox *inbox);

/* Copies bytes and moves past them, across buffers. Returns how many. */
size_t inbox_read(struct inbox *inbox, void *out, size_t len);

/* Moves past one whole buffer, if there is one: where each buffer is a message, after
 * inbox_peek_message(inbox, 0, ...). */
void inbox_drop(struct inbox *inbox);

/* Gives read buffers back to the device, a good number at once. Returns whether a kick is due. */
bool inbox_refill(struct inbox *inbox);

/* Copies bytes from the offset-th unread one on, and changes nothing. Returns how many; 0 too
 * where a reader moved on meanwhile. Any context. */
size_t inbox_peek(const struct inbox *inbox, size_t offset, void *out, size_t len);

/* The same for messages: copies the unread one number `at`. False past the last one. */
bool inbox_peek_message(const struct inbox *inbox, uint16_t at, void *out, size_t len,
			size_t *taken);
