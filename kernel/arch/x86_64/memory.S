/* SPDX-License-Identifier: MIT */

/* memcpy and its kin, and the copies that survive a fault (fault.h). Processors do the string
 * instructions in whole lines; so does TCG. */

	.cfi_sections .debug_frame
	.text

	.macro function name
	.globl \name
	.type \name, @function
\name:
	.cfi_startproc
	.endm

	.macro end_function name
	.cfi_endproc
	.size \name, . - \name
	.endm

function memcpy
	movq %rdi, %rax
	movq %rdx, %rcx
	shrq $3, %rcx
	rep movsq
	movl %edx, %ecx
	andl $7, %ecx
	rep movsb
	ret
end_function memcpy

function memmove
	movq %rdi, %rax
	subq %rsi, %rax
	cmpq %rdx, %rax /* unsigned: true only where the target starts inside the source */
	movq %rdi, %rax
	jae memcpy
	leaq -1(%rdi, %rdx), %rdi
	leaq -1(%rsi, %rdx), %rsi
	movq %rdx, %rcx
	std
	rep movsb
	cld
	ret
end_function memmove

function memset
	movq %rdi, %r8
	movzbl %sil, %eax
	movabsq $0x0101010101010101, %rcx
	imulq %rcx, %rax
	movq %rdx, %rcx
	shrq $3, %rcx
	rep stosq
	movl %edx, %ecx
	andl $7, %ecx
	rep stosb
	movq %r8, %rax
	ret
end_function memset

function memcmp
	xorl %eax, %eax
	movq %rdx, %rcx
	cmpq %rcx, %rcx /* equal, should there be nothing to compare */
	repe cmpsb
	je 1f
	movzbl -1(%rdi), %ecx
	movzbl -1(%rsi), %edx
	subl %edx, %ecx
	movl %ecx, %eax
1:	ret
end_function memcmp

	.section .text.nofault, "ax"

/* size_t memory_read_nofault(void *to, const void *from, size_t len)
 *
 * Words, then bytes. Where a word faults the bytes have another go from there, so that the count is
 * exact; where a byte faults that is the end, and rcx what is left. */
function memory_read_nofault
	movq %rdx, %rcx
	shrq $3, %rcx
	andl $7, %edx
1:	rep movsq
2:	leaq (%rdx, %rcx, 8), %rcx
3:	rep movsb
4:	movq %rcx, %rax
	ret
end_function memory_read_nofault

	.globl memory_write_nofault
	.set memory_write_nofault, memory_read_nofault

	.section fault_table, "a"
	.balign 8
	.quad 1b, 2b
	.quad 3b, 4b

	.section .note.GNU-stack, "", @progbits
