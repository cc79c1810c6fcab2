/* SPDX-License-Identifier: MIT */

/* The buffer is laid out as gdb expects it of GNU/Linux on x86-64: rbx rbp r12 r13 r14 r15 rsp pc,
 * none of them mangled. */

	.text
	.globl	_setjmp, setjmp, __sigsetjmp, sigsetjmp
	.type	_setjmp, @function
_setjmp:
setjmp:
__sigsetjmp:
sigsetjmp:
	.cfi_startproc
	movq	%rbx, (%rdi)
	movq	%rbp, 8(%rdi)
	movq	%r12, 16(%rdi)
	movq	%r13, 24(%rdi)
	movq	%r14, 32(%rdi)
	movq	%r15, 40(%rdi)
	leaq	8(%rsp), %rdx
	movq	%rdx, 48(%rdi)
	movq	(%rsp), %rdx
	movq	%rdx, 56(%rdi)
	xorl	%eax, %eax
	ret
	.cfi_endproc
	.size	_setjmp, . - _setjmp

	.globl	longjmp, _longjmp, siglongjmp
	.type	longjmp, @function
longjmp:
_longjmp:
siglongjmp:
	.cfi_startproc
	movl	%esi, %eax
	testl	%eax, %eax
	jnz	1f
	incl	%eax
1:	movq	(%rdi), %rbx
	movq	8(%rdi), %rbp
	movq	16(%rdi), %r12
	movq	24(%rdi), %r13
	movq	32(%rdi), %r14
	movq	40(%rdi), %r15
	movq	48(%rdi), %rsp
	jmp	*56(%rdi)
	.cfi_endproc
	.size	longjmp, . - longjmp

	.section .note.GNU-stack, "", @progbits
