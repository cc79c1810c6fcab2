/* SPDX-License-Identifier: MIT */
#pragma once

/* Memory access that may fault without harm: for code that follows addresses it was given by a
 * debugger, or found in memory that may be broken.
 *
 * Any context, NMI included: a fault inside is resolved through the exception table, and when it
 * strikes within an NMI handler the return from the fault does not re-open NMIs. Both write through
 * the page tables as they are: writing to text needs text_write(). */

#include <stddef.h>
#include <stdint.h>

/* Copies len bytes, byte by byte at the edges of what is mapped. Return the number of bytes that
 * were NOT copied, counted from the end: 0 when all was. Non-canonical addresses count as unmapped.
 */
size_t memory_read_nofault(void *to, const void *from, size_t len);
size_t memory_write_nofault(void *to, const void *from, size_t len);

/* Where to go on when the instruction at rip faulted; 0 when a fault there is a real one. */
uintptr_t fault_fixup(uintptr_t rip);
