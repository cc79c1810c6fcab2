/* SPDX-License-Identifier: MIT */
/* The memory operand of one instruction (Intel SDM volume 2, chapter 2): as much of a decoder as it
 * takes to tell which register held the pointer that failed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host-tools/lib/arch/x86_64/core_registers.h"

#define UNI_INSTRUCTION_MAX 15

struct uni_memory_operand {
	int base;  /* DWARF's number of the register; -1: none */
	int index; /* the same */
	unsigned scale;
	int64_t displacement;
};

/* False: the instruction has no operand of the form base + index * scale + displacement. The opcode
 * is not looked at, so one without operands may decode to something: compare
 * uni_memory_operand_address() with the address of the fault. */
bool uni_memory_operand_decode(const uint8_t code[UNI_INSTRUCTION_MAX],
			       struct uni_memory_operand *out);

uint64_t uni_memory_operand_address(const struct uni_memory_operand *operand,
				    const struct uni_core_registers *registers);

/* The register (DWARF's number) that was null when the instruction failed at `address`, and how far
 * behind it the address lies. False: no null pointer explains that address. */
bool uni_memory_operand_null(const uint8_t code[UNI_INSTRUCTION_MAX],
			     const struct uni_core_registers *registers, uint64_t address,
			     int *dwarf_register, uint64_t *offset);
