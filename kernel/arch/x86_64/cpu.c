/* SPDX-License-Identifier: MIT */

#include "kernel/cpu.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/io.h"
#include "kernel/heap.h"
#include "kernel/page.h"
#include "kernel/panic.h"

struct cpu cpus[CPU_MAX];

/* 64-bit segments have no base and no limit: only type, privilege and the L bit count. */
#define GDT_CODE_64 0x00af9b000000ffff
#define GDT_DATA_64 0x00cf93000000ffff

static void load_gdt(struct cpu_arch *arch)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) gdtr = {sizeof(arch->gdt) - 1, (uintptr_t)arch->gdt};
	uint64_t tss = (uintptr_t)&arch->tss;

	arch->tss.iomap_base = sizeof(arch->tss);
	arch->gdt[1] = GDT_CODE_64;
	arch->gdt[2] = GDT_DATA_64;
	/* SDM vol. 3, figure 7-4: an available 64-bit TSS, present. */
	arch->gdt[3] = (sizeof(arch->tss) - 1) | (tss & 0xffffff) << 16 | 0x89ull << 40 |
		       (tss >> 24 & 0xff) << 56;
	arch->gdt[4] = tss >> 32;
	__asm__ volatile("lgdt %0" ::"m"(gdtr));
	__asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:" ::"i"(GDT_CODE)
			 : "rax", "memory");
	__asm__ volatile("movl %0, %%ds; movl %0, %%es; movl %0, %%ss" ::"r"(GDT_DATA));
	__asm__ volatile("ltr %w0" ::"r"(GDT_TSS));
}

void cpu_init(unsigned id, uint32_t hw_id)
{
	struct cpu *cpu = &cpus[id];

	cpu->self = cpu;
	cpu->id = id;
	cpu->hw_id = hw_id;
	load_gdt(&cpu->arch);
	msr_write(MSR_GS_BASE, (uintptr_t)cpu);
	fpu_init_cpu();
}

static uint64_t alloc_fault_stack(void)
{
	char *low = page_stack_alloc(IST_STACK_SIZE);

	KASSERT(low != NULL);
	return (uintptr_t)low + IST_STACK_SIZE;
}

void cpu_stacks_init(struct cpu *cpu)
{
	for (unsigned i = 0; i < IST_COUNT; i++)
		cpu->arch.tss.ist[i] = alloc_fault_stack();
	cpu->arch.spare_nmi_stack = alloc_fault_stack();
	cpu->fpu = fpu_area_init(heap_alloc(fpu_room_size()));
}

void cpu_halt(void)
{
	irq_disable();
	for (;;)
		__asm__ volatile("hlt");
}
