/* SPDX-License-Identifier: MIT */

#include "kernel/arch/x86_64/trap.h"

#include "gdbstub/arch.h"
#include "kernel/arch/x86_64/cpu_arch.h"
#include "kernel/arch/x86_64/fault.h"
#include "kernel/arch/x86_64/io.h"
#include "kernel/arch/x86_64/lapic.h"
#include "kernel/arch/x86_64/trap_asm.h"
#include "kernel/clock.h"
#include "kernel/cpu.h"
#include "kernel/debug.h"
#include "kernel/irq.h"
#include "kernel/panic.h"
#include "kernel/probe.h"
#include "kernel/thread.h"
#include "kernel/trace.h"
#include "kernel/tracepoints.h"

_Static_assert(offsetof(struct trap_frame, vector) == FRAME_VECTOR, "trap_asm.h");
_Static_assert(offsetof(struct trap_frame, rip) == FRAME_RIP, "trap_asm.h");
_Static_assert(offsetof(struct trap_frame, rflags) == FRAME_RFLAGS, "trap_asm.h");
_Static_assert(offsetof(struct trap_frame, rsp) == FRAME_RSP, "trap_asm.h");
_Static_assert(CPU_OFFSET_NMI_BLOCKED == CPU_NMI_BLOCKED, "trap_asm.h");
_Static_assert(CPU_OFFSET_DEBUG_DUE == CPU_DEBUG_DUE, "trap_asm.h");
_Static_assert(offsetof(struct cpu, arch.tss.ist[IST_BP - 1]) == CPU_BP_STACK, "trap_asm.h");
_Static_assert(GDT_CODE == ENTRY_CODE && GDT_DATA == ENTRY_DATA && TRAP_BP == ENTRY_BP &&
		       UNI_GDB_CALL_LEN == CALL_LEN,
	       "trap_asm.h");

#define VECTOR_COUNT 256

/* SDM vol. 3, figure 6-8. */
struct idt_gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};

#define GATE_INTERRUPT 0x8e /* present; turns interrupts off */

extern const char trap_entries[];

static struct idt_gate idt[VECTOR_COUNT];

static unsigned ist_of(unsigned vector)
{
	switch (vector) {
	case TRAP_DF:
		return IST_DF;
	case TRAP_NMI:
		return IST_NMI;
	case TRAP_MC:
		return IST_MC;
	case TRAP_DB:
		return IST_DB;
	case TRAP_BP:
		return IST_BP;
	default:
		return 0;
	}
}

static void load_idt(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr = {sizeof(idt) - 1, (uintptr_t)idt};

	__asm__ volatile("lidt %0" ::"m"(idtr));
}

void trap_init(void)
{
	for (unsigned i = 0; i < VECTOR_COUNT; i++) {
		uintptr_t entry = (uintptr_t)trap_entries + i * TRAP_ENTRY_SIZE;

		idt[i] = (struct idt_gate){
			.offset_low = (uint16_t)entry,
			.selector = GDT_CODE,
			.type = GATE_INTERRUPT,
			.offset_middle = (uint16_t)(entry >> 16),
			.offset_high = (uint32_t)(entry >> 32),
		};
	}
	load_idt();
}

void trap_init_cpu(void)
{
	/* Harmless to repeat for each CPU; not before the stacks are there. */
	for (unsigned i = 0; i < TRAP_EXCEPTIONS; i++)
		idt[i].ist = (uint8_t)ist_of(i);
	load_idt();
}

static void handle_exception(struct trap_frame *frame, struct trap_frame *outer)
{
	unsigned vector = (unsigned)frame->vector;
	uint64_t address = vector == TRAP_PF ? cr2_read() : 0;
	uintptr_t fixup;

	if (vector == TRAP_PF || vector == TRAP_GP || vector == TRAP_SS) {
		fixup = fault_fixup(frame->rip);
		if (fixup != 0) {
			frame->rip = fixup;
			return;
		}
	}
	if (vector == TRAP_BP && !debug_has_breakpoint(frame->rip - 1) &&
	    trace_breakpoint(frame->rip, &frame->rip))
		return;
	/* The debugger may return to the interrupted code without coming back here. */
	cpu_current()->frame = outer;
	if (debug_trap(frame, vector, address))
		return;
	/* A double fault has the address of the push that failed first. */
	if (vector == TRAP_DF)
		address = cr2_read();
	panic_trap(frame, address);
}

static void handle_interrupt(struct cpu *cpu, unsigned vector)
{
	uint64_t start_ns = clock_ns();
	uint64_t spent_ns;

	cpu->irq_depth++;
	cpu->irq_count++;
	cpu->irq_since_ns = start_ns;
	uni_trace_irq_enter(vector);
	irq_dispatch(vector);
	uni_trace_irq_exit(vector);
	cpu->irq_depth--;
	spent_ns = clock_ns() - start_ns;
	cpu->irq_ns += spent_ns;
	if (cpu->thread == cpu->idle)
		cpu->irq_idle_ns += spent_ns;
}

