/* SPDX-License-Identifier: MIT */

#include "kernel/apps/selftest/selftest.h"
#include "kernel/arch/x86_64/fault.h"
#include "kernel/heap.h"
#include "kernel/image.h"
#include "kernel/page.h"

#include <string.h>

/* --- heap --- */

static __attribute__((noinline)) void *alloc_here(size_t size)
{
	void *block = heap_alloc(size);

	__asm__ volatile("" : "+r"(block)); /* the call is not the last thing */
	return block;
}

/* The site inside alloc_here(). */
static struct heap_site site_here(void)
{
	struct heap_site site = {0}, best = {0};

	for (uint32_t i = 0; heap_get_site(i, &site); i++) {
		if (site.address > (uintptr_t)alloc_here &&
		    site.address < (uintptr_t)alloc_here + 64)
			best = site;
	}
	return best;
}

static const char *the_heap_accounts_per_site(void)
{
	struct heap_site before, during, after;
	void *blocks[10];

	heap_free(alloc_here(1));
	before = site_here();
	CHECK(before.address != 0);
	for (size_t i = 0; i < 10; i++)
		blocks[i] = alloc_here(100 + i);
	during = site_here();
	for (size_t i = 0; i < 10; i++)
		heap_free(blocks[i]);
	after = site_here();
	CHECK(during.live_bytes == before.live_bytes + 1045);
	CHECK(during.live_count == before.live_count + 10);
	CHECK(after.live_bytes == before.live_bytes);
	CHECK(after.live_count == before.live_count);
	CHECK(after.total_bytes == before.total_bytes + 1045);
	CHECK(after.total_count == before.total_count + 10);
	return NULL;
}

#define BLOCKS 100

static const char *blocks_are_aligned_and_apart(void)
{
	unsigned char *blocks[BLOCKS];

	for (size_t i = 0; i < BLOCKS; i++) {
		blocks[i] = heap_alloc(i * 53);
		CHECK((uintptr_t)blocks[i] % 16 == 0);
		memset(blocks[i], (int)i, i * 53);
	}
	for (size_t i = 0; i < BLOCKS; i++) {
		for (size_t k = 0; k < i * 53; k++)
			CHECK(blocks[i][k] == (unsigned char)i);
		heap_free(blocks[i]);
	}
	return NULL;
}

static const char *the_heap_says_no(void)
{
	struct heap_stats before, after;
	volatile size_t huge = SIZE_MAX; /* or the compiler warns of it */

	heap_get_stats(&before);
	CHECK(heap_try_alloc(1ul << 45) == NULL);
	CHECK(heap_try_alloc(huge) == NULL);
	heap_get_stats(&after);
	CHECK(after.live_count == before.live_count);
	CHECK(after.failed_count > before.failed_count);
	heap_free(NULL);
	return NULL;
}

/* --- pages --- */

static const char *pages_are_aligned_and_join_again(void)
{
	struct page_stats before, after;
	void *blocks[6];

	page_get_stats(&before);
	for (unsigned order = 0; order < 6; order++) {
		blocks[order] = page_alloc(order);
		CHECK((uintptr_t)blocks[order] % (PAGE_SIZE << order) == 0);
	}
	for (unsigned order = 0; order < 6; order++)
		page_free(blocks[order], order);
	page_get_stats(&after);
	CHECK(before.free == after.free);
	CHECK(page_alloc(40) == NULL);
	CHECK(page_order(1) == 0 && page_order(PAGE_SIZE) == 0 && page_order(PAGE_SIZE + 1) == 1);
	return NULL;
}

static const char *ram_is_sorted_and_holds_the_image(void)
{
	bool holds_image = false;

	for (unsigned i = 0; i < page_ram_count(); i++) {
		struct page_range range = page_ram(i);

		CHECK(range.start < range.end);
		CHECK(i == 0 || page_ram(i - 1).end <= range.start);
		holds_image |= range.start <= (uintptr_t)kernel_image_start &&
			       range.end >= (uintptr_t)kernel_image_end;
	}
	CHECK(holds_image);
	return NULL;
}

