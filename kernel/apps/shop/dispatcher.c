/* SPDX-License-Identifier: MIT */
/* Spreads requests over the workers, each to the one with the least to do. */
#include "kernel/apps/shop/worker.h"
#include "kernel/thread.h"

static struct queue intake;
static unsigned worker_count;

static unsigned least_busy(unsigned first)
{
	unsigned best = first;

	for (unsigned i = 1; i < worker_count; i++) {
		unsigned other = (first + i) % worker_count;

		if (worker_backlog(other) < worker_backlog(best))
			best = other;
	}
	return best;
}

static int dispatcher(void *argument)
{
	(void)argument;
	for (unsigned turn = 0;; turn++)
		worker_assign(least_busy(turn % worker_count), queue_pop(&intake));
	return 0;
}

void workers_start(unsigned count)
{
	worker_count = count;
	queue_init(&intake, "intake");
	for (unsigned i = 0; i < count; i++)
		worker_start(i);
	thread_spawn("dispatcher", dispatcher, NULL);
}

void shop_submit(struct request *request)
{
	queue_push(&intake, request);
}

bool shop_try_submit(struct request *request)
{
	return queue_try_push(&intake, request);
}

uint64_t shop_queue_depth(void)
{
	uint64_t depth = queue_length(&intake);

	for (unsigned i = 0; i < worker_count; i++)
		depth += worker_backlog(i);
	return depth;
}
