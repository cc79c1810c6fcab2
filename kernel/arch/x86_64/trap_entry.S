/* SPDX-License-Identifier: MIT */

/* Entry and exit of every trap; see trap.h. The call frame information is complete, so that a
 * debugger walks from a handler into the code that was interrupted. */

#include "kernel/arch/x86_64/trap_asm.h"

	.cfi_sections .debug_frame

/* From just after the vector was pushed to just before it is popped: CFA is the end of the frame that
 * the processor pushed, so its words have the same place whatever is below. */
	.macro frame_cfi pushed
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa rsp, \pushed
	.cfi_offset rip, -40
	.cfi_offset rsp, -16
	.endm

	.macro push_register name
	pushq %\name
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset \name, 0
	.endm

	.macro pop_register name
	popq %\name
	.cfi_adjust_cfa_offset -8
	.cfi_restore \name
	.endm

	.macro push_registers
	push_register rax
	push_register rcx
	push_register rdx
	push_register rbx
	push_register rbp
	push_register rsi
	push_register rdi
	push_register r8
	push_register r9
	push_register r10
	push_register r11
	push_register r12
	push_register r13
	push_register r14
	push_register r15
	.endm

	.macro pop_registers
	pop_register r15
	pop_register r14
	pop_register r13
	pop_register r12
	pop_register r11
	pop_register r10
	pop_register r9
	pop_register r8
	pop_register rdi
	pop_register rsi
	pop_register rbp
	pop_register rbx
	pop_register rdx
	pop_register rcx
	pop_register rax
	.endm

	.text

/* One entry a vector, TRAP_ENTRY_SIZE bytes each. */
	.balign TRAP_ENTRY_SIZE
	.globl trap_entries
	.type trap_entries, @function
trap_entries:
	.set vector, 0
	.rept 256
	.balign TRAP_ENTRY_SIZE
	/* The processor pushes an error code for these: SDM vol. 3, table 6-1. */
	.if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21
	frame_cfi 48
	.else
	frame_cfi 40
	pushq $0
	.cfi_adjust_cfa_offset 8
	.endif
	pushq $vector
	.cfi_adjust_cfa_offset 8
	.if vector == 2
	jmp nmi_common
	.else
	jmp trap_common
	.endif
	.cfi_endproc
	.set vector, vector + 1
	.endr
	.size trap_entries, . - trap_entries

	.type trap_common, @function
trap_common:
	frame_cfi 56
	push_registers
	cld
	movq %rsp, %rdi
	call trap_handle
	/* From here on all that counts is the frame, so an NMI that wants something done before the trap
	 * is left starts this over: debug_nmi.c. */
	.globl trap_leave
trap_leave:
	cmpl $0, %gs:CPU_DEBUG_DUE
	jne 3f
	/* iret would open NMIs again. A fault inside an NMI handler is therefore left without it: the
	 * flags and the address go onto the stack that is returned to, which may be this one: they then
	 * take the place of the frame's last two words. */
2:	cmpl $0, %gs:CPU_NMI_BLOCKED
	jne 1f
	.cfi_remember_state
	pop_registers
	addq $16, %rsp
	.cfi_adjust_cfa_offset -16
	iretq
	.cfi_restore_state
	.globl trap_leave_end
trap_leave_end:
	.cfi_remember_state
3:	movq %rsp, %rdi
	call debug_leave
	testb %al, %al
	jne trap_leave
	jmp 2b
	.cfi_restore_state
1:	movq FRAME_RSP(%rsp), %rax
	movq FRAME_RIP(%rsp), %rcx
	movq %rcx, -8(%rax)
	movq FRAME_RFLAGS(%rsp), %rcx
	movq %rcx, -16(%rax)
	subq $16, %rax
	movq %rax, FRAME_VECTOR(%rsp)
	pop_registers
	movq (%rsp), %rsp
	.cfi_def_cfa rsp, 16
	.cfi_offset rip, -8
	.cfi_restore rsp
	popfq
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size trap_common, . - trap_common

	.type nmi_common, @function
nmi_common:
	frame_cfi 56
	push_registers
	cld
	movq %rsp, %rdi
	call trap_handle_nmi
	pop_registers
	addq $16, %rsp
	.cfi_adjust_cfa_offset -16
	iretq
	.cfi_endproc
	.size nmi_common, . - nmi_common

/* Where a call leads that stands in the place of an instruction: becomes the trap of a breakpoint
 * that stands there. Whatever comes before it is on that trap's stack goes back to before the call:
 * debug_arch_undo_call(). */
	.globl trap_call
	.type trap_call, @function
trap_call:
	.cfi_startproc
	pushfq
	.cfi_adjust_cfa_offset 8
	.globl trap_call_flags
trap_call_flags:
	cli
	push_register rax
	.globl trap_call_rax
trap_call_rax:
	movq %gs:CPU_BP_STACK, %rax
	xchgq %rsp, %rax
	.cfi_def_cfa rax, 24
	.globl trap_call_stack
trap_call_stack:
	pushq $ENTRY_DATA
	pushq %rax
	addq $24, (%rsp)
	pushq 8(%rax)
	pushq $ENTRY_CODE
	pushq 16(%rax)
	subq $CALL_LEN - 1, (%rsp)
	pushq $0
	pushq $ENTRY_BP
	movq (%rax), %rax
	.cfi_endproc
	.size trap_call, . - trap_call
	frame_cfi 56
	jmp trap_common
	.cfi_endproc

/* void trap_capture(struct trap_frame *frame) */
	.globl trap_capture
	.type trap_capture, @function
trap_capture:
	.cfi_startproc
	movq %r15, 0(%rdi)
	movq %r14, 8(%rdi)
	movq %r13, 16(%rdi)
	movq %r12, 24(%rdi)
	movq %r11, 32(%rdi)
	movq %r10, 40(%rdi)
	movq %r9, 48(%rdi)
	movq %r8, 56(%rdi)
	movq %rdi, 64(%rdi)
	movq %rsi, 72(%rdi)
	movq %rbp, 80(%rdi)
	movq %rbx, 88(%rdi)
	movq %rdx, 96(%rdi)
	movq %rcx, 104(%rdi)
	movq %rax, 112(%rdi)
	movq $0, FRAME_VECTOR(%rdi)
	movq $0, FRAME_VECTOR + 8(%rdi)
	movq (%rsp), %rax
	movq %rax, FRAME_RIP(%rdi)
	movl %cs, %eax
	movq %rax, FRAME_RIP + 8(%rdi)
	pushfq
	.cfi_adjust_cfa_offset 8
	popq %rax
	.cfi_adjust_cfa_offset -8
	movq %rax, FRAME_RFLAGS(%rdi)
	leaq 8(%rsp), %rax
	movq %rax, FRAME_RSP(%rdi)
	movl %ss, %eax
	movq %rax, FRAME_RSP + 8(%rdi)
	ret
	.cfi_endproc
	.size trap_capture, . - trap_capture

	.section .note.GNU-stack, "", @progbits
