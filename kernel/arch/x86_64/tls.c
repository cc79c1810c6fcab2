/* SPDX-License-Identifier: MIT */

#include "kernel/arch/x86_64/tls.h"

#include <string.h>

#define TLS_ALIGN 64 /* kernel.ld */

uintptr_t tls_init(uintptr_t top)
{
	uintptr_t pointer = (top - sizeof(pointer)) & ~(uintptr_t)(TLS_ALIGN - 1);

	*(uintptr_t *)pointer = pointer;
	memcpy((void *)(pointer - tls_size()), kernel_tls_start,
	       (size_t)(kernel_tls_data_end - kernel_tls_start));
	return pointer;
}