/* The last page of RAM can be used, also where it lies beyond 4 GiB. */
static const char *all_ram_is_mapped(void)
{
	struct page_range last = page_ram(page_ram_count() - 1);
	uint64_t word;

	CHECK(memory_read_nofault(&word, (const void *)(last.end - 8), 8) == 0);
	CHECK(page_get_access(last.end - 8) == PAGE_READ_WRITE);
	return NULL;
}

/* --- protection --- */

static const char constant[] = "constant";
static char variable[16];

static bool can_read(const void *address)
{
	char byte;

	return memory_read_nofault(&byte, address, 1) == 0;
}

/* Writes what is there already. */
static bool can_write(void *address)
{
	char byte;

	return memory_read_nofault(&byte, address, 1) == 0 &&
	       memory_write_nofault(address, &byte, 1) == 0;
}

static const char *nothing_is_writable_and_executable(void)
{
	void *text = (void *)(uintptr_t)alloc_here;
	void *page = page_alloc(0);

	CHECK(can_read(text) && !can_write(text));
	CHECK(page_get_access((uintptr_t)text) == PAGE_READ_EXECUTE);
	CHECK(can_read(constant) && !can_write((void *)constant));
	CHECK(page_get_access((uintptr_t)constant) == PAGE_READ);
	CHECK(can_write(variable));
	CHECK(page_get_access((uintptr_t)variable) == PAGE_READ_WRITE);
	CHECK(can_write(page));
	CHECK(page_get_access((uintptr_t)page) == PAGE_READ_WRITE);
	page_free(page, 0);
	return NULL;
}

static const char *low_memory_is_not_mapped(void)
{
	CHECK(!can_read(NULL) && !can_read((void *)(PAGE_LOW_END - 1)));
	/* Not canonical. */
	CHECK(!can_read((void *)0x8000000000000000ull));
	return NULL;
}

static const char *a_copy_stops_where_memory_ends(void)
{
	char *pages = page_alloc(1);
	char copy[64];

	memset(pages, 'x', PAGE_SIZE);
	page_protect((uintptr_t)pages + PAGE_SIZE, PAGE_SIZE, PAGE_NONE);
	for (size_t readable = 0; readable < 40; readable++) {
		memset(copy, 0, sizeof(copy));
		CHECK(memory_read_nofault(copy, pages + PAGE_SIZE - readable, 40) == 40 - readable);
		CHECK(strnlen(copy, sizeof(copy)) == readable);
		CHECK(memory_write_nofault(pages + PAGE_SIZE - readable, copy, 40) ==
		      40 - readable);
	}
	page_protect((uintptr_t)pages + PAGE_SIZE, PAGE_SIZE, PAGE_READ_WRITE);
	CHECK(can_write(pages + PAGE_SIZE));
	page_free(pages, 1);
	return NULL;
}

static const char *overlapping_moves_are_right(void)
{
	char bytes[32] = "abcdefghij";

	memmove(bytes + 3, bytes, 10);
	CHECK(memcmp(bytes, "abcabcdefghij", 13) == 0);
	memmove(bytes, bytes + 3, 10);
	CHECK(memcmp(bytes, "abcdefghij", 10) == 0);
	CHECK(memcmp("a", "b", 1) < 0 && memcmp("b", "a", 1) > 0 && memcmp("a", "b", 0) == 0);
	CHECK(memcmp("\x01", "\xff", 1) < 0);
	return NULL;
}

const struct test memory_tests[] = {
	{"the_heap_accounts_per_site", the_heap_accounts_per_site, 1},
	{"blocks_are_aligned_and_apart", blocks_are_aligned_and_apart, 1},
	{"the_heap_says_no", the_heap_says_no, 1},
	{"pages_are_aligned_and_join_again", pages_are_aligned_and_join_again, 1},
	{"ram_is_sorted_and_holds_the_image", ram_is_sorted_and_holds_the_image, 1},
	{"all_ram_is_mapped", all_ram_is_mapped, 1},
	{"nothing_is_writable_and_executable", nothing_is_writable_and_executable, 1},
	{"low_memory_is_not_mapped", low_memory_is_not_mapped, 1},
	{"a_copy_stops_where_memory_ends", a_copy_stops_where_memory_ends, 1},
	{"overlapping_moves_are_right", overlapping_moves_are_right, 1},
	{NULL, NULL, 0},
};
