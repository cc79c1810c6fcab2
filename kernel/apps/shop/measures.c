/* SPDX-License-Identifier: MIT */
/* Metrics of the shop. Latencies go into buckets of a sixteenth of a power of two each, which
 * keeps a percentile within 7 %; once a second they become p50 and p99 and start over. */
#include "kernel/apps/shop/shop.h"
#include "kernel/clock.h"
#include "kernel/panic.h"
#include "kernel/probe_internal.h"
#include "kernel/thread.h"

#define SUB_BITS 4
#define SUB (1u << SUB_BITS)
#define BUCKETS ((64 - SUB_BITS + 1) * SUB)

static uint64_t requests, refused, orders, queue_depth, latency_p50_ns, latency_p99_ns;
static uint32_t histogram[BUCKETS];

static unsigned bucket_of(uint64_t value)
{
	unsigned power;

	if (value < SUB)
		return (unsigned)value;
	power = 63 - (unsigned)__builtin_clzll(value);
	return (power - SUB_BITS + 1) * SUB + (unsigned)((value >> (power - SUB_BITS)) % SUB);
}

/* The highest value of a bucket. */
static uint64_t bucket_value(unsigned bucket)
{
	unsigned shift = bucket / SUB ? bucket / SUB - 1 : 0;
	uint64_t base = bucket / SUB ? SUB + bucket % SUB : bucket;

	return ((base + 1) << shift) - 1;
}

void measure_request(uint64_t latency_ns)
{
	__atomic_fetch_add(&histogram[bucket_of(latency_ns)], 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&requests, 1, __ATOMIC_RELAXED);
}

void measure_refused(void)
{
	__atomic_fetch_add(&refused, 1, __ATOMIC_RELAXED);
}

/* The value below which `permille` of the counted ones lie; 0 when there are none. */
static uint64_t percentile(const uint32_t counts[BUCKETS], uint64_t total, unsigned permille)
{
	uint64_t wanted = (total * permille + 999) / 1000, seen = 0;

	for (unsigned i = 0; i < BUCKETS; i++) {
		seen += counts[i];
		if (total && seen >= wanted)
			return bucket_value(i);
	}
	return 0;
}

static void latencies_sum_up(void)
{
	static uint32_t counts[BUCKETS];
	uint64_t total = 0;

	for (unsigned i = 0; i < BUCKETS; i++) {
		counts[i] = __atomic_exchange_n(&histogram[i], 0, __ATOMIC_RELAXED);
		total += counts[i];
	}
	latency_p50_ns = percentile(counts, total, 500);
	latency_p99_ns = percentile(counts, total, 990);
}

static int auditor(void *argument)
{
	(void)argument;
	for (;;) {
		thread_sleep_ns(NS_PER_S);
		ledger_audit();
		latencies_sum_up();
		queue_depth = shop_queue_depth();
		orders = ledger_orders();
	}
	return 0;
}

#define METRIC(name_, kind_, unit_, variable)                                           \
	{                                                                               \
		.name = (name_), .kind = (kind_), .unit = (unit_), .value = &(variable) \
	}

static const struct uni_metric metrics[] = {
	METRIC("app.requests", UNI_METRIC_COUNTER, UNI_UNIT_NONE, requests),
	METRIC("app.orders", UNI_METRIC_COUNTER, UNI_UNIT_NONE, orders),
	METRIC("app.refused", UNI_METRIC_COUNTER, UNI_UNIT_NONE, refused),
	METRIC("app.queue_depth", UNI_METRIC_GAUGE, UNI_UNIT_NONE, queue_depth),
	METRIC("app.latency_p50_ns", UNI_METRIC_GAUGE, UNI_UNIT_NS, latency_p50_ns),
	METRIC("app.latency_p99_ns", UNI_METRIC_GAUGE, UNI_UNIT_NS, latency_p99_ns),
};

void measures_start(void)
{
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		KASSERT(uni_metrics_add(&probe_metrics, &metrics[i]) == 0);
	thread_spawn("auditor", auditor, NULL);
}
