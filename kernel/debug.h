/* SPDX-License-Identifier: MIT */
#pragma once

/* Where traps ask the debugger first. */

#include <stdbool.h>

#include "kernel/arch/x86_64/trap.h"

/* Before the other CPUs run; the heap works. */
void debug_init_early(void);

/* In thread "main", once the ports are there, before app_main(). */
void debug_init(void);

/* Asked on #DB and #BP always, on other exceptions before they become a panic, with the address of
 * a page fault. Runs on the trap's stack with interrupts off. True: handled, resume with *frame as
 * it is now. May also go back to the interrupted code by itself. */
bool debug_trap(struct trap_frame *frame, unsigned vector, uint64_t address);

/* Whether the breakpoint instruction at the address is the debugger's: it may stand where another
 * is put for a moment. Any context. */
bool debug_has_breakpoint(uintptr_t address);

/* First in each trap but NMIs: where it came into the copy of an instruction that leads back by
 * itself, *frame is from here on as if the original had been there; where it came into the call of
 * a fast tracepoint, as if that had not been made yet. */
void debug_pass_show(struct trap_frame *frame);

/* The same in NMIs. True: the instruction is still to be made, and debug_pass_nmi_end() is to be
 * the last thing. No stop comes between. */
bool debug_pass_nmi(struct trap_frame *frame);
void debug_pass_nmi_end(struct trap_frame *frame);

/* First and last in #DB and #BP: what gdb watches is not watched between. */
void debug_watch_off(void);
void debug_watch_on(void);

/* gdb let threads go that were frozen, and they are to get their turn. True once. Any context. */
bool debug_takes_thawed(void);

/* The last thing before an interrupt is left, interrupts off. May do as debug_trap(). */
void debug_interrupt_end(struct trap_frame *frame);

/* Asked first on each NMI (a panic's stop excepted). True: it was the stub's, or came into code of
 * the stub, where nothing else may be done. `nests`: it came into an NMI handler. */
bool debug_nmi(struct trap_frame *frame, bool nests);

/* Called by the entry code before a trap is left, where cpu->debug_due asks for it. True: it may
 * ask again by now, as an NMI may have come meanwhile. */
bool debug_leave(struct trap_frame *frame);

/* Asked when the guest is about to die of anything but a trap; comes back when gdb lets it die, at
 * once where there is none. *frame is what gdb sees. Any context. */
void debug_panic(struct trap_frame *frame);

/* The guest dies, and every CPU that answers stands still: threads wait where they do, not where
 * the debugger would meet them, and no breakpoint is left in memory. */
void debug_dies(void);

/* The running thread begins, or is about to end: a gdb that asked for it is told, and lets it go
 * on. Thread context. */
void debug_thread_begins(void);
void debug_thread_ends(int code);

/* The running thread has ended, and does nothing more but give up its CPU: a gdb that let it go and
 * holds the others gets them back. Interrupts off. */
void debug_thread_gone(void);

/* Tells a gdb that is attached that the program ended, and with what; its session is over then.
 * Thread context; comes back at once. */
void debug_exited(int status);
