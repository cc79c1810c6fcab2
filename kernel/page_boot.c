/* SPDX-License-Identifier: MIT */

/* From the loader's memory map to the final page tables and an allocator that has all there is. */

#include "kernel/arch/x86_64/page_table.h"
#include "kernel/boot.h"
#include "kernel/image.h"
#include "kernel/page.h"
#include "kernel/page_internal.h"
#include "kernel/panic.h"

#define RANGE_MAX 32
#define BOOT_END 0x100000000ull /* boot.S maps no further */

extern char boot_stack_guard[];

static struct page_range ram[RANGE_MAX];
static unsigned ram_count;

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
	uint64_t count = ram[ram_count - 1].end / PAGE_SIZE;
	uint64_t end = (start + count + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);

	for (unsigned i = 0; i < ram_count; i++) {
		if (ram[i].start <= start && end <= ram[i].end) {
			page_states_init((uint8_t *)start, count);
			return end;
		}
	}
	panic("no room for the page table of %llu pages above the image",
	      (unsigned long long)count);
}

/* What lies in [low, high) of the RAM. Page tables come out of the low part before the high one can
 * be reached. */
static void add_free_within(uint64_t low, uint64_t high)
{
	for (unsigned i = 0; i < ram_count; i++) {
		uint64_t start = ram[i].start > low ? ram[i].start : low;
		uint64_t end = ram[i].end < high ? ram[i].end : high;

		if (start < end)
			page_give(start, end);
	}
}

static void map_all(void)
{
	uintptr_t text = (uintptr_t)kernel_text_start;
	uintptr_t data = (uintptr_t)kernel_data_start;
	uintptr_t image = (uintptr_t)kernel_image_start;

	for (unsigned i = 0; i < ram_count; i++)
		page_table_map(ram[i].start, ram[i].end - ram[i].start, PAGE_READ_WRITE);
	/* The firmware's tables lie there, in what the map may call reserved. */
	page_table_map(PAGE_SIZE, PAGE_LOW_END - PAGE_SIZE, PAGE_READ_WRITE);
	page_table_map(0, PAGE_SIZE, PAGE_NONE);
	page_table_map(image, text - image, PAGE_READ);
	page_table_map(text, data - text, PAGE_READ_EXECUTE);
	page_table_map((uintptr_t)boot_stack_guard, PAGE_SIZE, PAGE_NONE);
}

void page_init(void)
{
	uint64_t free_start;

	read_memory_map();
	free_start = place_states();
	add_free_within(free_start, BOOT_END);
	map_all();
	page_table_use();
	add_free_within(BOOT_END, UINT64_MAX);
	page_set_guard(boot_stack_guard, true);
}

void page_unmap_low(void)
{
	page_protect(0, PAGE_LOW_END, PAGE_NONE);
}
