/* SPDX-License-Identifier: MIT */
/* The registers of a thread in a crash dump (see dump_abi.h), as Linux writes them for x86-64. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* NT_PRSTATUS of Linux for x86-64: what gdb and elfutils take for a thread. */
struct uni_core_prstatus {
	int32_t signo; /* siginfo: si_signo, si_code, si_errno */
	int32_t code;
	int32_t error;
	int16_t cursig; /* the same in every thread: BFD keeps the last one it reads */
	uint16_t pad;
	uint64_t sigpend;
	uint64_t sighold;
	int32_t pid; /* the thread's id: unique, 1 to 2^31 - 1 */
	int32_t ppid;
	int32_t pgrp;
	int32_t sid;
	uint64_t times[8];
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax;
	uint64_t rip, cs, rflags, rsp, ss, fs_base, gs_base, ds, es, fs, gs;
	int32_t fpvalid;
	uint32_t pad2;
};

_Static_assert(offsetof(struct uni_core_prstatus, cursig) == 12, "prstatus layout");
_Static_assert(offsetof(struct uni_core_prstatus, pid) == 32, "prstatus layout");
_Static_assert(offsetof(struct uni_core_prstatus, r15) == 112, "prstatus layout");
_Static_assert(offsetof(struct uni_core_prstatus, fpvalid) == 328, "prstatus layout");
_Static_assert(sizeof(struct uni_core_prstatus) == 336, "prstatus layout");
