/* SPDX-License-Identifier: MIT */

/* From the loader to kernel_boot(): 32-bit protected mode without paging in, 64-bit mode on an
 * identity map of the first 4 GiB out. The other CPUs come in through ap_trampoline. */

#include "kernel/arch/x86_64/boot_asm.h"

	.cfi_sections .debug_frame

	/* XEN_ELFNOTE_PHYS32_ENTRY */
	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 8, 18
	.asciz "Xen"
	.quad boot_entry

	.section .bss.boot_stack, "aw", @nobits
	.balign 4096
	.globl boot_stack, boot_stack_end
boot_stack:
	.skip BOOT_STACK_SIZE
boot_stack_end:

	.section .bss.page_aligned, "aw", @nobits
	.balign 4096
	.globl boot_pml4
boot_pml4:
	.skip 4096
boot_pdpt:
	.skip 4096
boot_pd:
	.skip 4 * 4096

	.section .rodata
	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff /* 64-bit code */
	.quad 0x00cf93000000ffff /* data */
	.quad 0x00cf9b000000ffff /* 32-bit code, for the trampoline */
boot_gdt_end:
boot_gdtr:
	.word boot_gdt_end - boot_gdt - 1
	.long boot_gdt

	.text
	.code32
	.globl boot_entry
	.type boot_entry, @function
boot_entry:
	cld
	movl %ebx, %esi /* struct pvh_start_info */

	movl $boot_pdpt + PTE_TABLE, boot_pml4
	movl $boot_pd + PTE_TABLE, %eax
	xorl %ecx, %ecx
1:	movl %eax, boot_pdpt(, %ecx, 8)
	addl $4096, %eax
	incl %ecx
	cmpl $4, %ecx
	jne 1b

	movl $PTE_LARGE, %eax
	xorl %ecx, %ecx
2:	movl %eax, boot_pd(, %ecx, 8)
	addl $0x200000, %eax
	incl %ecx
	cmpl $4 * 512, %ecx
	jne 2b

	movl $boot_pml4, %eax
	movl $boot_64, %ebx
	jmp enter_long_mode
	.size boot_entry, . - boot_entry

	.code64
	.type boot_64, @function
boot_64:
	.cfi_startproc
	.cfi_undefined rip
	movl $boot_stack_end, %esp
	xorl %ebp, %ebp
	movl %esi, %edi
	call kernel_boot
	ud2
	.cfi_endproc
	.size boot_64, . - boot_64

/* eax: the page tables, ebx: where to go on in 64-bit mode. esi stays. */
	.code32
	.type enter_long_mode, @function
enter_long_mode:
	lgdt boot_gdtr
	movl %eax, %cr3
	movl $CR4_VALUE, %eax
	movl %eax, %cr4
	movl $MSR_EFER_NUMBER, %ecx
	xorl %edx, %edx
	movl $EFER_VALUE, %eax
	wrmsr
	movl $CR0_VALUE, %eax
	movl %eax, %cr0
	ljmp $0x08, $1f
	.code64
1:	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	movl %ebx, %ebx
	jmp *%rbx
	.size enter_long_mode, . - enter_long_mode

/* --- the other CPUs --- */

/* Copied to AP_TRAMPOLINE, where a start-up IPI enters it in real mode with cs = AP_TRAMPOLINE >> 4. It
 * leaves that page at once, so the page need not be executable once paging is on. */
	.section .rodata
	.globl ap_trampoline, ap_trampoline_end
	.code16
ap_trampoline:
	cli
	movw %cs, %ax
	movw %ax, %ds
	lgdtl ap_trampoline_gdtr - ap_trampoline
	movl $1, %eax
	movl %eax, %cr0
	ljmpl $0x18, $ap_entry
	.balign 4
ap_trampoline_gdtr:
	.word boot_gdt_end - boot_gdt - 1
	.long boot_gdt
ap_trampoline_end:

	.text
	.code32
	.type ap_entry, @function
ap_entry:
	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %ss
	movl $kernel_pml4, %eax
	movl $ap_64, %ebx
	jmp enter_long_mode
	.size ap_entry, . - ap_entry

	.code64
	.type ap_64, @function
ap_64:
	.cfi_startproc
	.cfi_undefined rip
	/* Which one am I? The initial APIC id is all there is to tell by; ap_starts[] is indexed by it. */
	movl $1, %eax
	cpuid
	shrl $24, %ebx
	shll $4, %ebx
	movq ap_starts(%rbx), %rsp
	movq ap_starts + 8(%rbx), %rdi
	xorl %ebp, %ebp
	call kernel_boot_ap
	ud2
	.cfi_endproc
	.size ap_64, . - ap_64

	.section .note.GNU-stack, "", @progbits
