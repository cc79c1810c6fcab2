/* SPDX-License-Identifier: MIT */

#include "kernel/arch/x86_64/debug_arch.h"

#include "kernel/arch/x86_64/cpu_arch.h"
#include "kernel/arch/x86_64/fault.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/io.h"
#include "kernel/cpu.h"
#include "kernel/sched.h"
#include "tracing/errno.h"

#define RFLAGS_ALWAYS (1ul << 1)
#define RFLAGS_RESUME (1ul << 16)

/* Intel SDM vol. 3, figure 17-1 */
#define DR6_STEP (1ul << 14)
#define DR6_CLEAR 0xffff0ff0ul
/* QEMU without KVM says "TCGTCGTCGTCG" in CPUID_HYPERVISOR. */
#define CPUID_TCG 0x54474354

#define INT3 0xcc

#define KNOWN(word) (1u << UNI_GDB_##word)
/* What the processor and thread_switch() keep of a thread that is on no CPU. */
#define KNOWN_SAVED                                                                    \
	(KNOWN(RBX) | KNOWN(RBP) | KNOWN(RSP) | KNOWN(R12) | KNOWN(R13) | KNOWN(R14) | \
	 KNOWN(R15) | KNOWN(RIP) | KNOWN(CS) | KNOWN(SS) | KNOWN(DS) | KNOWN(ES) |     \
	 KNOWN(ORIG_RAX) | KNOWN(FPU))
#define KNOWN_ALL ((1u << (UNI_GDB_FPU + 1)) - 1)

/* No system call was interrupted: gdb leaves the pc alone then. */
#define NO_SYSTEM_CALL UINT64_MAX

#define DR_WRITE(number, value) \
	__asm__ volatile("movq %0, %%dr" #number ::"r"((uint64_t)(value)) : "memory")

void debug_arch_hold(struct debug_extra *extra)
{
	fpu_save(cpu_current()->fpu);
	extra->fs_base = msr_read(MSR_FS_BASE);
	extra->gs_base = msr_read(MSR_GS_BASE);
}

bool debug_arch_splits_traps(void)
{
	return cpuid(CPUID_HYPERVISOR, 0).ebx == CPUID_TCG;
}

uint64_t debug_arch_without_data(uint64_t control)
{
	for (unsigned i = 0; i < UNI_GDB_WATCH_SLOTS; i++)
		if (control >> (16 + 4 * i) & 3)
			control &= ~(3ul << 2 * i);
	return control;
}

/* R/W and LEN of one debug register: Intel SDM vol. 3, 17.2.4. */
static uint64_t control_bits(const struct uni_gdb_watch *watch)
{
	static const uint8_t types[] = {
		[UNI_GDB_WATCH_EXECUTE] = 0,
		[UNI_GDB_WATCH_WRITE] = 1,
		[UNI_GDB_WATCH_ACCESS] = 3,
	};
	static const uint8_t lengths[] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};

	return types[watch->kind] | (uint64_t)lengths[watch->len] << 2;
}

void debug_arch_release(void)
{
	fpu_load(cpu_current()->fpu);
}

uint64_t debug_arch_watch(const struct uni_gdb_watch_slot slots[UNI_GDB_WATCH_SLOTS])
{
	uint64_t control = DEBUG_ARCH_DISARMED;

	DR_WRITE(0, slots[0].watch.address);
	DR_WRITE(1, slots[1].watch.address);
	DR_WRITE(2, slots[2].watch.address);
	DR_WRITE(3, slots[3].watch.address);
	for (unsigned i = 0; i < UNI_GDB_WATCH_SLOTS; i++) {
		if (slots[i].watch.kind == UNI_GDB_WATCH_NONE)
			continue;
		control |= 2ul << 2 * i | control_bits(&slots[i].watch) << (16 + 4 * i);
	}
	DR_WRITE(6, DR6_CLEAR);
	return control;
}

void debug_arch_arm(uint64_t control)
{
	DR_WRITE(7, control);
}

