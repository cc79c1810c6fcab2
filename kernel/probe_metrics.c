/* SPDX-License-Identifier: MIT */

/* The kernel's own metrics. In a panic a lock may be held by a CPU that is stopped for good, so
 * nothing here takes one then. */

#include "kernel/clock.h"
#include "kernel/cpu.h"
#include "kernel/heap.h"
#include "kernel/panic.h"
#include "kernel/probe_internal.h"
#include "kernel/thread.h"
#include "kernel/trace.h"

/* The sites together are the heap; their numbers are read without its lock. */
static void sum_heap_sites(struct heap_stats *stats)
{
	struct heap_site site;

	stats->live_bytes = 0;
	stats->alloc_count = 0;
	for (uint32_t i = 0; heap_get_site(i, &site); i++) {
		stats->live_bytes += site.live_bytes;
		stats->alloc_count += site.total_count;
	}
}

static struct heap_stats heap_stats_now(void)
{
	static struct heap_stats last;

	if (panic_current() != NULL)
		sum_heap_sites(&last);
	else
		heap_get_stats(&last);
	return last;
}

static uint64_t heap_used(void *context)
{
	return heap_stats_now().live_bytes;
}

static uint64_t heap_total(void *context)
{
	return heap_stats_now().limit_bytes;
}

static uint64_t heap_allocations(void *context)
{
	return heap_stats_now().alloc_count;
}

static uint64_t switches(void *context)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < cpu_count(); i++)
		sum += cpus[i].switches;
	return sum;
}

static uint64_t interrupts(void *context)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < cpu_count(); i++)
		sum += cpus[i].irq_count;
	return sum;
}

static uint64_t threads(void *context)
{
	return thread_count();
}

static uint64_t uptime(void *context)
{
	return clock_ns();
}

static struct uni_ring_stats trace_totals(void)
{
	struct uni_ring_stats sum = {0};

	for (unsigned i = 0; i < cpu_count(); i++) {
		const struct uni_ring *ring = trace_ring(i);
		struct uni_ring_stats stats;

		if (ring == NULL)
			continue;
		uni_ring_get_stats(ring, &stats);
		sum.emitted += stats.emitted;
		sum.discarded += stats.discarded;
		sum.overwritten += stats.overwritten;
	}
	return sum;
}

/* Both begin at 0 with each session, so they are gauges. */
static uint64_t trace_emitted(void *context)
{
	return trace_totals().emitted;
}

static uint64_t trace_lost(void *context)
{
	const struct uni_ring_stats totals = trace_totals();

	return totals.discarded + totals.overwritten;
}

static struct port_counters port_totals(void)
{
	struct port_counters sum = {0};
	const struct port *port;

	for (unsigned i = 0; (port = port_at(i)) != NULL; i++) {
		struct port_counters counters;

		port_counters(port, &counters);
		sum.tx_bytes += counters.tx_bytes;
		sum.rx_bytes += counters.rx_bytes;
		sum.tx_stalls += counters.tx_stalls;
	}
	return sum;
}

static uint64_t port_sent(void *context)
{
	return port_totals().tx_bytes;
}

static uint64_t port_received(void *context)
{
	return port_totals().rx_bytes;
}

static uint64_t port_stalls(void *context)
{
	return port_totals().tx_stalls;
}

static const struct uni_metric metrics[] = {
	{.name = "heap.used", .kind = UNI_METRIC_GAUGE, .unit = UNI_UNIT_BYTES, .read = heap_used},
	{.name = "heap.total",
	 .kind = UNI_METRIC_GAUGE,
	 .unit = UNI_UNIT_BYTES,
	 .read = heap_total},
	{.name = "heap.allocations", .kind = UNI_METRIC_COUNTER, .read = heap_allocations},
	{.name = "sched.switches", .kind = UNI_METRIC_COUNTER, .read = switches},
	{.name = "sched.threads", .kind = UNI_METRIC_GAUGE, .read = threads},
	{.name = "irq.count", .kind = UNI_METRIC_COUNTER, .read = interrupts},
	{.name = "log.lost", .kind = UNI_METRIC_COUNTER, .value = &probe.log_lost},
	{.name = "trace.emitted", .kind = UNI_METRIC_GAUGE, .read = trace_emitted},
	{.name = "trace.lost", .kind = UNI_METRIC_GAUGE, .read = trace_lost},
	{.name = "port.sent",
	 .kind = UNI_METRIC_COUNTER,
	 .unit = UNI_UNIT_BYTES,
	 .read = port_sent},
	{.name = "port.received",
	 .kind = UNI_METRIC_COUNTER,
	 .unit = UNI_UNIT_BYTES,
	 .read = port_received},
	{.name = "port.stalls", .kind = UNI_METRIC_COUNTER, .read = port_stalls},
	{.name = "uptime", .kind = UNI_METRIC_COUNTER, .unit = UNI_UNIT_NS, .read = uptime},
};

void probe_metrics_init(void)
{
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		KASSERT(uni_metrics_add(&probe_metrics, &metrics[i]) == 0);
}
