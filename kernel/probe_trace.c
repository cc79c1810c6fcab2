/* SPDX-License-Identifier: MIT */

#include "kernel/cpu.h"
#include "kernel/probe_internal.h"
#include "kernel/trace.h"

static uint32_t event_count(void *context)
{
	return trace_point_count();
}

static void points_get(void *context, uint8_t *bitmap, uint32_t count)
{
	trace_points_get(bitmap, (count + 7) / 8);
}

static int points_set(void *context, const uint8_t *bitmap, uint32_t count)
{
	return trace_points_set(bitmap, count);
}

static int start(void *context, enum uni_trace_mode mode)
{
	return trace_start(mode);
}

static int stop(void *context)
{
	return trace_stop();
}

static uint32_t rings(void *context, struct uni_note_ring *out, uint32_t capacity)
{
	uint32_t count = 0;

	for (unsigned cpu = 0; cpu < cpu_count() && count < capacity; cpu++) {
		const struct uni_ring *ring = trace_ring(cpu);

		if (ring == NULL)
			continue;
		out[count++] = (struct uni_note_ring){
			.cpu = cpu,
			.packet_size = 1u << ring->size_bits,
			.address = (uintptr_t)ring->data,
			.size = (ring->slot_mask + 1ull) << ring->size_bits,
			.reserved_bytes = uni_ring_position(ring),
		};
	}
	return count;
}

const struct uni_probe_trace_ops probe_trace_ops = {
	.event_count = event_count,
	.points_get = points_get,
	.points_set = points_set,
	.start = start,
	.stop = stop,
	.rings = rings,
};