uint64_t debug_arch_disarm(void)
{
	uint64_t control;

	__asm__ volatile("movq %%dr7, %0" : "=r"(control));
	DR_WRITE(7, DEBUG_ARCH_DISARMED);
	return control;
}

static void get_words(struct uni_gdb_registers *to, const struct trap_frame *frame,
		      uint64_t fs_base, uint64_t gs_base)
{
	uint64_t *words = to->words;

	words[UNI_GDB_RAX] = frame->rax;
	words[UNI_GDB_RBX] = frame->rbx;
	words[UNI_GDB_RCX] = frame->rcx;
	words[UNI_GDB_RDX] = frame->rdx;
	words[UNI_GDB_RSI] = frame->rsi;
	words[UNI_GDB_RDI] = frame->rdi;
	words[UNI_GDB_RBP] = frame->rbp;
	words[UNI_GDB_RSP] = frame->rsp;
	words[UNI_GDB_R8] = frame->r8;
	words[UNI_GDB_R9] = frame->r9;
	words[UNI_GDB_R10] = frame->r10;
	words[UNI_GDB_R11] = frame->r11;
	words[UNI_GDB_R12] = frame->r12;
	words[UNI_GDB_R13] = frame->r13;
	words[UNI_GDB_R14] = frame->r14;
	words[UNI_GDB_R15] = frame->r15;
	words[UNI_GDB_RIP] = frame->rip;
	words[UNI_GDB_EFLAGS] = frame->rflags;
	words[UNI_GDB_CS] = frame->cs;
	words[UNI_GDB_SS] = frame->ss;
	words[UNI_GDB_DS] = GDT_DATA;
	words[UNI_GDB_ES] = GDT_DATA;
	words[UNI_GDB_FS] = 0;
	words[UNI_GDB_GS] = 0;
	words[UNI_GDB_FS_BASE] = fs_base;
	words[UNI_GDB_GS_BASE] = gs_base;
	words[UNI_GDB_ORIG_RAX] = NO_SYSTEM_CALL;
	to->known = KNOWN_ALL & ~KNOWN(FPU);
}

void debug_arch_get(struct uni_gdb_registers *to, const struct trap_frame *frame,
		    const struct debug_extra *extra, const void *fpu)
{
	get_words(to, frame, extra->fs_base, extra->gs_base);
	fpu_get(to->xsave, fpu);
	to->known = KNOWN_ALL;
}

/* The bases are the CPU's. */
void debug_arch_get_aside(struct uni_gdb_registers *to, const struct trap_frame *frame,
			  const void *fpu)
{
	get_words(to, frame, 0, 0);
	fpu_get(to->xsave, fpu);
	to->known = KNOWN_ALL & ~(KNOWN(FS_BASE) | KNOWN(GS_BASE));
}

void debug_arch_peek(struct uni_gdb_registers *to, const struct trap_frame *frame)
{
	get_words(to, frame, msr_read(MSR_FS_BASE), msr_read(MSR_GS_BASE));
}

void debug_arch_peek_fpu(struct uni_gdb_registers *to)
{
	fpu_peek(to->xsave, cpu_current()->fpu);
	to->known |= KNOWN(FPU);
}

/* Segments and their bases stay: the kernel could not go on with others. */
void debug_arch_set(const struct uni_gdb_registers *from, struct trap_frame *frame, void *fpu)
{
	const uint64_t *words = from->words;

	frame->rax = words[UNI_GDB_RAX];
	frame->rbx = words[UNI_GDB_RBX];
	frame->rcx = words[UNI_GDB_RCX];
	frame->rdx = words[UNI_GDB_RDX];
	frame->rsi = words[UNI_GDB_RSI];
	frame->rdi = words[UNI_GDB_RDI];
	frame->rbp = words[UNI_GDB_RBP];
	frame->rsp = words[UNI_GDB_RSP];
	frame->r8 = words[UNI_GDB_R8];
	frame->r9 = words[UNI_GDB_R9];
	frame->r10 = words[UNI_GDB_R10];
	frame->r11 = words[UNI_GDB_R11];
	frame->r12 = words[UNI_GDB_R12];
	frame->r13 = words[UNI_GDB_R13];
	frame->r14 = words[UNI_GDB_R14];
	frame->r15 = words[UNI_GDB_R15];
	frame->rip = words[UNI_GDB_RIP];
	frame->rflags = words[UNI_GDB_EFLAGS];
	fpu_set(fpu, from->xsave);
}

