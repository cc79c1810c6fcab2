/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/byte_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CAPACITY_FIRST 4096

void uni_byte_queue_init(struct uni_byte_queue *queue, size_t limit)
{
	*queue = (struct uni_byte_queue){.limit = limit};
}

void uni_byte_queue_fini(struct uni_byte_queue *queue)
{
	free(queue->data);
	*queue = (struct uni_byte_queue){.limit = queue->limit};
}

void uni_byte_queue_clear(struct uni_byte_queue *queue)
{
	queue->start = queue->end = 0;
}

/* Room for len bytes behind `end`: moves what waits to the front first, then grows. */
static bool make_room(struct uni_byte_queue *queue, size_t len)
{
	size_t waiting = uni_byte_queue_len(queue);
	size_t capacity = queue->capacity ? queue->capacity : CAPACITY_FIRST;
	uint8_t *data;

	if (queue->capacity - queue->end >= len)
		return true;
	if (queue->start > 0) {
		memmove(queue->data, queue->data + queue->start, waiting);
		queue->start = 0;
		queue->end = waiting;
	}
	if (queue->capacity - queue->end >= len)
		return true;
	while (capacity < waiting + len)
		capacity *= 2;
	data = realloc(queue->data, capacity);
	if (!data)
		return false;
	queue->data = data;
	queue->capacity = capacity;
	return true;
}

bool uni_byte_queue_put(struct uni_byte_queue *queue, const void *data, size_t len)
{
	if (len == 0)
		return true;
	if (len > uni_byte_queue_free(queue) || !make_room(queue, len))
		return false;
	memcpy(queue->data + queue->end, data, len);
	queue->end += len;
	return true;
}

/* send(2) for sockets, which must not raise SIGPIPE; write(2) for the rest. */
static ssize_t write_some(int fd, const void *data, size_t len)
{
	ssize_t written = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	return written < 0 && errno == ENOTSOCK ? write(fd, data, len) : written;
}

int uni_byte_queue_flush(struct uni_byte_queue *queue, int fd)
{
	while (uni_byte_queue_len(queue) > 0) {
		ssize_t written =
			write_some(fd, queue->data + queue->start, uni_byte_queue_len(queue));

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return errno == EAGAIN ? 0 : -errno;
		queue->start += (size_t)written;
	}
	uni_byte_queue_clear(queue);
	return 0;
}
