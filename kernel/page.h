/* SPDX-License-Identifier: MIT */
#pragma once

/* Physical pages and the page tables. Virtual is physical everywhere, so an address means the same
 * to the kernel, to a device and to a dump. Text is executable and read-only, constants read-only,
 * everything else writable and not executable, but for the stacks of an application that asks for
 * that; low memory and guard pages are not mapped. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE 4096ul

enum page_access {
	PAGE_NONE, /* not mapped: every access faults */
	PAGE_READ,
	PAGE_READ_WRITE,
	PAGE_READ_EXECUTE,
	PAGE_READ_WRITE_EXECUTE,
};

struct page_range {
	uint64_t start; /* page-aligned, first byte */
	uint64_t end;	/* page-aligned, one past the last */
};

struct page_stats {
	uint64_t total; /* pages that the allocator was given */
	uint64_t free;
	uint64_t free_min; /* fewest ever */
};

/* Takes over the memory map of the boot protocol and switches to the final page tables. */
void page_init(void);

/* 2^order pages that follow each other, aligned to their size, contents undefined. Any context but
 * NMI. Returns NULL when there are none. */
void *page_alloc(unsigned order);
void page_free(void *pages, unsigned order);

/* `count` pages (> 0) that follow each other, not aligned beyond a page; to be freed with the same
 * count. */
void *page_alloc_span(size_t count);
void page_free_span(void *pages, size_t count);

/* Smallest order whose 2^order pages hold `size` bytes (size > 0). */
unsigned page_order(size_t size);

void page_get_stats(struct page_stats *out);

/* Changes what may be done with [start, start + size), page-aligned, on every CPU. RAM or mapped
 * device space. Thread context, interrupts on, no spinlock held: it waits for the other CPUs.
 * Panics when memory for a page table is out. */
void page_protect(uintptr_t start, size_t size, enum page_access access);

/* What lies below is the firmware's. The kernel has nothing there once every CPU has started, and
 * nothing is mapped there from then on: what a null pointer leads to is a fault, not the firmware's
 * tables. */
#define PAGE_LOW_END 0x100000ul

/* Unmaps all below PAGE_LOW_END; as page_protect(). */
void page_unmap_low(void);

/* Maps device registers uncached (they need not be page-aligned; whole pages are mapped) and
 * returns their address, which is `physical`. Repeating it is fine. Not for RAM. Thread context or
 * boot. */
void *page_map_device(uint64_t physical, size_t size);

/* What page_map_device() mapped, what adjoins as one range. Complete for 64 ranges. World stopped,
 * or boot. */
unsigned page_device_count(void);
struct page_range page_device(unsigned index);

/* What the page tables say about an address. Lock-free, any context, world stopped or not. */
enum page_access page_get_access(uintptr_t address);

/* RAM as the firmware reported it, sorted, disjoint: what a dump holds. The same from page_init()
 * on. Guard pages lie inside and cannot be read, so read with memory_read_nofault(). */
unsigned page_ram_count(void);
struct page_range page_ram(unsigned index);

/* True when the address lies in the guard page of a stack. Lock-free, any context. */
bool page_is_guard(uintptr_t address);

/* Stacks: `size` bytes (rounded up to pages) above an unmapped page. Returns the lowest usable
 * address, NULL when memory is out. Thread context or boot. */
void *page_stack_alloc(size_t size);
void page_stack_free(void *low, size_t size);

/* What may be done with them: app_code_on_stacks tells (app.h). */
enum page_access page_stack_access(void);