/* A thread is shown at thread_switch_end(), its return address on the stack, so that the
 * debugger takes that for one and finds the line of the call. One that never ran was not called. */
struct shown {
	uint64_t pc;
	uint64_t sp;
};

static struct shown show(const struct switch_frame *frame)
{
	if (frame->rip == (uintptr_t)thread_start)
		return (struct shown){frame->rip, (uintptr_t)(frame + 1)};
	return (struct shown){(uintptr_t)thread_switch_end, (uintptr_t)&frame->rip};
}

uint64_t debug_arch_shown_pc(uint64_t saved_pc)
{
	return saved_pc == (uintptr_t)thread_start ? saved_pc : (uintptr_t)thread_switch_end;
}

/* Code of thread_switch(), from the instruction on that saves the stack pointer. */
struct switch_part {
	uint64_t start;
	uint64_t changed; /* from here on the stack is the other thread's */
	uint64_t end;
};

extern const struct switch_part thread_switch_parts[2];

bool debug_arch_is_switching(const struct trap_frame *frame, uint64_t **return_address)
{
	*return_address = NULL;
	for (unsigned i = 0; i < 2; i++) {
		const struct switch_part *part = &thread_switch_parts[i];

		if (frame->rip >= part->start && frame->rip < part->changed)
			*return_address = &((struct switch_frame *)frame->rsp)->rip;
		if (frame->rip >= part->start && frame->rip < part->end)
			return true;
	}
	return frame->rip == (uintptr_t)thread_switch_end;
}

static struct switch_frame *saved_frame(uintptr_t saved_rsp)
{
	struct switch_frame probe;

	if (!saved_rsp || memory_read_nofault(&probe, (const void *)saved_rsp, sizeof(probe)) != 0)
		return NULL;
	return (struct switch_frame *)saved_rsp;
}

int debug_arch_get_saved(struct uni_gdb_registers *to, uintptr_t saved_rsp, const void *fpu)
{
	const struct switch_frame *frame = saved_frame(saved_rsp);
	uint64_t *words = to->words;

	if (!frame)
		return -UNI_EFAULT;
	/* Of the others only what they begin with where a function is called. */
	*to = (struct uni_gdb_registers){.words[UNI_GDB_EFLAGS] = RFLAGS_ALWAYS};
	words[UNI_GDB_RBX] = frame->rbx;
	words[UNI_GDB_RBP] = frame->rbp;
	words[UNI_GDB_RSP] = show(frame).sp;
	words[UNI_GDB_R12] = frame->r12;
	words[UNI_GDB_R13] = frame->r13;
	words[UNI_GDB_R14] = frame->r14;
	words[UNI_GDB_R15] = frame->r15;
	words[UNI_GDB_RIP] = show(frame).pc;
	words[UNI_GDB_CS] = GDT_CODE;
	words[UNI_GDB_SS] = GDT_DATA;
	words[UNI_GDB_DS] = GDT_DATA;
	words[UNI_GDB_ES] = GDT_DATA;
	words[UNI_GDB_ORIG_RAX] = NO_SYSTEM_CALL;
	fpu_get(to->xsave, fpu);
	to->known = KNOWN_SAVED;
	return 0;
}

