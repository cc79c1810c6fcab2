/* SPDX-License-Identifier: MIT */
/*
 * Bytes that wait until a non-blocking descriptor takes them, up to a limit. Nothing is dropped
 * here: what does not fit is refused as a whole, and the caller counts it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uni_byte_queue {
	uint8_t *data;
	size_t start, end, capacity;
	size_t limit; /* bytes */
};

void uni_byte_queue_init(struct uni_byte_queue *queue, size_t limit);
void uni_byte_queue_fini(struct uni_byte_queue *queue);

static inline size_t uni_byte_queue_len(const struct uni_byte_queue *queue)
{
	return queue->end - queue->start;
}

static inline size_t uni_byte_queue_free(const struct uni_byte_queue *queue)
{
	return queue->limit - uni_byte_queue_len(queue);
}

/* Appends all of it, or nothing: false when it is full or memory is short. */
bool uni_byte_queue_put(struct uni_byte_queue *queue, const void *data, size_t len);

/* Forgets all. */
void uni_byte_queue_clear(struct uni_byte_queue *queue);

/*
 * Writes what the descriptor takes now. Returns 0 (also when bytes are left) or a negative errno
 * value: the peer is gone.
 */
int uni_byte_queue_flush(struct uni_byte_queue *queue, int fd);
