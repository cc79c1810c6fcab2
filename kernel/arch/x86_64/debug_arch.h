/* SPDX-License-Identifier: MIT */
#pragma once

/* The debugger's view of one x86-64 CPU: registers of what it was stopped in, debug registers, and
 * what an instruction does to the interrupt flag. Any context. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gdbstub/gdbstub.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/cpu.h"

/* State that no trap frame has. */
struct debug_extra {
	uint64_t fs_base;
	uint64_t gs_base;
};

/* On the CPU itself, when it stops and before it goes on; its FPU state waits in cpu->fpu. */
void debug_arch_hold(struct debug_extra *extra);
void debug_arch_release(void);

/* Sets the addresses in the CPU's debug registers; returns what debug_arch_arm() takes so that they
 * are watched. */
uint64_t debug_arch_watch(const struct uni_gdb_watch_slot slots[UNI_GDB_WATCH_SLOTS]);

/* The same without those that watch data. */
uint64_t debug_arch_without_data(uint64_t control);

/* DR7 with nothing enabled: Intel SDM vol. 3, 17.2.4. */
#define DEBUG_ARCH_DISARMED 0x400ul

/* On the CPU itself, interrupts off. debug_arch_disarm() returns what brings back how it was. */
void debug_arch_arm(uint64_t control);
uint64_t debug_arch_disarm(void);

/* A step over an instruction that touches what is watched brings two traps, where the Intel SDM
 * (vol. 3, 17.2.3) has one. */
bool debug_arch_splits_traps(void);

/* Of code on a CPU; fpu is what that CPU was stopped with. */
void debug_arch_get(struct uni_gdb_registers *to, const struct trap_frame *frame,
		    const struct debug_extra *extra, const void *fpu);
void debug_arch_set(const struct uni_gdb_registers *from, struct trap_frame *frame, void *fpu);

/* What the frame and the CPU itself have of it, without the FPU: for a look that stops nothing. */
void debug_arch_peek(struct uni_gdb_registers *to, const struct trap_frame *frame);

/* Adds the FPU: the kernel itself uses none, so the CPU still has that of the code that trapped. */
void debug_arch_peek_fpu(struct uni_gdb_registers *to);

/* Of a thread that is on none, and was interrupted at any place. */
void debug_arch_get_aside(struct uni_gdb_registers *to, const struct trap_frame *frame,
			  const void *fpu);

/* Of a thread that is on none. Negative when saved_rsp leads nowhere. */
int debug_arch_get_saved(struct uni_gdb_registers *to, uintptr_t saved_rsp, const void *fpu);
int debug_arch_set_saved(const struct uni_gdb_registers *from, uintptr_t saved_rsp, void *fpu);

/* Why #DB came: Intel SDM vol. 3, 17.2.3. */
struct debug_cause {
	bool step;
	int slot; /* -1: no debug register fired */
};

struct debug_cause debug_arch_cause(void);

/* The instruction that raised #BP; `after` is the pc that the trap pushed. */
static inline uintptr_t debug_arch_breakpoint_pc(uintptr_t after)
{
	return after - 1;
}

bool debug_arch_is_breakpoint(uintptr_t address);
static inline void debug_arch_set_frame_pc(struct trap_frame *frame, uintptr_t pc)
{
	frame->rip = pc;
}

static inline uintptr_t debug_arch_frame_pc(const struct trap_frame *frame)
{
	return frame->rip;
}

static inline uintptr_t debug_arch_frame_sp(const struct trap_frame *frame)
{
	return frame->rsp;
}

/* The frame's code has interrupts on. */
static inline bool debug_arch_interrupts(const struct trap_frame *frame)
{
	return frame->rflags & RFLAGS_IF;
}

void debug_arch_set_interrupts(struct trap_frame *frame, bool on);

/* If the frame's code has begun a trap_call() and is not on the stack of that trap yet, it has not
 * made the call. */
void debug_arch_undo_call(struct trap_frame *frame);

/* The next instruction runs although a debug register stands on it. */
void debug_arch_pass(struct trap_frame *frame);

/* The trap of the debugger on whose stack this is; NULL for other stacks. That stack is taken:
 * another trap of the same kind would write over it. */
const struct trap_frame *debug_arch_trap_on(uintptr_t sp);

/* Whether memory of such a stack of that CPU is in [address, address + len). */
bool debug_arch_is_trap_stack(unsigned cpu, uintptr_t address, size_t len);

