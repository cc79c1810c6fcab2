/* SPDX-License-Identifier: MIT */
/* A thread of a crash dump on x86-64. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gdbstub/arch/x86_64/xsave.h"
#include "guest-probe/arch/x86_64/core_abi.h"

#define UNI_CORE_MACHINE 62 /* EM_X86_64 */

struct uni_core_thread {
	struct uni_core_prstatus status; /* pid and registers are the caller's to fill */

	/* The FPU: the area of xsave.h where xcr0 tells which components it has, else only the 512
	 * bytes of FXSAVE; they stay until the next thread is asked for. NULL: not known. */
	const void *fp;
	uint64_t xcr0;
};

/* The FXSAVE area (Intel SDM vol. 1, 10.5.1), which is Linux's NT_FPREGSET too. */
#define UNI_CORE_FP_SIZE UNI_XSAVE_LEGACY_SIZE

/* Bytes of NT_X86_XSTATE: gdb 13 expects exactly this many (gdbsupport/x86-xstate.h). */
size_t uni_core_xstate_size(uint64_t xcr0);

/* Where in them XCR0 is, in bytes that the processor leaves to software. */
#define UNI_CORE_XSTATE_XCR0 464

/* Where the thread was, and the top of its stack. */
uint64_t uni_core_pc(const struct uni_core_prstatus *status);
uint64_t uni_core_sp(const struct uni_core_prstatus *status);

/* The signal for a fault of the processor, and its si_code. */
int32_t uni_core_fault_signal(uint32_t vector, uint64_t error_code, int32_t *code);
