/* SPDX-License-Identifier: MIT */
#pragma once

/* Writing to text while it is mapped read-only, for live patching and breakpoints.
 *
 * Text that another CPU may be executing meanwhile must be changed by the int3 protocol (SDM vol.
 * 3, 8.1.3; what Linux calls text_poke_bp): the writer lays an int3 over the first byte,
 * text_sync_all(), writes the rest, text_sync_all(), then the first byte, text_sync_all(). With the
 * others stopped a single write does. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Any context, NMI included. Clears CR0.WP around the write, with interrupts off. Of 8 bytes or
 * more each whole word is written at once, the rest byte by byte. Returns 0, -UNI_EFAULT when part
 * of it is not mapped (what comes before is written). */
int text_write(void *address, const void *bytes, size_t len);

/* When it returns, every online CPU has executed a serializing instruction. Thread context,
 * interrupts on, no spinlock held. */
void text_sync_all(void);

/* True when [address, address + len) lies in the kernel's text. */
bool text_contains(uintptr_t address, size_t len);
