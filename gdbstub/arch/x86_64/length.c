/* SPDX-License-Identifier: MIT */

/* How long an instruction is. Opcode maps: Intel SDM vol. 2, appendix A. */

#include "gdbstub/arch/x86_64/instruction.h"

#define REX_W 8

static bool has_modrm_one(uint8_t opcode)
{
	if (opcode < 0x40)
		return (opcode & 7) < 4;
	switch (opcode) {
	case 0x63:
	case 0x69:
	case 0x6b:
	case 0xc0:
	case 0xc1:
	case 0xc6:
	case 0xc7:
	case 0xf6:
	case 0xf7:
	case 0xfe:
	case 0xff:
		return true;
	default:
		return (opcode >= 0x80 && opcode <= 0x8f) || (opcode >= 0xd0 && opcode <= 0xd3) ||
		       (opcode >= 0xd8 && opcode <= 0xdf);
	}
}

static bool has_modrm_0f(uint8_t opcode)
{
	switch (opcode) {
	case 0x05:
	case 0x06:
	case 0x07:
	case 0x08:
	case 0x09:
	case 0x0b:
	case 0x77:
	case 0xa0:
	case 0xa1:
	case 0xa2:
	case 0xa8:
	case 0xa9:
	case 0xaa:
		return false;
	default:
		return !((opcode >= 0x30 && opcode <= 0x37) || (opcode >= 0x80 && opcode <= 0x8f) ||
			 (opcode >= 0xc8 && opcode <= 0xcf));
	}
}

bool uni_gdb_x86_has_modrm(const struct uni_gdb_x86_instruction *instruction)
{
	uint8_t opcode = instruction->code[instruction->opcode_at];

	if (instruction->map == UNI_GDB_X86_MAP_ONE)
		return has_modrm_one(opcode);
	return instruction->map != UNI_GDB_X86_MAP_0F || has_modrm_0f(opcode);
}

/* ModRM, SIB and displacement: Intel SDM vol. 2, tables 2-2 and 2-3. */
static unsigned operand_length(const uint8_t *modrm)
{
	unsigned mode = modrm[0] >> 6, base = modrm[0] & 7;
	unsigned len = 1;

	if (mode == 3)
		return len;
	if (base == 4) {
		base = modrm[1] & 7;
		len++;
	}
	if (mode == 1)
		return len + 1;
	return mode == 2 || base == 5 ? len + 4 : len;
}

/* Of what the operand size decides, up to 32 bits. */
static unsigned size_z(const struct uni_gdb_x86_instruction *instruction)
{
	return instruction->operand_16 && !(instruction->rex & REX_W) ? 2 : 4;
}

static unsigned immediate_one(const struct uni_gdb_x86_instruction *instruction)
{
	const uint8_t *opcode = instruction->code + instruction->opcode_at;
	bool is_test = (opcode[1] >> 3 & 7) < 2;

	if (*opcode < 0x40)
		return (*opcode & 7) == 4 ? 1 : (*opcode & 7) == 5 ? size_z(instruction) : 0;
	if ((*opcode >= 0x70 && *opcode <= 0x7f) || (*opcode >= 0xb0 && *opcode <= 0xb7) ||
	    (*opcode >= 0xe0 && *opcode <= 0xe7))
		return 1;
	if (*opcode >= 0xb8 && *opcode <= 0xbf)
		return instruction->rex & REX_W ? 8 : size_z(instruction);
	switch (*opcode) {
	case 0x6a:
	case 0x6b:
	case 0x80:
	case 0x83:
	case 0xa8:
	case 0xc0:
	case 0xc1:
	case 0xc6:
	case 0xcd:
	case 0xeb:
		return 1;
	case 0xf6:
		return is_test ? 1 : 0;
	case 0xc2:
	case 0xca:
		return 2;
	case 0xc8:
		return 3;
	case 0x68:
	case 0x69:
	case 0x81:
	case 0xa9:
	case 0xc7:
		return size_z(instruction);
	case 0xf7:
		return is_test ? size_z(instruction) : 0;
	case 0xe8:
	case 0xe9:
		return 4;
	case 0xa0:
	case 0xa1:
	case 0xa2:
	case 0xa3:
		return instruction->address_32 ? 4 : 8;
	default:
		return 0;
	}
}

static unsigned immediate_0f(uint8_t opcode)
{
	if (opcode >= 0x80 && opcode <= 0x8f)
		return 4;
	switch (opcode) {
	case 0x0f: /* 3DNow!: the opcode proper comes last */
	case 0x70:
	case 0x71:
	case 0x72:
	case 0x73:
	case 0xa4:
	case 0xac:
	case 0xba:
	case 0xc2:
	case 0xc4:
	case 0xc5:
	case 0xc6:
		return 1;
	default:
		return 0;
	}
}

static unsigned immediate_length(const struct uni_gdb_x86_instruction *instruction)
{
	switch (instruction->map) {
	case UNI_GDB_X86_MAP_ONE:
		return immediate_one(instruction);
	case UNI_GDB_X86_MAP_0F:
		return immediate_0f(instruction->code[instruction->opcode_at]);
	case UNI_GDB_X86_MAP_0F38:
		return 0;
	case UNI_GDB_X86_MAP_0F3A:
		return 1;
	}
	return 0;
}

/* Invalid in 64-bit mode. */
static bool is_unknown(const struct uni_gdb_x86_instruction *instruction)
{
	const uint8_t *opcode = instruction->code + instruction->opcode_at;

	if (instruction->map != UNI_GDB_X86_MAP_ONE)
		return false;
	if (*opcode < 0x40)
		return (*opcode & 7) > 5;
	switch (*opcode) {
	case 0x60:
	case 0x61:
	case 0x82:
	case 0x9a:
	case 0xce:
	case 0xd4:
	case 0xd5:
	case 0xd6:
	case 0xea:
		return true;
	case 0x8f: /* XOP */
		return opcode[1] >> 3 & 7;
	default:
		return false;
	}
}

unsigned uni_gdb_x86_length(const struct uni_gdb_x86_instruction *instruction)
{
	unsigned len = instruction->opcode_at + 1;

	if (is_unknown(instruction))
		return 0;
	if (uni_gdb_x86_has_modrm(instruction))
		len += operand_length(instruction->code + len);
	return len + immediate_length(instruction);
}
