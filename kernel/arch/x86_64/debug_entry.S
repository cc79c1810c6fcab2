/* SPDX-License-Identifier: MIT */

/* Breakpoint instructions of the debugger's own; see debug_arch.h. */

	.cfi_sections .debug_frame
	.text

	.globl debug_break
	.type debug_break, @function
debug_break:
	.cfi_startproc
	.globl debug_break_instruction
debug_break_instruction:
	int3
	ret
	.cfi_endproc
	.size debug_break, . - debug_break

	.globl debug_landing
	.type debug_landing, @function
debug_landing:
	.cfi_startproc
	.cfi_undefined rip
	int3
	.cfi_endproc
	.size debug_landing, . - debug_landing

	.section .text_room, "ax", @nobits
	.globl debug_copies
	.type debug_copies, @object
	.balign 16
debug_copies:
	.skip 1024 * 16 + 256
	.size debug_copies, . - debug_copies

	.section .note.GNU-stack, "", @progbits
