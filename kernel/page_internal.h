/* SPDX-License-Identifier: MIT */
#pragma once

/* Between page.c, page_boot.c and page_stack.c. */

#include <stdbool.h>
#include <stdint.h>

/* The storage for one byte a page, of pages 0 to count - 1. First of all. */
void page_states_init(uint8_t *storage, uint64_t count);

/* Hands RAM to the allocator, page-aligned, mapped already. */
void page_give(uint64_t start, uint64_t end);

/* Marks the first page of an allocated span, or of the image, as a guard, or takes the mark back.
 */
void page_set_guard(void *page, bool is_guard);
