/* SPDX-License-Identifier: MIT */
#include "kernel/apps/shop/queue.h"

void queue_init(struct queue *queue, const char *name)
{
	mutex_init(&queue->lock, name);
	cond_init(&queue->filled, name);
	cond_init(&queue->drained, name);
	queue->head = 0;
	queue->count = 0;
}

/* With the lock held and room in the queue. */
static void put(struct queue *queue, struct request *request)
{
	queue->slots[(queue->head + queue->count) % QUEUE_SIZE] = request;
	queue->count++;
	cond_signal(&queue->filled);
}

void queue_push(struct queue *queue, struct request *request)
{
	mutex_lock(&queue->lock);
	while (queue->count == QUEUE_SIZE)
		cond_wait(&queue->drained, &queue->lock);
	put(queue, request);
	mutex_unlock(&queue->lock);
}

bool queue_try_push(struct queue *queue, struct request *request)
{
	bool has_room;

	mutex_lock(&queue->lock);
	has_room = queue->count < QUEUE_SIZE;
	if (has_room)
		put(queue, request);
	mutex_unlock(&queue->lock);
	return has_room;
}

struct request *queue_pop(struct queue *queue)
{
	struct request *request;

	mutex_lock(&queue->lock);
	while (!queue->count)
		cond_wait(&queue->filled, &queue->lock);
	request = queue->slots[queue->head];
	queue->head = (queue->head + 1) % QUEUE_SIZE;
	queue->count--;
	cond_signal(&queue->drained);
	mutex_unlock(&queue->lock);
	return request;
}

unsigned queue_length(const struct queue *queue)
{
	return __atomic_load_n(&queue->count, __ATOMIC_RELAXED);
}
