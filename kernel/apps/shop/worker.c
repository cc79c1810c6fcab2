/* SPDX-License-Identifier: MIT */
#include "kernel/apps/shop/worker.h"

#include "kernel/clock.h"
#include "kernel/format.h"
#include "kernel/heap.h"
#include "kernel/thread.h"
#include "kernel/tracepoints.h"

static struct queue queues[SHOP_WORKERS_MAX];

static enum request_kind kind_of(const struct request *request)
{
	switch (request->text[0]) {
	case 'o':
		return REQUEST_ORDER;
	case 'p':
		return REQUEST_PRICE;
	default:
		return REQUEST_TOTAL;
	}
}

static int worker(void *argument)
{
	unsigned number = (unsigned)(uintptr_t)argument;

	for (;;) {
		struct request *request = queue_pop(&queues[number]);
		char answer[SHOP_TEXT_SIZE];

		uni_trace_app_request_begin(request->id, kind_of(request));
		shop_handle(request, number, answer, sizeof(answer));
		if (request->wants_answer)
			door_answer(request, answer);
		uni_trace_app_request_end(request->id, kind_of(request));
		measure_request(clock_ns() - request->arrived_ns);
		heap_free(request);
	}
	return 0;
}

void worker_start(unsigned number)
{
	char name[THREAD_NAME_SIZE];

	format_text(name, sizeof(name), "worker-%u", number + 1);
	queue_init(&queues[number], "worker queue");
	thread_spawn(name, worker, (void *)(uintptr_t)number);
}

void worker_assign(unsigned number, struct request *request)
{
	queue_push(&queues[number], request);
}

unsigned worker_backlog(unsigned number)
{
	return queue_length(&queues[number]);
}
