/* SPDX-License-Identifier: MIT */
#pragma once

/* What x86-64 keeps per CPU: descriptor table, task state, fault stacks. Only cpu.c and trap.c
 * touch it. */

#include <stdint.h>

#define GDT_CODE 0x08
#define GDT_DATA 0x10
#define GDT_TSS 0x18

enum ist_stack { IST_DF = 1, IST_NMI, IST_MC, IST_DB, IST_BP, IST_COUNT = IST_BP };

#define IST_STACK_SIZE 12288

/* Intel SDM vol. 3, figure 7-11. */
struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t iomap_base;
} __attribute__((packed));

_Static_assert(sizeof(struct tss) == 104, "SDM: 104 bytes");

struct cpu_arch {
	uint64_t gdt[5]; /* null, code, data, TSS (two words) */
	struct tss tss;
	uint64_t spare_nmi_stack; /* for tss.ist[]; see trap.c, open_nmis() */
};
