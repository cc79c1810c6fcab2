/* SPDX-License-Identifier: MIT */

#include "kernel/trace.h"

#include "kernel/clock.h"
#include "kernel/irq.h"
#include "kernel/log.h"
#include "kernel/page.h"
#include "kernel/sync.h"
#include "kernel/text.h"
#include "kernel/thread.h"
#include "kernel/trace_internal.h"
#include "tracing/errno.h"
#include "tracing/points.h"

#define SUBBUFFER_COUNT 16
#define RING_SIZE_MAX (1u << 20)
#define RING_SIZE_MIN (SUBBUFFER_COUNT * UNI_TRACE_PACKET_SIZE_MIN)

/* Of the free memory at boot, for all rings together: one part in so many. */
#define MEMORY_SHARE 16

struct uni_ring *trace_rings[CPU_MAX];

static struct {
	struct mutex control; /* sessions and switching */
	struct uni_points points;
	uint32_t packet_size;
	bool session;
} trace;

static const struct uni_text_ops text_ops = {.write = text_write, .sync = text_sync_all};

/* The largest power of two within the bounds that leaves the guest most of its memory. */
static size_t choose_ring_size(void)
{
	struct page_stats pages;
	size_t size = RING_SIZE_MAX;

	page_get_stats(&pages);
	while (size > RING_SIZE_MIN && size * cpu_count() > pages.free * PAGE_SIZE / MEMORY_SHARE)
		size /= 2;
	return size;
}

static struct uni_ring *create_ring(unsigned cpu, size_t size)
{
	struct uni_ring_config config = {
		.data = page_alloc(page_order(size)),
		.subbuffer_size = size / SUBBUFFER_COUNT,
		.subbuffer_count = SUBBUFFER_COUNT,
		.cpu = cpu,
	};
	/* A ring wants a cache line of its own. */
	struct uni_ring *ring =
		page_alloc(page_order(sizeof(*ring) + SUBBUFFER_COUNT * sizeof(*config.slots)));

	if (!config.data || !ring)
		return NULL;
	config.slots = (struct uni_ring_slot *)(ring + 1);
	return uni_ring_init(ring, &config) == 0 ? ring : NULL;
}

void trace_init(void)
{
	size_t size = choose_ring_size();

	mutex_init(&trace.control, "trace control");
	if (uni_points_init(&trace.points, &text_ops) != 0)
		log_printf(LOG_ERROR, "trace: too many tracepoints, none can be switched");
	for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
		struct uni_ring *ring = create_ring(cpu, size);

		if (!ring) {
			log_printf(LOG_WARNING, "trace: no memory for the ring of CPU %u", cpu);
			return;
		}
		trace_rings[cpu] = ring;
	}
	trace.packet_size = (uint32_t)(size / SUBBUFFER_COUNT);
	trace_send_init(SUBBUFFER_COUNT);
}

void trace_set_boot_id(const uint8_t *boot_id)
{
	for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
		if (trace_rings[cpu])
			__builtin_memcpy(trace_rings[cpu]->boot_id, boot_id, UNI_BOOT_ID_SIZE);
	}
}

/* Runs fn on every CPU, in interrupt context or with interrupts off. */
static void on_each_cpu(void (*fn)(void *argument), void *argument)
{
	uint64_t flags;

	preempt_disable();
	irq_call_others(fn, argument);
	flags = irq_save();
	fn(argument);
	irq_restore(flags);
	preempt_enable();
}

struct start_request {
	uint32_t mode;
	bool started[CPU_MAX];
};

static void start_here(void *argument)
{
	struct start_request *request = argument;
	unsigned cpu = cpu_id();

	if (!request->started[cpu])
		request->started[cpu] = uni_ring_start(trace_rings[cpu], request->mode) == 0;
}

static void stop_here(void *argument)
{
	(void)argument;
	uni_ring_stop(trace_rings[cpu_id()]);
}

/* A ring starts when the last event of the session before is committed. Its writer may be a thread
 * that lost its CPU to something more urgent, so this waits a little. */
static int start_rings(uint32_t mode)
{
	struct start_request request = {.mode = mode};

	for (unsigned tries = 0; tries < 100; tries++) {
		bool all = true;

		on_each_cpu(start_here, &request);
		for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
			all = all && request.started[cpu];
		if (all)
			return 0;
		thread_sleep_ns(NS_PER_MS);
	}
	on_each_cpu(stop_here, NULL);
	return -UNI_EBUSY;
}

static int start_locked(enum uni_trace_mode mode)
{
	int result;

	if (mode != UNI_TRACE_STREAM && mode != UNI_TRACE_OVERWRITE)
		return -UNI_EINVAL;
	if (trace.packet_size == 0)
		return -UNI_ENOMEM;
	if (!trace_send_possible() && mode == UNI_TRACE_STREAM)
		return -UNI_ENOTSUP;
	if (trace.session || trace_send_busy())
		return -UNI_EBUSY;
	result = start_rings(mode == UNI_TRACE_STREAM ? UNI_RING_STREAM : UNI_RING_OVERWRITE);
	if (result != 0)
		return result;
	trace.session = true;
	if (trace_send_possible())
		trace_send_begin(mode);
	return 0;
}

int trace_start(enum uni_trace_mode mode)
{
	int result;

	mutex_lock(&trace.control);
	result = start_locked(mode);
	mutex_unlock(&trace.control);
	return result;
}

int trace_stop(void)
{
	static const uint8_t none[1];
	int result = -UNI_ENOENT;

	mutex_lock(&trace.control);
	if (trace.session) {
		/* A site under a debugger's breakpoint stays on, and finds the rings stopped. */
		if (uni_points_set(&trace.points, none, 0) != 0)
			log_printf(LOG_WARNING, "trace: a tracepoint could not be turned off");
		on_each_cpu(stop_here, NULL);
		trace.session = false;
		if (trace_send_possible())
			trace_send_end();
		result = 0;
	}
	mutex_unlock(&trace.control);
	return result;
}

uint32_t trace_point_count(void)
{
	return trace.points.event_count;
}

int trace_points_set(const uint8_t *bitmap, uint32_t count)
{
	int result;

	mutex_lock(&trace.control);
	result = uni_points_set(&trace.points, bitmap, count);
	mutex_unlock(&trace.control);
	return result;
}

void trace_points_get(uint8_t *bitmap, size_t size)
{
	size_t len = (trace.points.event_count + 7) / 8;

	__builtin_memcpy(bitmap, trace.points.on, len < size ? len : size);
}

uint32_t trace_packet_size(void)
{
	return trace.packet_size;
}

const struct uni_ring *trace_ring(unsigned cpu)
{
	return cpu < CPU_MAX ? trace_rings[cpu] : NULL;
}

bool trace_switches(uintptr_t address, size_t len)
{
	return uni_points_overlap(&trace.points, address, len);
}

bool trace_breakpoint(uintptr_t after, uintptr_t *resume)
{
	return uni_points_trap(&trace.points, after, resume);
}
