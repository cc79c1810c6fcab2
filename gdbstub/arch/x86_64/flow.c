/* SPDX-License-Identifier: MIT */

/* Where an instruction leads, and whether it moves the stack pointer. Opcode maps: Intel SDM vol.
 * 2, appendix A. */

#include "gdbstub/arch.h"
#include "gdbstub/arch/x86_64/instruction.h"

#define INSTRUCTION_MAX 15
#define SP 4
#define REX_R 4
#define REX_B 1

static enum uni_gdb_flow_kind kind_0f(uint8_t opcode)
{
	if (opcode >= 0x80 && opcode <= 0x8f)
		return UNI_GDB_FLOW_BRANCH;
	switch (opcode) {
	case 0x05: /* syscall, sysret, sysenter, sysexit */
	case 0x07:
	case 0x34:
	case 0x35:
		return UNI_GDB_FLOW_AWAY;
	default:
		return UNI_GDB_FLOW_ON;
	}
}

static enum uni_gdb_flow_kind kind_one(const uint8_t *opcode)
{
	unsigned reg = opcode[1] >> 3 & 7;

	if ((*opcode >= 0x70 && *opcode <= 0x7f) || (*opcode >= 0xe0 && *opcode <= 0xe3))
		return UNI_GDB_FLOW_BRANCH;
	switch (*opcode) {
	case 0xe9:
	case 0xeb:
		return UNI_GDB_FLOW_JUMP;
	case 0xc2: /* ret, far ret */
	case 0xc3:
	case 0xca:
	case 0xcb:
	case 0xcc: /* int3, int, iret, int1 */
	case 0xcd:
	case 0xcf:
	case 0xf1:
	case 0xe8: /* call */
		return UNI_GDB_FLOW_AWAY;
	case 0xc7: /* xbegin */
		return opcode[1] == 0xf8 ? UNI_GDB_FLOW_AWAY : UNI_GDB_FLOW_ON;
	case 0xff:
		return reg >= 2 && reg <= 5 ? UNI_GDB_FLOW_AWAY : UNI_GDB_FLOW_ON;
	default:
		return UNI_GDB_FLOW_ON;
	}
}

static enum uni_gdb_flow_kind kind_of(const struct uni_gdb_x86_instruction *instruction)
{
	const uint8_t *opcode = instruction->code + instruction->opcode_at;

	if (instruction->vector)
		return UNI_GDB_FLOW_ON;
	if (instruction->map == UNI_GDB_X86_MAP_0F)
		return kind_0f(*opcode);
	return instruction->map == UNI_GDB_X86_MAP_ONE ? kind_one(opcode) : UNI_GDB_FLOW_ON;
}

/* The field `reg` of ModRM is a register that may be written. */
static bool writes_reg(uint8_t opcode)
{
	if (opcode < 0x40)
		return opcode & 2;
	switch (opcode) {
	case 0x63:
	case 0x69:
	case 0x6b:
	case 0x86:
	case 0x87:
	case 0x8a:
	case 0x8b:
	case 0x8d:
		return true;
	default:
		return false;
	}
}

static bool pushes_or_pops(const uint8_t *opcode)
{
	if (*opcode >= 0x50 && *opcode <= 0x5f)
		return true;
	switch (*opcode) {
	case 0x68:
	case 0x6a:
	case 0x8f:
	case 0x9c:
	case 0x9d:
	case 0xc8: /* enter, leave */
	case 0xc9:
		return true;
	case 0xff:
		return (opcode[1] >> 3 & 7) == 6;
	default:
		return false;
	}
}

/* Of what compilers move it with. Some that only read it are among them, of those that it is an
 * operand of. */
static bool moves_sp(const struct uni_gdb_x86_instruction *instruction)
{
	const uint8_t *opcode = instruction->code + instruction->opcode_at;
	bool reg_is_sp = (opcode[1] >> 3 & 7) == SP && !(instruction->rex & REX_R);
	bool rm_is_sp = opcode[1] >> 6 == 3 && (opcode[1] & 7) == SP && !(instruction->rex & REX_B);

	if (instruction->vector)
		return false;
	if (instruction->map == UNI_GDB_X86_MAP_0F)
		/* pop and push of fs and gs; cmov */
		return (*opcode & 0xf6) == 0xa0 || ((*opcode & 0xf0) == 0x40 && reg_is_sp);
	if (instruction->map != UNI_GDB_X86_MAP_ONE)
		return false;
	if (pushes_or_pops(opcode))
		return true;
	if (uni_gdb_x86_has_modrm(instruction))
		return rm_is_sp || (reg_is_sp && writes_reg(*opcode));
	/* xchg and mov to the register that the opcode names */
	return (*opcode == (0x90 | SP) || *opcode == (0xb8 | SP)) && !(instruction->rex & REX_B);
}

/* The displacement of a branch is the last thing in it. */
static int64_t displacement(const struct uni_gdb_x86_instruction *instruction, unsigned len)
{
	const uint8_t *code = instruction->code;
	uint32_t bits = 0;

	if (len - instruction->opcode_at == 2)
		return (int8_t)code[len - 1];
	for (unsigned i = 0; i < 4; i++)
		bits |= (uint32_t)code[len - 4 + i] << 8 * i;
	return (int32_t)bits;
}

bool uni_gdb_arch_flow(uint64_t pc, const uint8_t code[UNI_GDB_DISPLACED_SIZE],
		       struct uni_gdb_flow *flow)
{
	struct uni_gdb_x86_instruction instruction;
	unsigned len = uni_gdb_x86_parse(code, &instruction) ? uni_gdb_x86_length(&instruction) : 0;

	if (!len)
		return false;
	/* Intel's and AMD's processors do not agree on what that is. */
	if (instruction.operand_16 && kind_of(&instruction) != UNI_GDB_FLOW_ON)
		return false;
	*flow = (struct uni_gdb_flow){
		.kind = kind_of(&instruction),
		.moves_sp = moves_sp(&instruction),
		.next = pc + len,
	};
	if (flow->kind == UNI_GDB_FLOW_BRANCH || flow->kind == UNI_GDB_FLOW_JUMP)
		flow->target = flow->next + (uint64_t)displacement(&instruction, len);
	return true;
}

bool uni_gdb_arch_falls_through(uint64_t from, uint64_t to,
				const uint8_t code[UNI_GDB_DISPLACED_SIZE])
{
	struct uni_gdb_flow flow;

	if (to - from - 1 >= INSTRUCTION_MAX || !uni_gdb_arch_flow(from, code, &flow))
		return false;
	/* The trap behind a step may come an instruction late. */
	return flow.kind == UNI_GDB_FLOW_ON ||
	       (flow.kind == UNI_GDB_FLOW_BRANCH && to == flow.next);
}
