/* SPDX-License-Identifier: MIT */
#pragma once

/* The PVH boot protocol: what the loader leaves in memory (Xen, public/arch-x86/hvm/start_info.h).
 */

#include <stdint.h>

#define PVH_MAGIC 0x336ec578

struct pvh_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t module_count;
	uint64_t modules;
	uint64_t command_line; /* address of a string, or 0 */
	uint64_t rsdp;	       /* or 0 */
	uint64_t memory_map;   /* from version 1 on */
	uint32_t memory_map_count;
	uint32_t reserved;
};

_Static_assert(sizeof(struct pvh_start_info) == 56, "PVH");

#define PVH_MEMORY_RAM 1

struct pvh_memory {
	uint64_t start;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

_Static_assert(sizeof(struct pvh_memory) == 24, "PVH");

/* Set by kernel_boot(); what it points to is not kept once the page allocator is up. */
extern const struct pvh_start_info *boot_info;

/* Entered from boot.S on the boot stack, interrupts off. */
_Noreturn void kernel_boot(const struct pvh_start_info *info);

/* Entered from ap_entry.S by every other CPU, on the stack of its idle thread. */
struct cpu;
_Noreturn void kernel_boot_ap(struct cpu *cpu);
