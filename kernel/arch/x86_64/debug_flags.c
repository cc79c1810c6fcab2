/* SPDX-License-Identifier: MIT */

/* Single steps with interrupts off, so that a step never ends in a handler: the interrupt flag that
 * the program should see is put right after the instruction, whatever it did with the flags. */

#include "kernel/arch/x86_64/debug_arch.h"
#include "kernel/arch/x86_64/fault.h"
#include "kernel/cpu.h"

#define INSTRUCTION_MAX 15

enum opcode {
	OPCODE_NOP = 0x90,
	OPCODE_PUSHF = 0x9c,
	OPCODE_POPF = 0x9d,
	OPCODE_IRET = 0xcf,
	OPCODE_HLT = 0xf4,
	OPCODE_CLI = 0xfa,
	OPCODE_STI = 0xfb,
};

static bool is_prefix(uint8_t byte)
{
	switch (byte) {
	case 0x26: /* segments */
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64:
	case 0x65:
	case 0x66: /* operand and address size */
	case 0x67:
	case 0xf0: /* lock, repeat */
	case 0xf2:
	case 0xf3:
		return true;
	default:
		return byte >= 0x40 && byte <= 0x4f; /* REX */
	}
}

/* The opcode behind the prefixes, and the length with it; 0 where nothing can be read. */
static uint8_t read_opcode(uint64_t pc, unsigned *len)
{
	uint8_t byte = 0;

	for (unsigned i = 0; i < INSTRUCTION_MAX; i++) {
		if (memory_read_nofault(&byte, (const void *)(pc + i), 1) != 0)
			return 0;
		*len = i + 1;
		if (!is_prefix(byte))
			return byte;
	}
	return 0;
}

/* With QEMU but without KVM the trap behind it comes an instruction late. */
static bool is_pause(uint64_t pc)
{
	uint8_t code[2];

	return memory_read_nofault(code, (const void *)pc, sizeof(code)) == 0 && code[0] == 0xf3 &&
	       code[1] == OPCODE_NOP;
}

bool debug_arch_step_begin(struct trap_frame *frame, bool mask, struct debug_step_flags *flags)
{
	unsigned len = 0;

	flags->pc = frame->rip;
	flags->interrupts = frame->rflags & RFLAGS_IF;
	flags->kind = DEBUG_STEP_PLAIN;
	switch (read_opcode(frame->rip, &len)) {
	case OPCODE_HLT:
		/* With interrupts off it would never end. An NMI ends it too, so programs expect to
		 * come out of it at any time. */
		frame->rip += len;
		return false;
	case OPCODE_NOP:
		if (!is_pause(frame->rip))
			break;
		frame->rip += len;
		return false;
	case OPCODE_PUSHF:
		flags->kind = DEBUG_STEP_PUSHES_FLAGS;
		break;
	case OPCODE_POPF:
	case OPCODE_IRET:
	case OPCODE_CLI:
	case OPCODE_STI:
		flags->kind = DEBUG_STEP_OWN_FLAGS;
		break;
	default:
		break;
	}
	frame->rflags |= RFLAGS_TRAP;
	if (mask)
		frame->rflags &= ~RFLAGS_IF;
	return true;
}

void debug_arch_free_step_end(struct trap_frame *frame, uint64_t from)
{
	unsigned len;
	struct debug_step_flags flags = {
		.pc = from,
		.interrupts = frame->rflags & RFLAGS_IF,
		.kind = read_opcode(from, &len) == OPCODE_PUSHF ? DEBUG_STEP_PUSHES_FLAGS
								: DEBUG_STEP_PLAIN,
	};

	debug_arch_step_end(frame, &flags);
}

static void put_interrupts(uint64_t *rflags, bool on)
{
	*rflags = (*rflags & ~RFLAGS_IF) | (on ? RFLAGS_IF : 0);
}

void debug_arch_set_interrupts(struct trap_frame *frame, bool on)
{
	put_interrupts(&frame->rflags, on);
}

static void mend_pushed(const struct trap_frame *frame, const struct debug_step_flags *flags)
{
	uint64_t pushed;

	if (memory_read_nofault(&pushed, (const void *)frame->rsp, sizeof(pushed)) != 0)
		return;
	pushed &= ~RFLAGS_TRAP;
	put_interrupts(&pushed, flags->interrupts);
	memory_write_nofault((void *)frame->rsp, &pushed, sizeof(pushed));
}

void debug_arch_step_end(struct trap_frame *frame, const struct debug_step_flags *flags)
{
	bool done = frame->rip != flags->pc;

	frame->rflags &= ~RFLAGS_TRAP;
	if (done && flags->kind == DEBUG_STEP_OWN_FLAGS)
		return;
	if (done && flags->kind == DEBUG_STEP_PUSHES_FLAGS)
		mend_pushed(frame, flags);
	put_interrupts(&frame->rflags, flags->interrupts);
}
