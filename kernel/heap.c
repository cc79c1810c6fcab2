/* SPDX-License-Identifier: MIT */

#include "kernel/heap.h"

#include "kernel/heap_site.h"
#include "kernel/page.h"
#include "kernel/panic.h"
#include "kernel/spinlock.h"
#include "kernel/tracepoints.h"

#include <string.h>

#define MAGIC_LIVE 0x4c49
#define MAGIC_FREE 0x4652

/* Class of a block that has pages of its own. */
#define CLASS_PAGES 0xff

/* In front of each block. */
struct header {
	uint64_t size; /* as asked for */
	uint32_t site;
	uint16_t class;
	uint16_t magic;
};

_Static_assert(sizeof(struct header) == 16, "blocks are 16-byte aligned");

struct free_block {
	struct header header;
	struct free_block *next;
};

/* Sizes with the header. At most a quarter of a block is lost to rounding. */
static const uint16_t class_sizes[] = {32,  48,	 64,  96,   128,  192, 256,
				       384, 512, 768, 1024, 1536, 2064};

#define CLASS_COUNT (sizeof(class_sizes) / sizeof(class_sizes[0]))
#define CLASS_MAX 2064

/* The pages a class takes at a time: so that little is left over at the end. */
#define SLAB_ORDER 2

static struct spinlock heap_lock = SPINLOCK_INIT("heap");
static struct free_block *free_lists[CLASS_COUNT];
static struct heap_stats stats;

static unsigned class_of(size_t total)
{
	unsigned class = 0;

	while (class_sizes[class] < total)
		class ++;
	return class;
}

static bool refill(unsigned class)
{
	size_t size = class_sizes[class];
	char *slab = page_alloc(SLAB_ORDER);
	char *end = slab + (PAGE_SIZE << SLAB_ORDER);

	if (slab == NULL)
		return false;
	stats.held_bytes += PAGE_SIZE << SLAB_ORDER;
	for (char *at = slab; at + size <= end; at += size) {
		struct free_block *block = (struct free_block *)at;

		block->header.class = (uint8_t) class;
		block->header.magic = MAGIC_FREE;
		block->next = free_lists[class];
		free_lists[class] = block;
	}
	return true;
}

static struct header *take_small(size_t total)
{
	unsigned class = class_of(total);
	struct free_block *block;

	if (free_lists[class] == NULL && !refill(class))
		return NULL;
	block = free_lists[class];
	free_lists[class] = block->next;
	return &block->header;
}

static size_t page_count(size_t total)
{
	return (total + PAGE_SIZE - 1) / PAGE_SIZE;
}

static struct header *take_pages(size_t total)
{
	struct header *header = page_alloc_span(page_count(total));

	if (header == NULL)
		return NULL;
	header->class = CLASS_PAGES;
	stats.held_bytes += page_count(total) * PAGE_SIZE;
	return header;
}

static void give_back(struct header *header)
{
	struct free_block *freed = (struct free_block *)header;

	if (header->class == CLASS_PAGES) {
		size_t count = page_count(header->size + sizeof(*header));

		stats.held_bytes -= count * PAGE_SIZE;
		page_free_span(header, count);
	} else {
		freed->next = free_lists[header->class];
		free_lists[header->class] = freed;
	}
}

static void *alloc(size_t size, uintptr_t site_address)
{
	struct header *header = NULL;
	uint64_t flags;

	if (size > SIZE_MAX / 2)
		return NULL;
	flags = spin_lock(&heap_lock);
	if (size + sizeof(*header) <= CLASS_MAX)
		header = take_small(size + sizeof(*header));
	else
		header = take_pages(size + sizeof(*header));
	if (header == NULL) {
		stats.failed_count++;
		spin_unlock(&heap_lock, flags);
		return NULL;
	}
	header->size = size;
	header->magic = MAGIC_LIVE;
	header->site = heap_site_add(site_address, size);
	stats.live_bytes += size;
	stats.live_count++;
	stats.alloc_count++;
	spin_unlock(&heap_lock, flags);
	uni_trace_heap_alloc((uintptr_t)(header + 1), size, site_address);
	return header + 1;
}

/* The call site is the return address of the function that the caller sees. */
#define CALL_SITE() ((uintptr_t)__builtin_return_address(0))

void heap_free(void *block)
{
	struct header *header = (struct header *)block - 1;
	uint64_t flags;

	if (block == NULL)
		return;
	KASSERT(header->magic == MAGIC_LIVE);
	uni_trace_heap_free((uintptr_t)block, CALL_SITE());
	flags = spin_lock(&heap_lock);
	header->magic = MAGIC_FREE;
	heap_site_remove(header->site, header->size);
	stats.live_bytes -= header->size;
	stats.live_count--;
	stats.free_count++;
	give_back(header);
	spin_unlock(&heap_lock, flags);
}

void heap_get_stats(struct heap_stats *out)
{
	uint64_t flags = spin_lock(&heap_lock);
	struct page_stats pages;

	page_get_stats(&pages);
	stats.site_count = heap_site_count();
	stats.limit_bytes = stats.held_bytes + pages.free * PAGE_SIZE;
	*out = stats;
	spin_unlock(&heap_lock, flags);
}

static _Noreturn void out_of_memory(size_t size, uintptr_t site_address)
{
	struct heap_stats now;
	struct heap_site most;

	heap_get_stats(&now);
	heap_site_most_live(&most);
	panic_kind(PANIC_OUT_OF_MEMORY,
		   "out of memory: %#llx holds %llu of %llu bytes; %#llx asked for %llu more",
		   (unsigned long long)most.address, (unsigned long long)most.live_bytes,
		   (unsigned long long)now.limit_bytes, (unsigned long long)site_address,
		   (unsigned long long)size);
}

void *heap_alloc(size_t size)
{
	void *block = alloc(size, CALL_SITE());

	if (block == NULL)
		out_of_memory(size, CALL_SITE());
	return block;
}

void *heap_alloc_zeroed(size_t size)
{
	void *block = alloc(size, CALL_SITE());

	if (block == NULL)
		out_of_memory(size, CALL_SITE());
	return memset(block, 0, size);
}

void *heap_try_alloc(size_t size)
{
	return alloc(size, CALL_SITE());
}
