/* SPDX-License-Identifier: MIT */
#pragma once

/* What the small C library asks of the kernel, in types that both sides' headers know. */

#include <stddef.h>
#include <stdint.h>

/* The console, byte for byte: a terminal on the host adds its own carriage returns. */
void guest_write(const void *bytes, size_t len);
size_t guest_read(void *bytes, size_t size);

void *guest_alloc(size_t size);
void guest_free(void *block);

/* Whole pages, zeroed, that code may run in. NULL: there are none. */
void *guest_alloc_pages(size_t size);
void guest_free_pages(void *pages, size_t size);

uint64_t guest_time_ns(void);
void guest_sleep_ns(uint64_t duration_ns);

_Noreturn void guest_exit(int status);
_Noreturn void guest_abort(void);

/* The library's: runs constructors, main() of the program at that path, and exit(). In a thread
 * with a large stack. */
_Noreturn void libc_start(char *path);
