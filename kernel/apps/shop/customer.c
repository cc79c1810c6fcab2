/* SPDX-License-Identifier: MIT */
/* The shop's own load: a timer says when the next request is due, a thread makes it. */
#include "kernel/apps/shop/shop.h"
#include "kernel/clock.h"
#include "kernel/format.h"
#include "kernel/heap.h"
#include "kernel/sync.h"
#include "kernel/thread.h"
#include "kernel/timer.h"

static struct semaphore due = SEMAPHORE_INIT(due, "next customer", 0);
static struct timer next_customer;
static uint64_t interval_ns;

static void customer_due(struct timer *timer)
{
	uint64_t next = timer->deadline_ns + interval_ns;
	uint64_t now;

	sem_post(&due);
	/* A guest that was held does not get all the missed customers at once. And whatever the
	 * post took, as it takes long with a debugger in it, threads get some time between two. */
	now = clock_ns();
	timer_arm(timer, next > now ? next : now + interval_ns);
}

/* Marsaglia's xorshift64. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static size_t make_wish(uint64_t *random, char *text, size_t size)
{
	uint64_t dice = next_random(random);
	unsigned item = (unsigned)(dice >> 8) % PRICE_ITEMS;

	if (dice % 4 == 0)
		return format_text(text, size, "price %u", item);
	return format_text(text, size, "order %u %u", item, 1 + (unsigned)(dice >> 32) % 9);
}

static int customer(void *argument)
{
	uint64_t random = clock_tsc() | 1;

	(void)argument;
	timer_setup(&next_customer, customer_due);
	timer_arm(&next_customer, clock_ns() + interval_ns);
	for (;;) {
		char text[SHOP_TEXT_SIZE];
		struct request *request;

		sem_wait(&due);
		request = request_create(text, make_wish(&random, text, sizeof(text)));
		if (!shop_try_submit(request)) {
			measure_refused();
			heap_free(request);
		}
	}
	return 0;
}

void customer_start(uint64_t requests_per_s)
{
	if (!requests_per_s)
		return;
	interval_ns = NS_PER_S / requests_per_s;
	thread_spawn("customer", customer, NULL);
}
