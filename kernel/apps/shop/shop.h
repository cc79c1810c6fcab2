/* SPDX-License-Identifier: MIT */
/*
 * A shop: the application that the tools are shown and tested on. Requests come from customers over
 * a port (docs/formats/app.md) and from a load generator of its own.
 *
 *	door, customer ──intake──> dispatcher ──a queue each──> worker ──> answer
 *
 * Workers and the price table share one lock, "orders", which a rebuild of the prices holds for
 * milliseconds: the contention that the tools are to find.
 *
 * Words of the command line:
 *	workers=N       threads that handle requests, 1 to 32 (4)
 *	load=N          requests a second that the shop makes itself (200; 0: none)
 *	rebuild=MS      time between two rebuilds of the price table (500)
 *	leak=BYTES      a second, lost in shop_parse() (0)
 *	bug=1           after some rebuilds the table forgets an item that customers still order
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHOP_WORKERS_MAX 32
#define SHOP_TEXT_SIZE 64

enum request_kind {
	REQUEST_ORDER = 1, /* buy some of an item */
	REQUEST_PRICE = 2, /* ask for a price */
	REQUEST_TOTAL = 3, /* ask how many orders there were */
};

/* What a request asked for, as shop_parse() understood it. */
struct order {
	enum request_kind kind;
	uint32_t item;
	uint32_t count;
	uint64_t cents;
};

/* One request on its way; from the heap, freed by the worker that answered it. */
struct request {
	uint64_t id;	     /* unique; what the tracepoints call it */
	uint64_t arrived_ns; /* clock_ns() */
	uint64_t tag;	     /* the customer's own number, repeated in the answer */
	bool wants_answer;   /* came through the door */
	char text[SHOP_TEXT_SIZE];
};

/* A new request of this text, cut to SHOP_TEXT_SIZE - 1 bytes. */
struct request *request_create(const char *text, size_t len);

/* --- the way of a request (dispatcher.c, worker.c, order.c) --- */

/* Starts the dispatcher and the workers. */
void workers_start(unsigned count);

/* Hands a request in; waits while the intake is full. */
void shop_submit(struct request *request);

/* As shop_submit(), but returns false (the request stays the caller's) instead of waiting. */
bool shop_try_submit(struct request *request);

/* How many requests wait, over all queues. */
uint64_t shop_queue_depth(void);

/* Handles one request for the worker of this number; writes the answer's text. */
void shop_handle(const struct request *request, unsigned worker, char *answer, size_t size);

/* --- the ledger and its lock (ledger.c) --- */

/* Books an order and returns how many there are. */
uint64_t order_commit(const struct order *order, unsigned worker);

uint64_t ledger_orders(void);

/* Dies unless the total is the sum of what the workers booked. */
void ledger_audit(void);

/* The lock that orders and prices share. */
extern struct mutex orders_lock;

/* --- prices (prices.c) --- */

#define PRICE_ITEMS 64

struct price {
	uint32_t item;
	uint32_t sold;
	struct price *next; /* in its bucket */
	uint64_t changed_ns;
	uint64_t cents;
};

/* Fills the table and starts the thread that rebuilds it. */
void prices_start(uint64_t rebuild_ms, bool forgetful);

/* The price of an item, NULL where the shop does not sell it. With orders_lock held. */
struct price *price_find(uint32_t item);

/* --- where requests come from (door.c, customer.c) --- */

/* Serves the port, where there is one. */
void door_start(void);

/* Sends an answer to whoever stands at the door; lost when the host does not read for a second. */
void door_answer(const struct request *request, const char *answer);

void customer_start(uint64_t requests_per_s);

/* --- leak.c --- */

void leak_start(uint64_t bytes_per_s);

/* How many bytes are to be lost at this moment to keep the pace. */
size_t leak_due(void);

/* --- what the operator sees (measures.c) --- */

/* Announces the metrics and starts the thread that sums latencies up and audits the ledger. */
void measures_start(void);

/* Notes that a request was answered. Any thread. */
void measure_request(uint64_t latency_ns);

/* Notes that the shop's own load found the intake full. */
void measure_refused(void);
