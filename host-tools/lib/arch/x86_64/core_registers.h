/* SPDX-License-Identifier: MIT */
/* The registers of a thread of a dump in the order in which DWARF numbers them (System V ABI for
 * x86-64, figure 3.36). */
#pragma once

#include <stdint.h>

#include "guest-probe/arch/x86_64/core_abi.h"

#define UNI_CORE_DWARF_REGISTERS 17

struct uni_core_registers {
	uint64_t pc;
	uint64_t sp;
	uint64_t dwarf[UNI_CORE_DWARF_REGISTERS];
};

void uni_core_registers_get(const struct uni_core_prstatus *status, struct uni_core_registers *out);

/* What a return instruction does: the return address, which is at the top of the stack, becomes the
 * pc. */
void uni_core_registers_return(struct uni_core_registers *registers, uint64_t return_address);
