/* SPDX-License-Identifier: MIT */
#include "guest-probe/arch/x86_64/core_thread.h"

/* Linux's numbers: signal(7), sigaction(2). */
#define SIGILL 4
#define SIGTRAP 5
#define SIGBUS 7
#define SIGFPE 8
#define SIGSEGV 11

#define ILL_ILLOPN 2
#define FPE_INTDIV 1
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRALN 1
#define BUS_MCEERR_AR 4
#define TRAP_BRKPT 1
#define SI_KERNEL 0x80

#define PAGE_FAULT_PRESENT 1u

uint64_t uni_core_pc(const struct uni_core_prstatus *status)
{
	return status->rip;
}

uint64_t uni_core_sp(const struct uni_core_prstatus *status)
{
	return status->rsp;
}

size_t uni_core_xstate_size(uint64_t xcr0)
{
	if (xcr0 & UNI_XCR0_PKRU)
		return UNI_XSAVE_SIZE;
	if (xcr0 & UNI_XCR0_AVX512)
		return UNI_XSAVE_PKRU;
	if (xcr0 & UNI_XCR0_AVX)
		return UNI_XSAVE_AVX_END;
	return UNI_XSAVE_AVX;
}

/* Intel SDM vol. 3, table 6-1; the signals are those that Linux sends. */
int32_t uni_core_fault_signal(uint32_t vector, uint64_t error_code, int32_t *code)
{
	switch (vector) {
	case 0: /* divide error */
		*code = FPE_INTDIV;
		return SIGFPE;
	case 1: /* debug */
	case 3: /* breakpoint */
		*code = TRAP_BRKPT;
		return SIGTRAP;
	case 6: /* invalid opcode */
		*code = ILL_ILLOPN;
		return SIGILL;
	case 14: /* page fault */
		*code = error_code & PAGE_FAULT_PRESENT ? SEGV_ACCERR : SEGV_MAPERR;
		return SIGSEGV;
	case 16: /* x87 */
	case 19: /* SSE */
		*code = SI_KERNEL;
		return SIGFPE;
	case 17: /* alignment check */
		*code = BUS_ADRALN;
		return SIGBUS;
	case 18: /* machine check */
		*code = BUS_MCEERR_AR;
		return SIGBUS;
	default:
		*code = SI_KERNEL;
		return SIGSEGV;
	}
}
