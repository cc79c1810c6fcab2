/* SPDX-License-Identifier: MIT */
/* leak=BYTES: a slow leak of a steady pace, for the tools that look for one. */
#include "kernel/apps/shop/shop.h"
#include "kernel/clock.h"

#define CHUNK_MAX 65536

static uint64_t bytes_per_s;
static uint64_t started_ns;
static uint64_t leaked;

void leak_start(uint64_t rate)
{
	started_ns = clock_ns();
	bytes_per_s = rate;
}

size_t leak_due(void)
{
	uint64_t elapsed_ms = (clock_ns() - started_ns) / NS_PER_MS;
	uint64_t due = bytes_per_s * elapsed_ms / 1000;
	uint64_t so_far = __atomic_load_n(&leaked, __ATOMIC_RELAXED);
	uint64_t chunk = due > so_far ? due - so_far : 0;

	if (chunk > CHUNK_MAX)
		chunk = CHUNK_MAX;
	/* Of several workers that see the same debt one pays it. */
	if (!chunk || !__atomic_compare_exchange_n(&leaked, &so_far, so_far + chunk, false,
						   __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return 0;
	return chunk;
}
