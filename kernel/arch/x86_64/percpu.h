/* SPDX-License-Identifier: MIT */
#pragma once

/* The running CPU through GS, whose base is its struct cpu. Each access is one instruction, so that
 * neither an interrupt nor a migration can come in between. Included by kernel/cpu.h only. */

#include "kernel/cpu.h"

#define CPU_OFFSET_THREAD 8
#define CPU_OFFSET_PREEMPT_COUNT 16
#define CPU_OFFSET_NEED_RESCHED 20
#define CPU_OFFSET_NMI_DEPTH 24
#define CPU_OFFSET_IRQ_DEPTH 28
#define CPU_OFFSET_NMI_BLOCKED 32
#define CPU_OFFSET_DEBUG_DUE 36

_Static_assert(offsetof(struct cpu, self) == 0, "percpu.h");
_Static_assert(offsetof(struct cpu, thread) == CPU_OFFSET_THREAD, "percpu.h");
_Static_assert(offsetof(struct cpu, preempt_count) == CPU_OFFSET_PREEMPT_COUNT, "percpu.h");
_Static_assert(offsetof(struct cpu, need_resched) == CPU_OFFSET_NEED_RESCHED, "percpu.h");
_Static_assert(offsetof(struct cpu, nmi_depth) == CPU_OFFSET_NMI_DEPTH, "percpu.h");
_Static_assert(offsetof(struct cpu, irq_depth) == CPU_OFFSET_IRQ_DEPTH, "percpu.h");
_Static_assert(offsetof(struct cpu, nmi_blocked) == CPU_OFFSET_NMI_BLOCKED, "percpu.h");
_Static_assert(offsetof(struct cpu, debug_due) == CPU_OFFSET_DEBUG_DUE, "percpu.h");

/* sched.c: gives up the CPU if another thread is due and the running one may be preempted. */
void thread_preempt(void);

static inline struct cpu *cpu_current(void)
{
	struct cpu *cpu;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

static inline struct thread *thread_current(void)
{
	struct thread *thread;

	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(thread) : "i"(CPU_OFFSET_THREAD));
	return thread;
}

static inline unsigned cpu_id(void)
{
	return cpu_current()->id;
}

static inline uint32_t preempt_count(void)
{
	uint32_t count;

	__asm__ volatile("movl %%gs:%c1, %0" : "=r"(count) : "i"(CPU_OFFSET_PREEMPT_COUNT));
	return count;
}

/* Any context; nests. */
static inline void preempt_disable(void)
{
	__asm__ volatile("incl %%gs:%c0" ::"i"(CPU_OFFSET_PREEMPT_COUNT) : "memory", "cc");
}

/* Reschedules if that is due and allowed here. */
static inline void preempt_check(void)
{
	uint32_t due;

	__asm__ volatile("movl %%gs:%c1, %0" : "=r"(due) : "i"(CPU_OFFSET_NEED_RESCHED));
	if (due)
		thread_preempt();
}

/* Undoes one preempt_disable(); reschedules when that was the last and another thread is due. With
 * interrupts off it only counts: the reschedule then comes with the next chance after. */
static inline void preempt_enable(void)
{
	__asm__ volatile("decl %%gs:%c0" ::"i"(CPU_OFFSET_PREEMPT_COUNT) : "memory", "cc");
	preempt_check();
}

/* True in an interrupt or NMI handler. */
static inline bool cpu_in_interrupt(void)
{
	uint32_t irqs, nmis;

	__asm__ volatile("movl %%gs:%c1, %0" : "=r"(irqs) : "i"(CPU_OFFSET_IRQ_DEPTH));
	__asm__ volatile("movl %%gs:%c1, %0" : "=r"(nmis) : "i"(CPU_OFFSET_NMI_DEPTH));
	return irqs != 0 || nmis != 0;
}

#define RFLAGS_TRAP (1ul << 8)
#define RFLAGS_IF (1ul << 9)

static inline bool irq_enabled(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags));
	return flags & RFLAGS_IF;
}

static inline void irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline void irq_enable(void)
{
	__asm__ volatile("sti" ::: "memory");
}

/* Turns interrupts off; returns what irq_restore() needs to bring back the state before. */
static inline uint64_t irq_save(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags)::"memory");
	return flags;
}

static inline void irq_restore(uint64_t flags)
{
	if (flags & RFLAGS_IF)
		irq_enable();
}

/* Turns interrupts on and halts in one step: one that is pending ends the halt at once. */
static inline void cpu_wait_for_interrupt(void)
{
	__asm__ volatile("sti; hlt" ::: "memory");
}

/* In spin loops. */
static inline void cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}
