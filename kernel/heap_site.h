/* SPDX-License-Identifier: MIT */
#pragma once

/* heap.c's books: who holds how much. All but heap_get_site() under the heap's lock. */

#include "kernel/heap.h"

/* Books one block; returns the index to remove it by. */
uint32_t heap_site_add(uintptr_t address, size_t size);
void heap_site_remove(uint32_t index, size_t size);

uint32_t heap_site_count(void);

/* The site with the most live bytes; a zeroed one if there is none. No lock needed. */
void heap_site_most_live(struct heap_site *out);
