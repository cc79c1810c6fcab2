/* SPDX-License-Identifier: MIT */
/* What is done for one request: understand it, price it, wait for the warehouse, book it. */
#include "kernel/apps/shop/shop.h"
#include "kernel/clock.h"
#include "kernel/format.h"
#include "kernel/heap.h"
#include "kernel/sync.h"
#include "kernel/thread.h"
#include "kernel/tracepoints.h"

#define PACKING_ROUNDS 500000
#define WAREHOUSE_NS (200 * NS_PER_US)
#define COUNT_MAX 1000

/* Skips a word's characters and the spaces after it. */
static const char *next_word(const char *text)
{
	while (*text && *text != ' ')
		text++;
	while (*text == ' ')
		text++;
	return text;
}

static uint32_t number_at(const char *text)
{
	uint32_t value = 0;

	for (; *text >= '0' && *text <= '9' && value < 100000000; text++)
		value = value * 10 + (uint32_t)(*text - '0');
	return value;
}

static bool starts_with(const char *text, const char *word)
{
	while (*word && *text == *word) {
		text++;
		word++;
	}
	return !*word && (!*text || *text == ' ');
}

/* An order from the heap, NULL for a request that makes no sense. */
static struct order *shop_parse(const struct request *request)
{
	const char *item = next_word(request->text);
	size_t leak = leak_due();
	struct order *order;

	/* Where leak= loses memory: nobody keeps the pointer. */
	if (leak)
		*(volatile char *)heap_alloc(leak) = 1;

	order = heap_alloc_zeroed(sizeof(*order));
	order->item = number_at(item);
	order->count = number_at(next_word(item));
	if (starts_with(request->text, "order"))
		order->kind = REQUEST_ORDER;
	else if (starts_with(request->text, "price"))
		order->kind = REQUEST_PRICE;
	else if (starts_with(request->text, "total"))
		order->kind = REQUEST_TOTAL;
	if (!order->kind || order->item >= PRICE_ITEMS ||
	    (order->kind == REQUEST_ORDER && (!order->count || order->count > COUNT_MAX))) {
		heap_free(order);
		return NULL;
	}
	return order;
}

/* Every item that a customer may name has a price: the table is rebuilt under the same lock. */
static uint64_t order_price(const struct order *order)
{
	struct price *price;
	uint64_t cents;

	mutex_lock(&orders_lock);
	price = price_find(order->item);
	cents = price->cents * (order->count ? order->count : 1);
	price->sold += order->count;
	mutex_unlock(&orders_lock);
	return cents;
}

/* Something to compute, of about the same length each time. */
static uint64_t order_pack(const struct order *order)
{
	uint64_t box = order->cents + 1;

	for (unsigned i = 0; i < PACKING_ROUNDS; i++)
		box = (box ^ (box >> 29)) * 0xbf58476d1ce4e5b9u + i;
	return box;
}

static void order_fulfil(struct order *order, unsigned worker, char *answer, size_t size)
{
	volatile uint64_t parcel;
	uint64_t total;

	uni_trace_app_phase("pack");
	parcel = order_pack(order);
	(void)parcel;
	uni_trace_app_phase("warehouse");
	thread_sleep_ns(WAREHOUSE_NS);
	uni_trace_app_phase("commit");
	total = order_commit(order, worker);
	format_text(answer, size, "ok %llu %llu", (unsigned long long)order->cents,
		    (unsigned long long)total);
}

void shop_handle(const struct request *request, unsigned worker, char *answer, size_t size)
{
	struct order *order;

	uni_trace_app_phase("parse");
	order = shop_parse(request);
	if (!order) {
		format_text(answer, size, "error not understood");
		return;
	}
	if (order->kind == REQUEST_TOTAL) {
		format_text(answer, size, "ok %llu", (unsigned long long)ledger_orders());
	} else {
		uni_trace_app_phase("price");
		order->cents = order_price(order);
		if (order->kind == REQUEST_ORDER)
			order_fulfil(order, worker, answer, size);
		else
			format_text(answer, size, "ok %llu", (unsigned long long)order->cents);
	}
	heap_free(order);
}
