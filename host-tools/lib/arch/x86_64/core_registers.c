// SPDX-License-Identifier: MIT
#include "host-tools/lib/arch/x86_64/core_registers.h"

enum { DWARF_RSP = 7, DWARF_RETURN_ADDRESS = 16 };

void uni_core_registers_get(const struct uni_core_prstatus *status, struct uni_core_registers *out)
{
	*out = (struct uni_core_registers){
		.pc = status->rip,
		.sp = status->rsp,
		.dwarf = {status->rax, status->rdx, status->rcx, status->rbx, status->rsi,
			  status->rdi, status->rbp, status->rsp, status->r8, status->r9,
			  status->r10, status->r11, status->r12, status->r13, status->r14,
			  status->r15, status->rip},
	};
}

void uni_core_registers_return(struct uni_core_registers *registers, uint64_t return_address)
{
	registers->pc = return_address;
	registers->sp += sizeof(return_address);
	registers->dwarf[DWARF_RSP] = registers->sp;
	registers->dwarf[DWARF_RETURN_ADDRESS] = return_address;
}
