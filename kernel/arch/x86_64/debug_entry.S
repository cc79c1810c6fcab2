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

/* Where a thread that was set aside gives its CPU away, interrupts off, on the stack of its struct
 * debug_aside, with its frame behind; and where it comes back. */
	.globl debug_aside_enter
	.type debug_aside_enter, @function
debug_aside_enter:
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa rsp, 176
	.cfi_offset rip, -40
	.cfi_offset rsp, -16
	.set aside_at, 0
	.irp name, r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax
	.cfi_rel_offset \name, aside_at
	.set aside_at, aside_at + 8
	.endr
	xorl %edi, %edi
	call sched_reschedule
	.globl debug_aside_gone
debug_aside_gone:
	int3
	.cfi_endproc
	.size debug_aside_enter, . - debug_aside_enter

	.section .text_room, "ax", @nobits
	.globl debug_copies
	.type debug_copies, @object
	.balign 16
debug_copies:
	.skip (1024 + 6) * 48
	.size debug_copies, . - debug_copies

	.section .note.GNU-stack, "", @progbits