/* A debugger steps through an NMI handler. Only iret loads the trap flag so that it traps behind
 * the next instruction, and iret lets NMIs in. So the next one gets a stack of its own: the other
 * of two, which is the one to begin with when this handler is over. */
static void open_nmis(struct cpu *cpu)
{
	uint64_t spare = cpu->arch.spare_nmi_stack;

	cpu->arch.spare_nmi_stack = cpu->arch.tss.ist[IST_NMI - 1];
	cpu->arch.tss.ist[IST_NMI - 1] = spare;
	/* The processor reads it at the NMI that iret may let in. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	cpu->nmi_blocked = false;
}

void trap_handle(struct trap_frame *frame)
{
	bool is_interrupt = frame->vector >= TRAP_EXCEPTIONS;
	bool is_debug = frame->vector == TRAP_DB || frame->vector == TRAP_BP;
	struct trap_frame *outer;
	struct cpu *cpu;

	if (is_debug)
		debug_watch_off();
	debug_pass_show(frame);
	cpu = cpu_current();
	outer = cpu->frame;
	/* Comes while the world is stopped, and must leave no mark on it. */
	if (frame->vector == VECTOR_WAKE) {
		lapic_end_of_wake();
		return;
	}
	cpu->frame = frame;
	if (is_interrupt)
		handle_interrupt(cpu, (unsigned)frame->vector);
	else
		handle_exception(frame, outer);
	cpu->frame = outer;
	if (is_interrupt)
		debug_interrupt_end(frame);
	if (frame->rflags & RFLAGS_TRAP && cpu_current()->nmi_blocked)
		open_nmis(cpu_current());
	if (is_debug)
		debug_watch_on();

	/* The thread may be on another CPU when this returns: cpu is not to be used any more. */
	if (is_interrupt && cpu->need_resched)
		thread_preempt_irq();
}

/* `sti` holds interrupts off for one instruction, but not behind an NMI that comes between it and
 * `hlt`: one that is due would be taken before the halt, which then waits for it. */
static void undo_wait(struct trap_frame *frame)
{
	static const uint8_t sti_hlt[] = {0xfb, 0xf4};
	uint8_t code[sizeof(sti_hlt)];

	if (!(frame->rflags & RFLAGS_IF) ||
	    memory_read_nofault(code, (const void *)(frame->rip - 1), sizeof(code)) != 0 ||
	    code[0] != sti_hlt[0] || code[1] != sti_hlt[1])
		return;
	frame->rip--;
	frame->rflags &= ~RFLAGS_IF;
}

void trap_handle_nmi(struct trap_frame *frame)
{
	struct cpu *cpu = cpu_current();
	struct trap_frame *outer = cpu->frame;
	uint32_t was_blocked = cpu->nmi_blocked;
	bool nests = cpu->nmi_depth++ > 0;
	bool passes;

	undo_wait(frame);
	passes = debug_pass_nmi(frame);
	cpu->nmi_blocked = true;
	cpu->frame = frame;
	/* Where a debugger steps through probe_nmi() another NMI does no more than stop the CPU: it
	 * meets no breakpoint, so that two stacks are enough. */
	if (!panic_nmi(frame) && !debug_nmi(frame, nests) && (nests || !probe_nmi(frame)))
		cpu->nmi_count++;
	if (passes)
		debug_pass_nmi_end(frame);
	cpu->frame = outer;
	cpu->nmi_blocked = was_blocked;
	cpu->nmi_depth--;
}

const char *trap_name(unsigned vector)
{
	static const char *const names[] = {
		[TRAP_DE] = "divide error",
		[TRAP_DB] = "debug exception",
		[TRAP_NMI] = "non-maskable interrupt",
		[TRAP_BP] = "breakpoint",
		[TRAP_OF] = "overflow",
		[TRAP_BR] = "bound range exceeded",
		[TRAP_UD] = "invalid opcode",
		[TRAP_NM] = "device not available",
		[TRAP_DF] = "double fault",
		[TRAP_TS] = "invalid TSS",
		[TRAP_NP] = "segment not present",
		[TRAP_SS] = "stack fault",
		[TRAP_GP] = "general protection fault",
		[TRAP_PF] = "page fault",
		[TRAP_MF] = "x87 floating-point error",
		[TRAP_AC] = "alignment check",
		[TRAP_MC] = "machine check",
		[TRAP_XM] = "SIMD floating-point error",
	};

	if (vector >= sizeof(names) / sizeof(names[0]) || names[vector] == NULL)
		return "unknown exception";
	return names[vector];
}
