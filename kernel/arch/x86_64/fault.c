/* SPDX-License-Identifier: MIT */

#include "kernel/arch/x86_64/fault.h"

struct fault_entry {
	uint64_t instruction;
	uint64_t fixup;
};

extern const struct fault_entry __start_fault_table[], __stop_fault_table[];

uintptr_t fault_fixup(uintptr_t rip)
{
	for (const struct fault_entry *e = __start_fault_table; e < __stop_fault_table; e++) {
		if (e->instruction == rip)
			return e->fixup;
	}
	return 0;
}
