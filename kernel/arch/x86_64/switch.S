/* SPDX-License-Identifier: MIT */

/* The switch between threads, and where a thread starts. */

	.cfi_sections .debug_frame
	.text

/* void thread_switch(uintptr_t *save_rsp, void *save_fpu, uintptr_t load_rsp, const void *load_fpu)
 *
 * Leaves a struct switch_frame on the stack of the thread that is left. Its rip is the return address
 * of the call, so a debugger sees that thread in the caller of this function. */
	.globl thread_switch
	.type thread_switch, @function
thread_switch:
	.cfi_startproc
	pushq %rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	pushq %rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	pushq %r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r12, 0
	pushq %r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r13, 0
	pushq %r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r14, 0
	pushq %r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r15, 0
	movq %rdx, %r8
	movl fpu_components(%rip), %eax
	xorl %edx, %edx
	testl %eax, %eax
	jz 2f
	xsave64 (%rsi)
1:	movq %rsp, (%rdi)
	movq %r8, %rsp
6:	xrstor64 (%rcx)
	jmp 3f
2:	fxsave64 (%rsi)
4:	movq %rsp, (%rdi)
	movq %r8, %rsp
7:	fxrstor64 (%rcx)
3:
	popq %r15
	.cfi_adjust_cfa_offset -8
	.cfi_restore r15
	popq %r14
	.cfi_adjust_cfa_offset -8
	.cfi_restore r14
	popq %r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore r13
	popq %r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore r12
	popq %rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbx
	popq %rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbp
	jmp thread_switch_end
5:
	.cfi_endproc
	.size thread_switch, . - thread_switch

/* struct switch_part thread_switch_parts[2]: from where the stack changes on there is no way to be
 * followed, as it is another thread's. */
	.section .rodata.thread_switch_parts, "a"
	.balign 8
	.globl thread_switch_parts
	.type thread_switch_parts, @object
	.size thread_switch_parts, 48
thread_switch_parts:
	.quad 1b, 6b, 2b, 4b, 7b, 5b
	.text

/* The rip of a thread that never ran: no caller above, so backtraces end here. rbp is 0. */
	.globl thread_start
	.type thread_start, @function
thread_start:
	.cfi_startproc
	.cfi_undefined rip
	call thread_main
	ud2
	.cfi_endproc
	.size thread_start, . - thread_start

	.section .note.GNU-stack, "", @progbits
