/* SPDX-License-Identifier: MIT */
#pragma once

/* A bounded queue of requests between threads. */

#include "kernel/apps/shop/shop.h"
#include "kernel/sync.h"

#define QUEUE_SIZE 64

struct queue {
	struct mutex lock;
	struct cond filled;
	struct cond drained;
	struct request *slots[QUEUE_SIZE];
	unsigned head;
	unsigned count;
};

/* The name is kept, not copied. */
void queue_init(struct queue *queue, const char *name);

/* Waits while the queue is full. */
void queue_push(struct queue *queue, struct request *request);

/* Returns false, at once, when the queue is full. */
bool queue_try_push(struct queue *queue, struct request *request);

/* Waits while the queue is empty. */
struct request *queue_pop(struct queue *queue);

/* Of a moment that may be over. */
unsigned queue_length(const struct queue *queue);
