/* SPDX-License-Identifier: MIT */

/* Copies of an instruction that lead back by themselves:
 *
 *	to:		the instruction; jmp
 *	to + OPEN:	the instruction; sti; jmp
 *
 * sti lets no interrupt in before the jump is made (Intel SDM vol. 2, STI). */

#include "gdbstub/arch.h"
#include "gdbstub/arch/x86_64/instruction.h"

#define OPEN (UNI_GDB_TRAMPOLINE_SIZE / 2)

#define STI 0xfb
#define JMP 0xe9
#define INT3 0xcc

_Static_assert(15 + 1 + UNI_GDB_X86_BRANCH_LEN <= OPEN,
	       "the longest instruction, with what follows it");

/* Prefixes of instructions on strings, which are not over when they are interrupted. */
static bool repeats(const struct uni_gdb_x86_instruction *instruction)
{
	for (unsigned i = 0; i < instruction->opcode_at; i++)
		if (instruction->code[i] == 0xf2 || instruction->code[i] == 0xf3)
			return true;
	return false;
}

static bool is_plain(const struct uni_gdb_x86_instruction *instruction)
{
	if (instruction->map != UNI_GDB_X86_MAP_ONE || instruction->vector)
		return true;
	switch (instruction->code[instruction->opcode_at]) {
	case 0x9c: /* pushf, popf */
	case 0x9d:
	case 0xf4: /* hlt */
	case 0xfa: /* cli, sti */
	case 0xfb:
		return false;
	case 0x90: /* pause */
		return true;
	default:
		return !repeats(instruction);
	}
}

/* The length of an instruction that a trampoline may have; 0: it may not. */
static unsigned length_through(uint64_t from, const uint8_t code[UNI_GDB_DISPLACED_SIZE])
{
	struct uni_gdb_x86_instruction instruction;
	struct uni_gdb_flow flow;

	if (!uni_gdb_arch_flow(from, code, &flow) || flow.kind != UNI_GDB_FLOW_ON ||
	    flow.next - from > UNI_GDB_DISPLACED_SIZE - 1 ||
	    !uni_gdb_x86_parse(code, &instruction) || !is_plain(&instruction))
		return 0;
	return (unsigned)(flow.next - from);
}

static void copy(uint8_t *to, const uint8_t *from, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		to[i] = from[i];
}

bool uni_gdb_arch_trampoline(uint64_t from, uint64_t to, const uint8_t code[UNI_GDB_DISPLACED_SIZE],
			     uint8_t room[UNI_GDB_TRAMPOLINE_SIZE],
			     struct uni_gdb_displaced *displaced)
{
	unsigned len = length_through(from, code);
	uint8_t masked[UNI_GDB_DISPLACED_SIZE], open[UNI_GDB_DISPLACED_SIZE];
	struct uni_gdb_displaced opened;

	for (unsigned i = 0; i < UNI_GDB_TRAMPOLINE_SIZE; i++)
		room[i] = INT3;
	copy(masked, code, sizeof(masked));
	copy(open, code, sizeof(open));
	if (!uni_gdb_arch_displace(from, to, masked, displaced))
		return false;
	copy(room, masked, sizeof(masked));
	if (!len || !uni_gdb_arch_displace(from, to + OPEN, open, &opened) ||
	    !uni_gdb_x86_put_branch(room + len, JMP, to + len, from + len) ||
	    !uni_gdb_x86_put_branch(room + OPEN + len + 1, JMP, to + OPEN + len + 1, from + len))
		return true;
	copy(room + OPEN, open, len);
	room[OPEN + len] = STI;
	displaced->through = (uint8_t)len;
	return true;
}

uint64_t uni_gdb_arch_trampoline_entry(const struct uni_gdb_displaced *displaced, bool interrupts)
{
	return displaced->to + (interrupts ? OPEN : 0);
}

struct uni_gdb_place uni_gdb_arch_trampoline_place(const struct uni_gdb_displaced *displaced,
						   uint64_t pc)
{
	bool interrupts = pc >= displaced->to + OPEN;
	bool made = pc != uni_gdb_arch_trampoline_entry(displaced, interrupts);

	return (struct uni_gdb_place){
		.pc = displaced->from + (made ? displaced->through : 0),
		.made = made,
		.interrupts = interrupts,
	};
}
