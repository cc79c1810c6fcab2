/* SPDX-License-Identifier: MIT */

#include "kernel/heap_site.h"

/* Sites in the order of their first allocation, found through a hash of their address. Site 0
 * stands for all that find no room. */
#define SLOT_COUNT (2 * HEAP_SITE_MAX)

static struct heap_site sites[HEAP_SITE_MAX];
static uint32_t site_count = 1;
static uint16_t slots[SLOT_COUNT]; /* index into sites, 0: empty */

static uint32_t find(uintptr_t address)
{
	/* Fibonacci hashing: the high bits are the mixed ones. */
	uint32_t at = (uint32_t)(address * 0x9e3779b97f4a7c15ull >> 32) % SLOT_COUNT;

	while (slots[at] != 0 && sites[slots[at]].address != address)
		at = (at + 1) % SLOT_COUNT;
	if (slots[at] == 0 && site_count < HEAP_SITE_MAX) {
		sites[site_count].address = address;
		slots[at] = (uint16_t)site_count;
		__atomic_store_n(&site_count, site_count + 1, __ATOMIC_RELEASE);
	}
	return slots[at];
}

uint32_t heap_site_add(uintptr_t address, size_t size)
{
	uint32_t index = find(address);
	struct heap_site *site = &sites[index];

	site->live_bytes += size;
	site->live_count++;
	site->total_bytes += size;
	site->total_count++;
	return index;
}

void heap_site_remove(uint32_t index, size_t size)
{
	sites[index].live_bytes -= size;
	sites[index].live_count--;
}

uint32_t heap_site_count(void)
{
	return __atomic_load_n(&site_count, __ATOMIC_ACQUIRE);
}

void heap_site_most_live(struct heap_site *out)
{
	*out = sites[0];
	for (uint32_t i = 1; i < heap_site_count(); i++) {
		if (sites[i].live_bytes > out->live_bytes)
			*out = sites[i];
	}
}

bool heap_get_site(uint32_t index, struct heap_site *out)
{
	if (index >= heap_site_count())
		return false;
	*out = sites[index];
	return true;
}