int debug_arch_set_saved(const struct uni_gdb_registers *from, uintptr_t saved_rsp, void *fpu)
{
	struct switch_frame *frame = saved_frame(saved_rsp);
	const uint64_t *words = from->words;

	if (!frame)
		return -UNI_EFAULT;
	/* These two say where the frame lies and how thread_switch() comes out of it. */
	if (from->known != KNOWN_SAVED || words[UNI_GDB_RSP] != show(frame).sp ||
	    words[UNI_GDB_RIP] != show(frame).pc)
		return -UNI_ENOTSUP;
	frame->rbx = words[UNI_GDB_RBX];
	frame->rbp = words[UNI_GDB_RBP];
	frame->r12 = words[UNI_GDB_R12];
	frame->r13 = words[UNI_GDB_R13];
	frame->r14 = words[UNI_GDB_R14];
	frame->r15 = words[UNI_GDB_R15];
	fpu_set(fpu, from->xsave);
	return 0;
}

void debug_arch_begin_call(struct trap_frame *frame, uintptr_t saved_rsp)
{
	struct shown home = show((const struct switch_frame *)saved_rsp);

	*frame = (struct trap_frame){
		.vector = TRAP_BP,
		.rip = home.pc,
		.cs = GDT_CODE,
		.rflags = RFLAGS_ALWAYS,
		.rsp = home.sp,
		.ss = GDT_DATA,
	};
}

bool debug_arch_may_set_call(const struct trap_frame *frame,
			     const struct uni_gdb_registers *registers, uintptr_t saved_rsp)
{
	struct shown home = show((const struct switch_frame *)saved_rsp);
	uint64_t sp = registers->words[UNI_GDB_RSP];
	uint64_t pc = registers->words[UNI_GDB_RIP];

	return sp < home.sp || (sp == home.sp && (pc == frame->rip || pc == home.pc));
}

bool debug_arch_is_home(const struct trap_frame *frame, uintptr_t saved_rsp)
{
	struct shown home = show((const struct switch_frame *)saved_rsp);

	return frame->rip == home.pc && frame->rsp == home.sp;
}

void debug_arch_end_call(const struct trap_frame *frame, uintptr_t saved_rsp)
{
	struct switch_frame *home = (struct switch_frame *)saved_rsp;

	home->rbx = frame->rbx;
	home->rbp = frame->rbp;
	home->r12 = frame->r12;
	home->r13 = frame->r13;
	home->r14 = frame->r14;
	home->r15 = frame->r15;
}

uint64_t *debug_arch_saved_pc(uintptr_t saved_rsp)
{
	struct switch_frame *frame = saved_frame(saved_rsp);

	return frame ? &frame->rip : NULL;
}

struct debug_cause debug_arch_cause(void)
{
	struct debug_cause cause = {.slot = -1};
	uint64_t status;

	__asm__ volatile("movq %%dr6, %0" : "=r"(status));
	DR_WRITE(6, DR6_CLEAR);
	cause.step = status & DR6_STEP;
	if (status & 15)
		cause.slot = __builtin_ctz((unsigned)status & 15);
	return cause;
}

bool debug_arch_is_breakpoint(uintptr_t address)
{
	uint8_t byte;

	return memory_read_nofault(&byte, (const void *)address, 1) == 0 && byte == INT3;
}

extern const char trap_call_flags[], trap_call_rax[], trap_call_stack[];

void debug_arch_undo_call(struct trap_frame *frame)
{
	uintptr_t pc = frame->rip;
	const uint64_t *pushed = (const uint64_t *)frame->rsp;

	if (pc < (uintptr_t)trap_call || pc > (uintptr_t)trap_call_stack)
		return;
	if (pc == (uintptr_t)trap_call_stack)
		pushed = (const uint64_t *)frame->rax;
	if (pc >= (uintptr_t)trap_call_rax)
		frame->rax = *pushed++;
	if (pc >= (uintptr_t)trap_call_flags)
		debug_arch_set_interrupts(frame, *pushed++ & RFLAGS_IF);
	frame->rip = *pushed++ - UNI_GDB_CALL_LEN;
	frame->rsp = (uintptr_t)pushed;
}

void debug_arch_pass(struct trap_frame *frame)
{
	frame->rflags |= RFLAGS_RESUME;
}

