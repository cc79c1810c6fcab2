/* SPDX-License-Identifier: MIT */

/* Instructions that run at another place than their own. What one reads of the pc is its operand
 * relative to rip, a branch's target, and the return address of a call. Opcode maps: Intel SDM
 * vol. 2, appendix A. */

#include "gdbstub/arch.h"
#include "gdbstub/arch/x86_64/instruction.h"

/* What enters or leaves somewhere by a door of its own, or puts the trap after a step off. */
static bool is_refused(const struct uni_gdb_x86_instruction *instruction)
{
	const uint8_t *opcode = instruction->code + instruction->opcode_at;
	unsigned reg = opcode[1] >> 3 & 7;

	if (instruction->vector)
		return false;
	if (instruction->map == UNI_GDB_X86_MAP_0F) {
		switch (*opcode) {
		case 0x01: /* swapgs, vmrun, lidt, ... */
		case 0x05: /* syscall, sysret */
		case 0x07:
		case 0x34: /* sysenter, sysexit */
		case 0x35:
		case 0xb2: /* lss */
			return true;
		default:
			return false;
		}
	}
	if (instruction->map != UNI_GDB_X86_MAP_ONE)
		return false;
	switch (*opcode) {
	case 0x8e: /* mov to a segment */
	case 0xca: /* far ret */
	case 0xcb:
	case 0xcc: /* int3, int, iret, int1 */
	case 0xcd:
	case 0xce:
	case 0xcf:
	case 0xf1:
		return true;
	case 0xc7: /* xbegin */
		return opcode[1] == 0xf8;
	case 0xff: /* far call, far jmp */
		return reg == 3 || reg == 5;
	default:
		return false;
	}
}

static enum uni_gdb_displaced_kind kind_of(const struct uni_gdb_x86_instruction *instruction)
{
	const uint8_t *opcode = instruction->code + instruction->opcode_at;
	unsigned reg = opcode[1] >> 3 & 7;

	if (instruction->map != UNI_GDB_X86_MAP_ONE || instruction->vector)
		return UNI_GDB_DISPLACED_PLAIN;
	if (*opcode == 0xe8)
		return UNI_GDB_DISPLACED_CALL;
	if (*opcode == 0xc2 || *opcode == 0xc3 || (*opcode == 0xff && reg == 4))
		return UNI_GDB_DISPLACED_ABSOLUTE;
	if (*opcode == 0xff && reg == 2)
		return UNI_GDB_DISPLACED_ABSOLUTE_CALL;
	return UNI_GDB_DISPLACED_PLAIN;
}

/* The four bytes of an operand relative to rip, NULL where there is none. */
static uint8_t *find_relative(const struct uni_gdb_x86_instruction *instruction, uint8_t *code)
{
	uint8_t modrm = code[instruction->opcode_at + 1];

	if (!uni_gdb_x86_has_modrm(instruction) || modrm >> 6 != 0 || (modrm & 7) != 5)
		return NULL;
	return code + instruction->opcode_at + 2;
}

static bool move_relative(uint8_t *at, uint64_t by)
{
	uint32_t bits = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
			(uint32_t)at[3] << 24;
	int64_t moved = (int32_t)bits + (int64_t)by;

	if (moved != (int32_t)moved)
		return false;
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)((uint64_t)moved >> 8 * i);
	return true;
}

bool uni_gdb_arch_displace(uint64_t from, uint64_t to, uint8_t code[UNI_GDB_DISPLACED_SIZE],
			   struct uni_gdb_displaced *displaced)
{
	struct uni_gdb_x86_instruction instruction;
	uint8_t *relative;

	if (!uni_gdb_x86_parse(code, &instruction) || is_refused(&instruction))
		return false;
	relative = find_relative(&instruction, code);
	if (relative && (instruction.address_32 || !move_relative(relative, from - to)))
		return false;
	displaced->from = from;
	displaced->to = to;
	displaced->kind = kind_of(&instruction);
	displaced->through = 0;
	return true;
}

uint64_t uni_gdb_arch_displaced_pc(const struct uni_gdb_displaced *displaced, uint64_t pc)
{
	if (displaced->kind == UNI_GDB_DISPLACED_ABSOLUTE ||
	    displaced->kind == UNI_GDB_DISPLACED_ABSOLUTE_CALL)
		return pc;
	/* QEMU's trap behind a step over `pause` comes an instruction late: behind the jump. */
	if (displaced->through && pc == displaced->from + displaced->through)
		return pc;
	return pc - displaced->to + displaced->from;
}

bool uni_gdb_arch_displaced_pushes(const struct uni_gdb_displaced *displaced)
{
	return displaced->kind == UNI_GDB_DISPLACED_CALL ||
	       displaced->kind == UNI_GDB_DISPLACED_ABSOLUTE_CALL;
}
