/* SPDX-License-Identifier: MIT */
#pragma once

/* The heap: size classes up to 2 KiB in pages of their own, whole pages beyond. Every block knows
 * the call site (return address) that asked for it, so that what lives is accounted per site.
 *
 * Any context but NMI. One spinlock, named "heap". Blocks are 16-byte aligned, contents undefined.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAP_SITE_MAX 1024

struct heap_site {
	uintptr_t address;   /* return address; 0: all sites that came after the table was full */
	uint64_t live_bytes; /* as asked for */
	uint64_t live_count;
	uint64_t total_bytes; /* ever */
	uint64_t total_count;
};

struct heap_stats {
	uint64_t live_bytes; /* as asked for */
	uint64_t live_count;
	uint64_t alloc_count; /* ever */
	uint64_t free_count;
	uint64_t held_bytes;  /* pages taken from the page allocator */
	uint64_t limit_bytes; /* held_bytes + what the page allocator has left */
	uint64_t failed_count;
	uint32_t site_count;
};

/* Panics when memory is out ("out of memory: SITE holds N of M"). Never returns NULL; a size of 0
 * gives a block that holds nothing. */
void *heap_alloc(size_t size) __attribute__((malloc, alloc_size(1)));
void *heap_alloc_zeroed(size_t size) __attribute__((malloc, alloc_size(1)));

/* NULL when memory is out. */
void *heap_try_alloc(size_t size) __attribute__((malloc, alloc_size(1)));

/* NULL is fine. A pointer that is no live block is a panic. */
void heap_free(void *block);

/* Under the lock; consistent. */
void heap_get_stats(struct heap_stats *out);

/* Copies site `index` (0 .. site_count - 1; an index keeps its site). Lock-free, any context, world
 * stopped or not; a live copy may be off by one allocation. Returns false when there is no such
 * one. */
bool heap_get_site(uint32_t index, struct heap_site *out);
