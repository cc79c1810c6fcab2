/* SPDX-License-Identifier: MIT */
#pragma once

/* What page.c needs of the page tables beyond page.h. */

#include "kernel/page.h"

/* The root; below 4 GiB, for the CPUs that start in 32-bit mode. */
extern uint64_t kernel_pml4[];

/* As page_protect() for addresses that no TLB holds yet: boot, or never mapped before. */
void page_table_map(uintptr_t start, size_t size, enum page_access access);

/* Switches the running CPU over. */
void page_table_use(void);
