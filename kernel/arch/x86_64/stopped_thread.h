/* SPDX-License-Identifier: MIT */
#pragma once

/* The registers of threads that were stopped, as a crash dump shows them. World stopped, or the
 * thread known to stay off its CPU; any context. */

#include <stdbool.h>
#include <stdint.h>

#include "guest-probe/arch/x86_64/core_thread.h"
#include "kernel/arch/x86_64/trap.h"

/* Of code that a trap interrupted on a CPU. */
void stopped_from_trap(struct uni_core_prstatus *status, const struct trap_frame *frame,
		       unsigned cpu);

/* Of a thread that is off its CPU: saved_rsp is thread->saved_rsp, and need not be right. */
void stopped_from_switch(struct uni_core_prstatus *status, uintptr_t saved_rsp);

/* Where such a thread goes on; 0 when saved_rsp leads nowhere. */
uintptr_t stopped_pc(uintptr_t saved_rsp);

/* The interrupted code had interrupts off. */
bool stopped_irqs_off(const struct trap_frame *frame);

/* Keeps the FPU state of the running CPU in cpu->fpu. Kernel code does not use that state, so it is
 * that of the thread that was stopped there. */
void stopped_keep_fpu(void);

/* Shows an area of fpu.h; the bytes stay until the next call. */
void stopped_from_fpu(struct uni_core_thread *thread, const void *area);

/* Return addresses by frame pointers, innermost first, [0] the interrupted pc; returns how many.
 * Where the pc is not in the kernel's text, as after a call through a bad pointer, [1] is the
 * return address on top of the stack. */
uint32_t stopped_backtrace(const struct trap_frame *frame, uint64_t *frames, uint32_t max);
