/* SPDX-License-Identifier: MIT */
/* The price table: a hash of items, made anew now and then with the lock held, so that every worker
 * waits for it. */
#include "kernel/apps/shop/shop.h"
#include "kernel/clock.h"
#include "kernel/log.h"
#include "kernel/sync.h"
#include "kernel/thread.h"
#include "kernel/tracepoints.h"

#define BUCKETS 16
#define DEMAND_ROUNDS 20000

/* With bug=1: the rebuild from which on the table is one item short, and that item. */
#define FORGETS_FROM 5
#define FORGOTTEN_ITEM 13

static struct price prices[PRICE_ITEMS];
static struct price *buckets[BUCKETS];
static uint64_t interval_ns;
static bool forgets;

struct price *price_find(uint32_t item)
{
	struct price *price = buckets[item % BUCKETS];

	while (price && price->item != item)
		price = price->next;
	return price;
}

/* Follows demand: floating point, so that a thread switch that lost such registers would show. */
static double demand_factor(const struct price *price)
{
	double factor = 1.0;

	for (unsigned i = 0; i < DEMAND_ROUNDS; i++)
		factor += 0.25 / (double)(1 + i + price->sold % 7);
	return factor;
}

static void price_update(struct price *price)
{
	double cents = 100.0 + 25.0 * (double)price->item;

	price->cents = (uint64_t)(cents * demand_factor(price));
	price->changed_ns = clock_ns();
	price->next = buckets[price->item % BUCKETS];
	buckets[price->item % BUCKETS] = price;
}

static void price_table_rebuild(unsigned round)
{
	mutex_lock(&orders_lock);
	uni_trace_app_phase("rebuild");
	for (unsigned i = 0; i < BUCKETS; i++)
		buckets[i] = NULL;
	for (uint32_t item = 0; item < PRICE_ITEMS; item++) {
		prices[item].item = item;
		if (forgets && round >= FORGETS_FROM && item == FORGOTTEN_ITEM)
			continue;
		price_update(&prices[item]);
	}
	mutex_unlock(&orders_lock);
}

static int price_keeper(void *argument)
{
	(void)argument;
	for (unsigned round = 1;; round++) {
		thread_sleep_ns(interval_ns);
		price_table_rebuild(round);
		if (round % 64 == 1)
			log_printf(LOG_INFO, "shop: prices of %d items follow demand", PRICE_ITEMS);
	}
	return 0;
}

void prices_start(uint64_t rebuild_ms, bool forgetful)
{
	interval_ns = rebuild_ms * NS_PER_MS;
	forgets = forgetful;
	price_table_rebuild(0);
	thread_spawn("prices", price_keeper, NULL);
}
