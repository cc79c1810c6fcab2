/* SPDX-License-Identifier: MIT */

/* Whether a step went to the next instruction or took a branch. Opcode maps: Intel SDM vol. 2,
 * appendix A. */

#include "gdbstub/arch.h"
#include "gdbstub/arch/x86_64/instruction.h"

#define INSTRUCTION_MAX 15

enum flow { FLOW_ON, FLOW_AWAY, FLOW_SHORT, FLOW_NEAR };

/* Where control may go from here: FLOW_SHORT and FLOW_NEAR are branches that may not be taken, with
 * one and with four bytes behind the opcode. */
static enum flow flow_of(const struct uni_gdb_x86_instruction *instruction)
{
	const uint8_t *opcode = instruction->code + instruction->opcode_at;
	unsigned reg = opcode[1] >> 3 & 7;

	if (instruction->vector)
		return FLOW_ON;
	if (instruction->map == UNI_GDB_X86_MAP_0F) {
		if (*opcode >= 0x80 && *opcode <= 0x8f)
			return FLOW_NEAR;
		/* syscall, sysret, sysenter, sysexit */
		return *opcode == 0x05 || *opcode == 0x07 || *opcode == 0x34 || *opcode == 0x35
			       ? FLOW_AWAY
			       : FLOW_ON;
	}
	if (instruction->map != UNI_GDB_X86_MAP_ONE)
		return FLOW_ON;
	if ((*opcode >= 0x70 && *opcode <= 0x7f) || (*opcode >= 0xe0 && *opcode <= 0xe3))
		return FLOW_SHORT;
	switch (*opcode) {
	case 0xc2: /* ret, far ret */
	case 0xc3:
	case 0xca:
	case 0xcb:
	case 0xcc: /* int3, int, iret, int1 */
	case 0xcd:
	case 0xcf:
	case 0xf1:
	case 0xe8: /* call, jmp */
	case 0xe9:
	case 0xeb:
		return FLOW_AWAY;
	case 0xff:
		return reg >= 2 && reg <= 5 ? FLOW_AWAY : FLOW_ON;
	default:
		return FLOW_ON;
	}
}

bool uni_gdb_arch_falls_through(uint64_t from, uint64_t to,
				const uint8_t code[UNI_GDB_DISPLACED_SIZE])
{
	struct uni_gdb_x86_instruction instruction;

	if (to - from - 1 >= INSTRUCTION_MAX || !uni_gdb_x86_parse(code, &instruction))
		return false;
	switch (flow_of(&instruction)) {
	case FLOW_SHORT:
		return to == from + instruction.opcode_at + 2;
	case FLOW_NEAR:
		return to == from + instruction.opcode_at + 5;
	case FLOW_AWAY:
		return false;
	case FLOW_ON:
		return true;
	}
	return false;
}
