/* SPDX-License-Identifier: MIT */
#pragma once

/* Thread-local variables of an application: those of a thread lie at the top of its stack, below
 * where %fs points, and %fs:0 is that address (System V ABI, AMD64 Supplement, and "ELF Handling
 * For Thread-Local Storage", 3.4.6, variant II). An image without any pays nothing. */

#include <stddef.h>
#include <stdint.h>

#include "kernel/arch/x86_64/io.h"

extern const char kernel_tls_start[], kernel_tls_data_end[], kernel_tls_end[];

/* Bytes of the variables; 0: the image has none. Any context. */
static inline size_t tls_size(void)
{
	return (size_t)(kernel_tls_end - kernel_tls_start);
}

/* Makes the variables of a new thread below `top`, where all is zero, and returns its pointer. What
 * is below that and tls_size() is free. Any context. */
uintptr_t tls_init(uintptr_t top);

/* On the way to a thread; 0 for one that has none. Interrupts off. */
static inline void tls_use(uintptr_t pointer)
{
	if (pointer != 0)
		msr_write(MSR_FS_BASE, pointer);
}
