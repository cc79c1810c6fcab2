/* SPDX-License-Identifier: MIT */
#pragma once

/* Numbers that boot.S shares with C; preprocessor only. */

#define BOOT_STACK_SIZE 16384

/* Free RAM below 1 MiB, where the firmware keeps nothing that is needed by then. */
#define AP_TRAMPOLINE 0x8000

/* Intel SDM vol. 3, 4.5: present, writable, and for 2 MiB pages the size bit. */
#define PTE_TABLE 0x003
#define PTE_LARGE 0x083

/* PAE, OSFXSR, OSXMMEXCPT */
#define CR4_VALUE 0x620
/* PG, WP, NE, MP, PE: the FPU is on */
#define CR0_VALUE 0x80010023
/* LME, NXE */
#define MSR_EFER_NUMBER 0xc0000080
#define EFER_VALUE 0x900
