/* SPDX-License-Identifier: MIT */

/* The page allocator: a buddy system with one byte of state per page. Free blocks are linked
 * through themselves, which the identity map allows. */

#include "kernel/page.h"

#include "kernel/arch/x86_64/page_table.h"
#include "kernel/boot.h"
#include "kernel/image.h"
#include "kernel/list.h"
#include "kernel/panic.h"
#include "kernel/spinlock.h"

#include <string.h>

#define RANGE_MAX 32
#define ORDER_MAX 18 /* 1 GiB */
#define LOW_END 0x100000ull
#define BOOT_END 0x100000000ull /* boot.S maps no further */

/* State of a page. The first of a block tells the block's order; the others are INSIDE. */
#define STATE_INSIDE 0x00
#define STATE_FREE 0x40	     /* | order */
#define STATE_ALLOCATED 0x80 /* | order */
#define STATE_GUARD 0xff

extern char boot_stack_guard[];

static struct page_range ram[RANGE_MAX];
static unsigned ram_count;

static struct spinlock page_lock = SPINLOCK_INIT("pages");
static struct list free_blocks[ORDER_MAX + 1];
static struct page_stats stats;
static uint8_t *states; /* by page number */
static uint64_t state_count;

static uint64_t number_of(const void *page)
{
	return (uintptr_t)page / PAGE_SIZE;
}

static struct list *block_at(uint64_t number)
{
	return (struct list *)(number * PAGE_SIZE);
}

static void put_block(uint64_t number, unsigned order)
{
	states[number] = (uint8_t)(STATE_FREE | order);
	list_append(&free_blocks[order], block_at(number));
	stats.free += 1ull << order;
}

static void take_block(uint64_t number, unsigned order)
{
	states[number] = STATE_INSIDE;
	list_remove(block_at(number));
	stats.free -= 1ull << order;
}

/* Puts a block back, joined with its buddy as long as that is free too. */
static void release(uint64_t number, unsigned order)
{
	states[number] = STATE_INSIDE;
	while (order < ORDER_MAX) {
		uint64_t buddy = number ^ 1ull << order;

		if (buddy >= state_count || states[buddy] != (STATE_FREE | order))
			break;
		take_block(buddy, order);
		number &= ~(1ull << order);
		order++;
	}
	put_block(number, order);
}

/* Takes a block off the lists, splitting a larger one if need be. Returns 0 where there is none. */
static uint64_t take(unsigned order)
{
	unsigned have = order;
	uint64_t number;

	while (have <= ORDER_MAX && list_empty(&free_blocks[have]))
		have++;
	if (have > ORDER_MAX)
		return 0;
	number = number_of(free_blocks[have].next);
	take_block(number, have);
	while (have > order) {
		have--;
		put_block(number + (1ull << have), have);
	}
	return number;
}

/* The first `count` pages of an aligned block are blocks too: one for each bit of count, the
 * largest first. What is beyond goes back. */
void *page_alloc_span(size_t count)
{
	unsigned order = page_order(count * PAGE_SIZE);
	uint64_t flags = spin_lock(&page_lock);
	uint64_t number = take(order);
	uint64_t at = number;

	for (int bit = (int)order; number != 0 && bit >= 0; bit--) {
		if (count >> bit & 1) {
			states[at] = (uint8_t)(STATE_ALLOCATED | bit);
			at += 1ull << bit;
		}
	}
	while (at < number + (1ull << order) && number != 0) {
		unsigned surplus = (unsigned)__builtin_ctzll(at);

		release(at, surplus);
		at += 1ull << surplus;
	}
	if (stats.free < stats.free_min)
		stats.free_min = stats.free;
	spin_unlock(&page_lock, flags);
	return number != 0 ? block_at(number) : NULL;
}

void page_free_span(void *pages, size_t count)
{
	uint64_t flags = spin_lock(&page_lock);
	uint64_t at = number_of(pages);

	KASSERT(at + count <= state_count);
	for (int bit = (int)page_order(count * PAGE_SIZE); bit >= 0; bit--) {
		if (count >> bit & 1) {
			KASSERT(states[at] == (STATE_ALLOCATED | bit));
			release(at, (unsigned)bit);
			at += 1ull << bit;
		}
	}
	spin_unlock(&page_lock, flags);
}

void *page_alloc(unsigned order)
{
	return order <= ORDER_MAX ? page_alloc_span(1ul << order) : NULL;
}

void page_free(void *pages, unsigned order)
{
	page_free_span(pages, 1ul << order);
}

unsigned page_order(size_t size)
{
	size_t pages = (size + PAGE_SIZE - 1) / PAGE_SIZE;
	unsigned order = 0;

	while (1ul << order < pages)
		order++;
	return order;
}

void page_get_stats(struct page_stats *out)
{
	uint64_t flags = spin_lock(&page_lock);

	*out = stats;
	spin_unlock(&page_lock, flags);
}

/* --- stacks --- */

static size_t stack_pages(size_t size)
{
	return (size + PAGE_SIZE - 1) / PAGE_SIZE + 1;
}

