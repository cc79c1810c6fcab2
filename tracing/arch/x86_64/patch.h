/* SPDX-License-Identifier: MIT */
#pragma once

/* The instructions that a tracepoint's site can hold. */

#include <stdint.h>

#include "tracing/arch/x86_64/site.h"

#define UNI_PATCH_BREAKPOINT 0xcc

/* nopl 0(%rax,%rax): Intel SDM vol. 2, NOP, the recommended 5-byte form. */
static inline void uni_patch_encode_off(uint8_t code[UNI_TRACE_SITE_BYTES])
{
	static const uint8_t nop[UNI_TRACE_SITE_BYTES] = {0x0f, 0x1f, 0x44, 0x00, 0x00};

	__builtin_memcpy(code, nop, sizeof(nop));
}

/* jmp rel32, relative to the end of the site; both lie in one image, below 2 GiB. */
static inline void uni_patch_encode_on(uint8_t code[UNI_TRACE_SITE_BYTES], uint64_t site,
				       uint64_t target)
{
	uint32_t distance = (uint32_t)(target - (site + UNI_TRACE_SITE_BYTES));

	code[0] = 0xe9;
	__builtin_memcpy(code + 1, &distance, sizeof(distance));
}