static const enum ist_stack trap_stacks[] = {IST_DB, IST_BP};

#define TRAP_STACKS (sizeof(trap_stacks) / sizeof(trap_stacks[0]))

const struct trap_frame *debug_arch_trap_on(uintptr_t sp)
{
	for (unsigned i = 0; i < TRAP_STACKS; i++) {
		uintptr_t top = cpu_current()->arch.tss.ist[trap_stacks[i] - 1];

		if (sp < top && sp >= top - IST_STACK_SIZE)
			return (const struct trap_frame *)top - 1;
	}
	return NULL;
}

bool debug_arch_is_trap_stack(unsigned cpu, uintptr_t address, size_t len)
{
	for (unsigned i = 0; i < TRAP_STACKS; i++) {
		uintptr_t top = cpus[cpu].arch.tss.ist[trap_stacks[i] - 1];

		if (address < top && address + len > top - IST_STACK_SIZE)
			return true;
	}
	return false;
}

struct trap_frame *debug_arch_trap_frame(unsigned cpu, unsigned index)
{
	uintptr_t top = index < TRAP_STACKS ? cpus[cpu].arch.tss.ist[trap_stacks[index] - 1] : 0;

	return top ? (struct trap_frame *)top - 1 : NULL;
}

extern const char trap_leave[], trap_leave_end[];

void debug_arch_leave_again(struct trap_frame *frame, const struct trap_frame *trap)
{
	/* Below the trap's own frame it is a fault inside of its handler that is being left. */
	if (frame->rip < (uintptr_t)trap_leave || frame->rip >= (uintptr_t)trap_leave_end ||
	    frame->rsp < (uintptr_t)trap)
		return;
	frame->rip = (uintptr_t)trap_leave;
	frame->rsp = (uintptr_t)trap;
}

_Static_assert(sizeof(struct trap_frame) == 176, "debug_entry.S");
_Static_assert(offsetof(struct debug_aside, frame) % 16 == 0, "a stack begins there");

extern const char debug_aside_enter[];

/* gdb may have the thread of a fault die of it, which only the CPU that is in it can do. */
bool debug_arch_is_left_by(unsigned cpu, const struct trap_frame *frame)
{
	if (frame->vector == TRAP_NMI)
		return true;
	if (frame->vector != TRAP_DB && frame->vector != TRAP_BP && frame->vector < TRAP_EXCEPTIONS)
		return false;
	for (unsigned i = 0; i < TRAP_STACKS; i++)
		if (debug_arch_trap_frame(cpu, i) == frame)
			return true;
	return false;
}

bool debug_arch_can_yield(const struct trap_frame *frame)
{
	return debug_arch_is_left_by(cpu_id(), frame) && frame->rflags & RFLAGS_IF;
}

void debug_arch_set_aside(struct debug_aside *aside, struct trap_frame *frame)
{
	aside->frame = *frame;
	frame->rsp = (uintptr_t)&aside->frame;
	frame->rflags = RFLAGS_ALWAYS;
	debug_arch_stay_aside(frame);
}

void debug_arch_stay_aside(struct trap_frame *frame)
{
	frame->rip = (uintptr_t)debug_aside_enter;
}

void debug_arch_leave_aside(const struct debug_aside *aside, struct trap_frame *frame)
{
	*frame = aside->frame;
	frame->vector = TRAP_BP;
}

enum uni_gdb_signal debug_arch_signal(unsigned vector)
{
	switch (vector) {
	case TRAP_DE:
	case TRAP_MF:
	case TRAP_XM:
		return UNI_GDB_SIGFPE;
	case TRAP_UD:
		return UNI_GDB_SIGILL;
	case TRAP_AC:
	case TRAP_SS:
	case TRAP_NP:
	case TRAP_MC:
		return UNI_GDB_SIGBUS;
	case TRAP_DB:
	case TRAP_BP:
		return UNI_GDB_SIGTRAP;
	default:
		return UNI_GDB_SIGSEGV;
	}
}
