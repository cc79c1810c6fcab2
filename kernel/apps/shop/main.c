/* SPDX-License-Identifier: MIT */
#include "kernel/app.h"
#include "kernel/apps/shop/shop.h"
#include "kernel/clock.h"
#include "kernel/cmdline.h"
#include "kernel/heap.h"
#include "kernel/log.h"
#include "kernel/thread.h"

static uint64_t between(uint64_t value, uint64_t least, uint64_t most)
{
	return value < least ? least : value > most ? most : value;
}

struct request *request_create(const char *text, size_t len)
{
	static uint64_t last_id;
	struct request *request = heap_alloc_zeroed(sizeof(*request));

	request->id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
	request->arrived_ns = clock_ns();
	if (len >= sizeof(request->text))
		len = sizeof(request->text) - 1;
	for (size_t i = 0; i < len; i++)
		request->text[i] = text[i];
	return request;
}

const char app_name[] = "shop";

int app_main(void)
{
	unsigned workers = (unsigned)between(cmdline_get_u64("workers", 4), 1, SHOP_WORKERS_MAX);

	log_printf(LOG_INFO, "shop: open, %u workers", workers);
	leak_start(cmdline_get_u64("leak", 0));
	prices_start(between(cmdline_get_u64("rebuild", 500), 1, 3600000),
		     cmdline_get_u64("bug", 0) != 0);
	workers_start(workers);
	measures_start();
	door_start();
	customer_start(between(cmdline_get_u64("load", 200), 0, 1000000));
	for (;;)
		thread_sleep_ns(3600 * NS_PER_S);
}
