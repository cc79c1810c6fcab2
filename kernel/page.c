/* SPDX-License-Identifier: MIT */

/* The page allocator: a buddy system with one byte of state per page. Free blocks are linked
 * through themselves, which the identity map allows. */

#include "kernel/page.h"

#include "kernel/list.h"
#include "kernel/page_internal.h"
#include "kernel/panic.h"
#include "kernel/spinlock.h"

#include <string.h>

#define ORDER_MAX 18 /* 1 GiB */

/* State of a page. The first of a block tells the block's order; the others are INSIDE. */
#define STATE_INSIDE 0x00
#define STATE_FREE 0x40	     /* | order */
#define STATE_ALLOCATED 0x80 /* | order */
#define STATE_GUARD 0x20     /* added to the others */

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

void page_set_guard(void *page, bool is_guard)
{
	uint8_t *state = &states[number_of(page)];

	KASSERT(!(*state & STATE_GUARD) == is_guard);
	*state ^= STATE_GUARD;
}

bool page_is_guard(uintptr_t address)
{
	uint64_t number = address / PAGE_SIZE;

	return number < state_count && (states[number] & STATE_GUARD);
}

/* --- boot --- */

void page_states_init(uint8_t *storage, uint64_t count)
{
	for (unsigned i = 0; i <= ORDER_MAX; i++)
		list_init(&free_blocks[i]);
	states = storage;
	state_count = count;
	memset(states, STATE_INSIDE, state_count);
}

/* In the largest aligned blocks. */
void page_give(uint64_t start, uint64_t end)
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
