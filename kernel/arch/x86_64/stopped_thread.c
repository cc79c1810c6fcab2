/* SPDX-License-Identifier: MIT */

#include "kernel/arch/x86_64/stopped_thread.h"

#include "kernel/arch/x86_64/cpu_arch.h"
#include "kernel/arch/x86_64/fault.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/cpu.h"
#include "kernel/sched.h"
#include "kernel/text.h"

/* A thread that is off its CPU blocked in C code, which ran with these. */
#define RFLAGS_RESERVED_1 (1u << 1)

/* No system call was interrupted: debuggers leave the pc alone then. */
#define NO_SYSTEM_CALL UINT64_MAX

void stopped_from_trap(struct uni_core_prstatus *status, const struct trap_frame *frame,
		       unsigned cpu)
{
	status->r15 = frame->r15;
	status->r14 = frame->r14;
	status->r13 = frame->r13;
	status->r12 = frame->r12;
	status->rbp = frame->rbp;
	status->rbx = frame->rbx;
	status->r11 = frame->r11;
	status->r10 = frame->r10;
	status->r9 = frame->r9;
	status->r8 = frame->r8;
	status->rax = frame->rax;
	status->rcx = frame->rcx;
	status->rdx = frame->rdx;
	status->rsi = frame->rsi;
	status->rdi = frame->rdi;
	status->orig_rax = NO_SYSTEM_CALL;
	status->rip = frame->rip;
	status->cs = frame->cs;
	status->rflags = frame->rflags;
	status->rsp = frame->rsp;
	status->ss = frame->ss;
	status->gs_base = (uintptr_t)&cpus[cpu];
}

static bool read_switch_frame(uintptr_t saved_rsp, struct switch_frame *frame)
{
	return saved_rsp != 0 &&
	       memory_read_nofault(frame, (const void *)saved_rsp, sizeof(*frame)) == 0;
}

/* The thread is shown at thread_switch_end(), its return address on the stack, so that a
 * debugger finds the line of the call. One that never ran was not called. */
void stopped_from_switch(struct uni_core_prstatus *status, uintptr_t saved_rsp)
{
	struct switch_frame frame;

	status->orig_rax = NO_SYSTEM_CALL;
	status->cs = GDT_CODE;
	status->ss = GDT_DATA;
	status->rflags = RFLAGS_RESERVED_1;
	if (!read_switch_frame(saved_rsp, &frame))
		return;
	status->r15 = frame.r15;
	status->r14 = frame.r14;
	status->r13 = frame.r13;
	status->r12 = frame.r12;
	status->rbx = frame.rbx;
	status->rbp = frame.rbp;
	if (frame.rip == (uintptr_t)thread_start) {
		status->rip = frame.rip;
		status->rsp = saved_rsp + sizeof(frame);
	} else {
		status->rip = (uintptr_t)thread_switch_end;
		status->rsp = saved_rsp + offsetof(struct switch_frame, rip);
	}
}

uintptr_t stopped_pc(uintptr_t saved_rsp)
{
	struct switch_frame frame;

	return read_switch_frame(saved_rsp, &frame) ? frame.rip : 0;
}

bool stopped_irqs_off(const struct trap_frame *frame)
{
	return !(frame->rflags & RFLAGS_IF);
}

void stopped_keep_fpu(void)
{
	/* Early in the boot there is no room yet. */
	if (cpu_current()->fpu != NULL)
		fpu_save(cpu_current()->fpu);
}

void stopped_from_fpu(struct uni_core_thread *thread, const void *area)
{
	static _Alignas(8) uint8_t shown[UNI_XSAVE_SIZE];

	if (area == NULL)
		return;
	fpu_get(shown, area);
	thread->fp = shown;
	thread->xcr0 = fpu_components;
}

static uint64_t read_word(uint64_t address)
{
	uint64_t word = 0;

	memory_read_nofault(&word, (const void *)(uintptr_t)address, sizeof(word));
	return word;
}

uint32_t stopped_backtrace(const struct trap_frame *frame, uint64_t *frames, uint32_t max)
{
	uint32_t count = 0;
	uint64_t rbp = frame->rbp;

	frames[count++] = frame->rip;
	if (!text_contains(frame->rip, 1) && text_contains(read_word(frame->rsp), 1))
		frames[count++] = read_word(frame->rsp);
	while (count < max) {
		const uint64_t caller_rbp = read_word(rbp);
		const uint64_t pc = read_word(rbp + sizeof(rbp));

		if (!text_contains(pc, 1))
			break;
		frames[count++] = pc;
		/* Callers' frames lie above: anything else is the end, or broken. */
		if (caller_rbp <= rbp)
			break;
		rbp = caller_rbp;
	}
	return count;
}
