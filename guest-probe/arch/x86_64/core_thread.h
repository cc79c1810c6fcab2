/* SPDX-License-Identifier: MIT */
/* A thread of a crash dump on x86-64. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "guest-probe/arch/x86_64/core_abi.h"

#define UNI_CORE_MACHINE 62 /* EM_X86_64 */

/* The FXSAVE area (Intel SDM vol. 1, 10.5.1), which is Linux's NT_FPREGSET too. */
#define UNI_CORE_FP_SIZE 512

struct uni_core_thread {
	struct uni_core_prstatus status; /* pid and registers are the caller's to fill */
	const void *fp;			 /* UNI_CORE_FP_SIZE bytes that stay until the next
					  * thread is asked for; NULL: not known */
};

/* Where the thread was, and the top of its stack. */
uint64_t uni_core_pc(const struct uni_core_prstatus *status);
uint64_t uni_core_sp(const struct uni_core_prstatus *status);

/* The signal for a fault of the processor, and its si_code. */
int32_t uni_core_fault_signal(uint32_t vector, uint64_t error_code, int32_t *code);
