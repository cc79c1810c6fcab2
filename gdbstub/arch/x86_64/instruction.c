/* SPDX-License-Identifier: MIT */

#include "gdbstub/arch/x86_64/instruction.h"

#define PREFIXES_MAX 4

static bool is_legacy_prefix(uint8_t byte)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64:
	case 0x65:
	case 0x66:
	case 0x67:
	case 0xf0:
	case 0xf2:
	case 0xf3:
		return true;
	default:
		return false;
	}
}

static enum uni_gdb_x86_map vector_map(uint8_t number)
{
	return number == 2   ? UNI_GDB_X86_MAP_0F38
	       : number == 3 ? UNI_GDB_X86_MAP_0F3A
			     : UNI_GDB_X86_MAP_0F;
}

bool uni_gdb_x86_parse(const uint8_t *code, struct uni_gdb_x86_instruction *out)
{
	unsigned at = 0;

	*out = (struct uni_gdb_x86_instruction){.code = code};
	for (; is_legacy_prefix(code[at]); at++) {
		if (at == PREFIXES_MAX)
			return false;
		if (code[at] == 0x67)
			out->address_32 = true;
		if (code[at] == 0x66)
			out->operand_16 = true;
	}
	if (code[at] >= 0x40 && code[at] <= 0x4f)
		out->rex = code[at++];
	if (code[at] == 0xc5 || code[at] == 0xc4 || code[at] == 0x62) {
		out->vector = true;
		out->map = code[at] == 0xc5 ? UNI_GDB_X86_MAP_0F : vector_map(code[at + 1] & 7);
		at += code[at] == 0xc5 ? 2 : code[at] == 0xc4 ? 3 : 4;
	} else if (code[at] == 0x0f) {
		at++;
		out->map = UNI_GDB_X86_MAP_0F;
		if (code[at] == 0x38 || code[at] == 0x3a) {
			out->map = code[at] == 0x38 ? UNI_GDB_X86_MAP_0F38 : UNI_GDB_X86_MAP_0F3A;
			at++;
		}
	}
	out->opcode_at = at;
	return true;
}

bool uni_gdb_x86_put_branch(uint8_t code[UNI_GDB_X86_BRANCH_LEN], uint8_t opcode, uint64_t at,
			    uint64_t target)
{
	int64_t by = (int64_t)(target - (at + UNI_GDB_X86_BRANCH_LEN));

	if (by != (int32_t)by)
		return false;
	code[0] = opcode;
	for (unsigned i = 0; i < UNI_GDB_X86_BRANCH_LEN - 1; i++)
		code[1 + i] = (uint8_t)((uint64_t)by >> 8 * i);
	return true;
}
