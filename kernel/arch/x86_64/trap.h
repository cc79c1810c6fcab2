/* SPDX-License-Identifier: MIT */
#pragma once

/* Traps: what the entry code saves, and the C side that it calls.
 *
 * Every exception, interrupt and NMI enters through trap_entry.S, which pushes a struct trap_frame
 * on the stack that the processor chose and calls trap_handle(). While a handler runs, the frame of
 * the code it interrupted is cpu->frame (the innermost one, where traps nest). Handlers run with
 * interrupts off. Changing a frame changes what the interrupted code resumes with.
 *
 * Stacks (Intel SDM vol. 3, 6.14.5): #DF, NMI, #MC, #DB and #BP run on stacks of their own, one set
 * per CPU, through the IST; everything else runs on the stack of the interrupted thread. */

#include <stdbool.h>
#include <stdint.h>

enum trap_vector {
	TRAP_DE = 0,
	TRAP_DB = 1,
	TRAP_NMI = 2,
	TRAP_BP = 3,
	TRAP_OF = 4,
	TRAP_BR = 5,
	TRAP_UD = 6,
	TRAP_NM = 7,
	TRAP_DF = 8,
	TRAP_TS = 10,
	TRAP_NP = 11,
	TRAP_SS = 12,
	TRAP_GP = 13,
	TRAP_PF = 14,
	TRAP_MF = 16,
	TRAP_AC = 17,
	TRAP_MC = 18,
	TRAP_XM = 19,
	TRAP_EXCEPTIONS = 32, /* vectors below are the processor's */
};

/* The order is that of the pushes in trap_entry.S, lowest address first. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector;
	uint64_t error; /* 0 where the processor pushes none */
	uint64_t rip;
	uint64_t cs;
	uint64_t rflags;
	uint64_t rsp;
	uint64_t ss;
};

_Static_assert(sizeof(struct trap_frame) == 22 * 8, "trap_entry.S pushes 22 words");

/* What thread_switch() leaves on the stack of a thread that is off its CPU; thread->saved_rsp
 * points at it. The thread resumes at rip with rsp just above this frame; its other registers are
 * the caller's to save and hold nothing. */
struct switch_frame {
	uint64_t r15, r14, r13, r12, rbx, rbp;
	uint64_t rip;
};

/* Loads the IDT. Faults from here on are reported; until cpu_stacks_init() on the current stack. */
void trap_init(void);

/* The running CPU takes its faults on the stacks of cpu_stacks_init() from here on. */
void trap_init_cpu(void);

/* Called by the entry code, irqs off. */
void trap_handle(struct trap_frame *frame);
void trap_handle_nmi(struct trap_frame *frame);

/* Where a call leads that a debugger put in the place of an instruction. trap_handle() sees the
 * trap of a breakpoint there. Any context that has a stack. */
void trap_call(void);

/* Fills *frame with the registers of the caller, as if a trap had come just after this call
 * returned: callee-saved ones exact, rip the return address, vector and error 0. */
void trap_capture(struct trap_frame *frame);

/* "page fault", "breakpoint", ...; "unknown exception" for the others. Static text. */
const char *trap_name(unsigned vector);