/* The frames that traps of the debugger on that CPU have, or had: each has a place of its own. NULL
 * behind the last. */
struct trap_frame *debug_arch_trap_frame(unsigned cpu, unsigned index);

/* If that trap is being left, begins with that again. */
void debug_arch_leave_again(struct trap_frame *frame, const struct trap_frame *trap);

/* Room for a thread that stands where it was stopped while its CPU goes on: the stack on which it
 * gives its CPU away, as a debugger may write to its own. */
#define DEBUG_ASIDE_STACK_SIZE 4096

struct debug_aside {
	char stack[DEBUG_ASIDE_STACK_SIZE];
	struct trap_frame frame;
	struct thread *thread; /* NULL: free */
} __attribute__((aligned(16)));

/* That CPU goes back to the code by the frame, and need not. */
bool debug_arch_is_left_by(unsigned cpu, const struct trap_frame *frame);

/* The same, and the code had interrupts on: it may be made to give its CPU away. */
bool debug_arch_can_yield(const struct trap_frame *frame);

/* The frame's code is moved there; the frame leads to where it gives its CPU away, after which the
 * thread comes to debug_aside_gone. */
void debug_arch_set_aside(struct debug_aside *aside, struct trap_frame *frame);

/* There: once more, or back. */
void debug_arch_stay_aside(struct trap_frame *frame);
void debug_arch_leave_aside(const struct debug_aside *aside, struct trap_frame *frame);

/* A thread that is on no CPU, in which a function is called: *frame is where it comes out of
 * thread_switch(), interrupts off. */
void debug_arch_begin_call(struct trap_frame *frame, uintptr_t saved_rsp);

/* Whether its frame may become that: the stack pointer stays below where the thread waits, and the
 * code is another only where it is below. */
bool debug_arch_may_set_call(const struct trap_frame *frame,
			     const struct uni_gdb_registers *registers, uintptr_t saved_rsp);

/* It is at the same place again; what else was written of it is kept as thread_switch() keeps it.
 */
bool debug_arch_is_home(const struct trap_frame *frame, uintptr_t saved_rsp);
void debug_arch_end_call(const struct trap_frame *frame, uintptr_t saved_rsp);

/* A step in the making. */
struct debug_step_flags {
	uint64_t pc;
	bool interrupts; /* were on */
	enum { DEBUG_STEP_PLAIN, DEBUG_STEP_OWN_FLAGS, DEBUG_STEP_PUSHES_FLAGS } kind;
};

/* The frame's code makes single steps. */
static inline bool debug_arch_is_stepping(const struct trap_frame *frame)
{
	return frame->rflags & RFLAGS_TRAP;
}

/* False: the instruction only waits, and has been passed over. */
bool debug_arch_step_begin(struct trap_frame *frame, bool mask, struct debug_step_flags *flags);
void debug_arch_step_end(struct trap_frame *frame, const struct debug_step_flags *flags);

/* For a step that nothing was kept of: it began at `from` and left interrupts alone. */
void debug_arch_free_step_end(struct trap_frame *frame, uint64_t from);

/* The frame's code is thread_switch() where the stack changes, or has. *return_address is where
 * that returns to, NULL where the stack has changed. */
bool debug_arch_is_switching(const struct trap_frame *frame, uint64_t **return_address);

/* Where a thread is shown that comes out of thread_switch() at saved_pc. */
uint64_t debug_arch_shown_pc(uint64_t saved_pc);

/* The saved pc of a thread that is on no CPU; NULL when saved_rsp leads nowhere. */
uint64_t *debug_arch_saved_pc(uintptr_t saved_rsp);

/* The signal that gdb knows an exception by. */
enum uni_gdb_signal debug_arch_signal(unsigned vector);

/* debug_entry.S: enters the debugger by a trap, on the trap's own stack; and where a thread comes
 * out that was to step while it was on no CPU, or was set aside. */
void debug_break(void);
extern const char debug_break_instruction[];
extern const char debug_landing[];
extern const char debug_aside_gone[];

/* Room for the copies of instructions that breakpoints stand on, and for gdb's own. */
#define DEBUG_COPIES           \
	(UNI_GDB_BREAKPOINTS + \
	 (UNI_GDB_OWN_ROOM + UNI_GDB_TRAMPOLINE_SIZE - 1) / UNI_GDB_TRAMPOLINE_SIZE)
extern char debug_copies[DEBUG_COPIES][UNI_GDB_TRAMPOLINE_SIZE];
