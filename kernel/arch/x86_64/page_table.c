/* SPDX-License-Identifier: MIT */

/* Four-level page tables (Intel SDM vol. 3, 4.5): 2 MiB pages where all of one is alike, split as
 * soon as a part is not. Tables are never freed, so that lookups need no lock. */

#include "kernel/arch/x86_64/page_table.h"

#include "kernel/arch/x86_64/io.h"
#include "kernel/cpu.h"
#include "kernel/irq.h"
#include "kernel/panic.h"
#include "kernel/spinlock.h"

#define PTE_PRESENT (1ull << 0)
#define PTE_WRITE (1ull << 1)
#define PTE_WRITE_THRU (1ull << 3)
#define PTE_UNCACHED (1ull << 4)
#define PTE_SIZE (1ull << 7)
#define PTE_NO_EXECUTE (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull

#define TABLE_ENTRIES 512
#define LARGE_PAGE (1ul << 21)

/* Bits that choose the entry, for the level whose entries map single pages. */
#define PAGE_SHIFT 12
#define LEVEL_SHIFT 9

#define DEVICE_MAX 64

static struct page_range devices[DEVICE_MAX];
static unsigned device_count;

uint64_t kernel_pml4[TABLE_ENTRIES] __attribute__((aligned(PAGE_SIZE)));

static struct spinlock page_table_lock = SPINLOCK_INIT("page tables");

static uint64_t *entry_at(uint64_t *table, uintptr_t address, unsigned level)
{
	return &table[address >> (PAGE_SHIFT + LEVEL_SHIFT * level) & (TABLE_ENTRIES - 1)];
}

static uint64_t *table_of(uint64_t entry)
{
	return (uint64_t *)(entry & PTE_ADDRESS);
}

static uint64_t *new_table(void)
{
	uint64_t *table = page_alloc(0);

	if (table == NULL)
		panic_kind(PANIC_OUT_OF_MEMORY, "out of memory: no page for a page table");
	return table;
}

/* The table below *entry, made if there is none. A large page becomes 512 small ones alike. */
static uint64_t *descend(uint64_t *entry)
{
	uint64_t *table;

	if ((*entry & PTE_PRESENT) && !(*entry & PTE_SIZE))
		return table_of(*entry);
	table = new_table();
	for (unsigned i = 0; i < TABLE_ENTRIES; i++)
		table[i] = *entry & PTE_PRESENT ? (*entry & ~PTE_SIZE) + i * PAGE_SIZE : 0;
	/* Complete before a processor can walk into it. */
	__atomic_store_n(entry, (uintptr_t)table | PTE_PRESENT | PTE_WRITE, __ATOMIC_RELEASE);
	return table;
}

static uint64_t access_bits(enum page_access access)
{
	switch (access) {
	case PAGE_READ:
		return PTE_PRESENT | PTE_NO_EXECUTE;
	case PAGE_READ_WRITE:
		return PTE_PRESENT | PTE_WRITE | PTE_NO_EXECUTE;
	case PAGE_READ_EXECUTE:
		return PTE_PRESENT;
	case PAGE_READ_WRITE_EXECUTE:
		return PTE_PRESENT | PTE_WRITE;
	default:
		return 0;
	}
}

static void map(uintptr_t start, uintptr_t end, uint64_t bits)
{
	uint64_t flags = spin_lock(&page_table_lock);

	while (start < end) {
		uint64_t *table = descend(entry_at(kernel_pml4, start, 3));
		uint64_t *entry = entry_at(descend(entry_at(table, start, 2)), start, 1);
		bool is_table = (*entry & PTE_PRESENT) && !(*entry & PTE_SIZE);

		if (!is_table && start % LARGE_PAGE == 0 && end - start >= LARGE_PAGE) {
			*entry = bits != 0 ? start | bits | PTE_SIZE : 0;
			start += LARGE_PAGE;
		} else {
			entry = entry_at(descend(entry), start, 0);
			*entry = bits != 0 ? start | bits : 0;
			start += PAGE_SIZE;
		}
	}
	spin_unlock(&page_table_lock, flags);
}

void page_table_map(uintptr_t start, size_t size, enum page_access access)
{
	map(start, start + size, access_bits(access));
}

void page_table_use(void)
{
	cr3_write((uintptr_t)kernel_pml4);
}

static void flush(void *argument)
{
	cr3_write(cr3_read());
}

void page_protect(uintptr_t start, size_t size, enum page_access access)
{
	KASSERT(start % PAGE_SIZE == 0 && size % PAGE_SIZE == 0);
	map(start, start + size, access_bits(access));
	flush(NULL);
	if (cpu_count() > 1)
		irq_call_others(flush, NULL);
}

unsigned page_device_count(void)
{
	return device_count;
}

struct page_range page_device(unsigned index)
{
	return devices[index];
}

static void add_device(uintptr_t start, uintptr_t end)
{
	uint64_t flags = spin_lock(&page_table_lock);
	unsigned i = 0;

	while (i < device_count && (start > devices[i].end || end < devices[i].start))
		i++;
	if (i < device_count) {
		devices[i].start = start < devices[i].start ? start : devices[i].start;
		devices[i].end = end > devices[i].end ? end : devices[i].end;
	} else if (i < DEVICE_MAX) {
		devices[device_count++] = (struct page_range){start, end};
	}
	spin_unlock(&page_table_lock, flags);
}

void *page_map_device(uint64_t physical, size_t size)
{
	uintptr_t start = physical & ~(PAGE_SIZE - 1);
	uintptr_t end = (physical + size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);

	add_device(start, end);

	/* What was not mapped is in no TLB: nobody needs to be told. */
	map(start, end, access_bits(PAGE_READ_WRITE) | PTE_UNCACHED | PTE_WRITE_THRU);
	return (void *)physical;
}

enum page_access page_get_access(uintptr_t address)
{
	uint64_t *table = kernel_pml4;
	uint64_t entry = 0;

	if (address >> 47 != 0)
		return PAGE_NONE;
	for (int level = 3; level >= 0; level--) {
		entry = *entry_at(table, address, (unsigned)level);
		if (!(entry & PTE_PRESENT))
			return PAGE_NONE;
		if (entry & PTE_SIZE)
			break;
		table = table_of(entry);
	}
	if (entry & PTE_WRITE)
		return entry & PTE_NO_EXECUTE ? PAGE_READ_WRITE : PAGE_READ_WRITE_EXECUTE;
	return entry & PTE_NO_EXECUTE ? PAGE_READ : PAGE_READ_EXECUTE;
}