/* The state of the lowest page says that it is a guard, instead of that a block starts there. */
void *page_stack_alloc(size_t size)
{
	char *guard = page_alloc_span(stack_pages(size));

	if (guard == NULL)
		return NULL;
	states[number_of(guard)] = STATE_GUARD;
	page_protect((uintptr_t)guard, PAGE_SIZE, PAGE_NONE);
	return guard + PAGE_SIZE;
}

void page_stack_free(void *low, size_t size)
{
	char *guard = (char *)low - PAGE_SIZE;
	size_t count = stack_pages(size);

	KASSERT(states[number_of(guard)] == STATE_GUARD);
	/* A page that was not mapped is in no TLB. */
	page_table_map((uintptr_t)guard, PAGE_SIZE, PAGE_READ_WRITE);
	states[number_of(guard)] = (uint8_t)(STATE_ALLOCATED | (63 - __builtin_clzll(count)));
	page_free_span(guard, count);
}

bool page_is_guard(uintptr_t address)
{
	return address / PAGE_SIZE < state_count && states[address / PAGE_SIZE] == STATE_GUARD;
}

/* --- the memory map --- */

unsigned page_ram_count(void)
{
	return ram_count;
}

struct page_range page_ram(unsigned index)
{
	return ram[index];
}

/* Keeps ram[] sorted; firmware's maps are small. */
static void add_ram(uint64_t start, uint64_t end)
{
	unsigned at = ram_count;

	start = (start + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	end &= ~(PAGE_SIZE - 1);
	if (start >= end || ram_count == RANGE_MAX)
		return;
	while (at > 0 && ram[at - 1].start > start) {
		ram[at] = ram[at - 1];
		at--;
	}
	ram[at] = (struct page_range){start, end};
	ram_count++;
}

static void read_memory_map(void)
{
	const struct pvh_memory *map = (const void *)boot_info->memory_map;

	if (boot_info->version < 1 || map == NULL)
		panic("the loader gave no memory map");
	for (uint32_t i = 0; i < boot_info->memory_map_count; i++) {
		if (map[i].type == PVH_MEMORY_RAM)
			add_ram(map[i].start, map[i].start + map[i].size);
	}
	KASSERT(ram_count > 0);
}

/* The bytes of state go into the RAM just above the image. Returns where free memory starts. */
static uint64_t place_states(void)
{
	uint64_t start = (uintptr_t)kernel_image_end;
	uint64_t end;

	state_count = ram[ram_count - 1].end / PAGE_SIZE;
	end = (start + state_count + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	for (unsigned i = 0; i < ram_count; i++) {
		if (ram[i].start <= start && end <= ram[i].end) {
			states = (uint8_t *)start;
			memset(states, STATE_INSIDE, state_count);
			return end;
		}
	}
	panic("no room for the page table of %llu pages above the image",
	      (unsigned long long)state_count);
}

/* Hands [start, end) to the allocator in the largest aligned blocks. */
static void add_free(uint64_t start, uint64_t end)
{
	uint64_t number = start / PAGE_SIZE;

	while (number < end / PAGE_SIZE) {
		unsigned order = number != 0 ? (unsigned)__builtin_ctzll(number) : ORDER_MAX;

		if (order > ORDER_MAX)
			order = ORDER_MAX;
		while (number + (1ull << order) > end / PAGE_SIZE)
			order--;
		put_block(number, order);
		stats.total += 1ull << order;
		number += 1ull << order;
	}
	stats.free_min = stats.free;
}

/* What lies in [low, high) of the RAM. Page tables come out of the low part before the high one can
 * be reached. */
static void add_free_within(uint64_t low, uint64_t high)
{
	for (unsigned i = 0; i < ram_count; i++) {
		uint64_t start = ram[i].start > low ? ram[i].start : low;
		uint64_t end = ram[i].end < high ? ram[i].end : high;

		if (start < end)
			add_free(start, end);
	}
}

static void map_all(void)
{
	uintptr_t text = (uintptr_t)kernel_text_start;
	uintptr_t data = (uintptr_t)kernel_data_start;
	uintptr_t image = (uintptr_t)kernel_image_start;

	for (unsigned i = 0; i < ram_count; i++)
		page_table_map(ram[i].start, ram[i].end - ram[i].start, PAGE_READ_WRITE);
	/* The firmware's tables lie below 1 MiB, in what the map may call reserved. */
	page_table_map(PAGE_SIZE, LOW_END - PAGE_SIZE, PAGE_READ_WRITE);
	page_table_map(0, PAGE_SIZE, PAGE_NONE);
	page_table_map(image, text - image, PAGE_READ);
	page_table_map(text, data - text, PAGE_READ_EXECUTE);
	page_table_map((uintptr_t)boot_stack_guard, PAGE_SIZE, PAGE_NONE);
}

void page_init(void)
{
	uint64_t free_start;

	for (unsigned i = 0; i <= ORDER_MAX; i++)
		list_init(&free_blocks[i]);
	read_memory_map();
	free_start = place_states();
	add_free_within(free_start, BOOT_END);
	map_all();
	page_table_use();
	add_free_within(BOOT_END, UINT64_MAX);
	states[number_of(boot_stack_guard)] = STATE_GUARD;
}
