/* SPDX-License-Identifier: MIT */

/* From this image to the one that takes its place: out of 64-bit mode, as a PVH loader starts an
 * image, in memory that neither of them has. exec.c copies this to EXEC_CODE. */

#include "tests/guest/gdb_testsuite/exec_asm.h"

#define AT(label) (EXEC_CODE + (label) - exec_code)

	.section .rodata
	.globl exec_code, exec_code_end
	.code64
exec_code:
	lgdt AT(gdtr)
	pushq $CODE_32
	pushq $AT(code_32)
	lretq

	.code32
code_32:
	movl $DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $CR0_PE, %eax
	movl %eax, %cr0
	xorl %eax, %eax
	movl %eax, %cr4
	movl $MSR_EFER_NUMBER, %ecx
	xorl %edx, %edx
	wrmsr

	/* The file comes byte by byte out of a port. */
	cld
	movl $EXEC_PLAN, %esi
	movw $FW_CFG_DATA, %dx
piece:
	movl PIECE_SKIP(%esi), %ecx
	jecxz load
skip:
	inb %dx, %al
	decl %ecx
	jnz skip
load:
	movl PIECE_TO(%esi), %edi
	movl PIECE_LEN(%esi), %ecx
	rep insb
	xorl %eax, %eax
	movl PIECE_ZERO(%esi), %ecx
	rep stosb
	addl $PIECE_SIZE, %esi
	decl EXEC_PLAN + PLAN_COUNT
	jnz piece

	movl EXEC_PLAN + PLAN_START_INFO, %ebx
	jmp *EXEC_PLAN + PLAN_ENTRY

	.balign 8
gdt:
	.quad 0
	.quad 0x00cf9b000000ffff /* CODE_32 */
	.quad 0x00cf93000000ffff /* DATA */
gdtr:
	.word gdtr - gdt - 1
	.quad AT(gdt)
exec_code_end:

	.section .note.GNU-stack, "", @progbits
