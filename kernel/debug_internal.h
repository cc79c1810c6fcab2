/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of the debugger's glue share; see debug_stop.c for how a stop works. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gdbstub/gdbstub.h"
#include "kernel/arch/x86_64/debug_arch.h"
#include "kernel/cpu.h"
#include "kernel/thread.h"

/* A parked CPU leaves by itself, unless a leader claimed it first. */
enum debug_state { DEBUG_OUT, DEBUG_PARKED, DEBUG_CLAIMED };

/* A CPU as the debugger sees it. */
struct debug_cpu {
	enum debug_state state;
	uint32_t departures; /* how often it went from DEBUG_PARKED to DEBUG_OUT */

	/* The code it was stopped in, NULL while it is out. */
	struct trap_frame *frame;
	struct thread *thread; /* whose code that is */
	struct debug_extra extra;

	bool settable; /* the thread can be set aside, the CPU going on without */

	bool inside;	/* in the handler: an NMI has nothing to add */
	bool asleep;	/* halts, or is about to: irq_wake() it when there is something to see */
	bool nmi_sent;	/* by us, and not arrived yet */
	bool attention; /* an NMI came that could not look at the link */

	uint8_t signal; /* that gdb passes on to the thread when the CPU goes */

	bool has_event;
	bool told; /* the stub knows of the event */
	struct uni_gdb_event event;
};

extern struct debug_cpu debug_cpus[CPU_MAX];
extern struct uni_gdb debug_stub;
extern uint64_t debug_stopped_ns; /* clock_ns() when the world stopped */
extern bool debug_stopping;	  /* for debug_is_stopping() */

/* The thread whose stack the interrupted code uses. Any context. */
struct thread *debug_owner(unsigned cpu, const struct trap_frame *frame);

/* The code runs on the thread's own stack, and is no handler of traps that has another one. */
bool debug_is_on_stack(const struct thread *thread, const struct trap_frame *frame);

/* With the world stopped: the CPU that the thread's code is on, -1 for none. */
int debug_cpu_of(const struct thread *thread);

/* World stopped: it has ended, and is in no code that gdb could look at. */
bool debug_is_gone(const struct thread *thread);

/* debug.c */
extern bool debug_ready;

/* One instruction of a thread that steps was made: it stops, or makes the next one without a word,
 * where that is inside the range that gdb gave. */
void debug_finish_step(struct trap_frame *frame);

/* debug_stop.c */

/* Stops here and comes back when gdb lets this CPU go; `event` may be NULL. Returns the signal that
 * gdb passes on to the thread. Trap context, interrupts off. */
uint8_t debug_stop(struct trap_frame *frame, const struct uni_gdb_event *event);

/* Some CPU holds the others, or is about to. */
static inline bool debug_is_stopping(void)
{
	return __atomic_load_n(&debug_stopping, __ATOMIC_SEQ_CST);
}

/* While debug_is_stopping(): the CPU that stops the others still waits for interrupt handlers to
 * end. Any context. */
bool debug_lets_handlers_end(void);

/* This CPU is in debug_stop(). */
static inline bool debug_is_inside(void)
{
	return __atomic_load_n(&debug_cpus[cpu_id()].inside, __ATOMIC_SEQ_CST);
}

/* debug_target.c */
extern const struct uni_gdb_ops debug_ops;

/* debug_link.c: the bytes from and to gdb. */

/* Takes a UART if the command line says so: gdb=ttyS0, gdb=ttyS1. */
void debug_link_init_early(void);

/* Else takes the gdb port, if there is one. */
void debug_link_init(void);
bool debug_link_exists(void);

/* From here on `attention` is called, in interrupt context, when bytes come or gdb goes. */
void debug_link_attend(void (*attention)(void));

/* Whether something waits that asks for a stop. Takes nothing. Any context. */
bool debug_link_wants_stop(void);

/* clock_ns() when bytes last came. */
uint64_t debug_link_heard_ns(void);

/* As in struct uni_gdb_ops. */
long debug_link_read(void *context, void *bytes, size_t len);
int debug_link_write(void *context, const void *bytes, size_t len);

/* debug_pass.c: all in trap context, interrupts off. */

/* At a breakpoint of gdb's: whether the hit was seen to, so that the CPU goes on with *frame. */
bool debug_pass_breakpoint(struct trap_frame *frame, uintptr_t pc);
bool debug_pass_watch(struct trap_frame *frame, unsigned slot);

/* On each exception: whether it came out of the copy of an instruction that is made as a step. Then
 * *frame is as if the original had been there. */
bool debug_pass_end(struct trap_frame *frame);

/* Such a step is under way. */
bool debug_pass_is_made(void);

/* Before a CPU stops with *frame: whether it has to make the instruction of a hit first that was
 * told of. It does that next, as a step, and stops behind it. */
bool debug_pass_hold(struct trap_frame *frame);

/* The guest dies: no trap of the debugger shows such a copy as what it came into. */
void debug_pass_show_all(void);

/* After debug_pass_end(): the next step behind a tracepoint; or stops here if the others do. */
void debug_pass_leave(struct trap_frame *frame);

/* Or not: the CPU stops for another reason, and what was to follow is given up. */
void debug_pass_drop(void);

/* debug_watch.c: the CPU's own watchpoints; in trap context, interrupts off. */

/* debug_watch_on() turns them on as gdb has them now. */
void debug_watch_set(void);

/* Whether [address, address + len) has any of [start, end). */
static inline bool debug_overlaps(uintptr_t address, size_t len, const volatile void *start,
				  const volatile void *end)
{
	return address < (uintptr_t)end && address + len > (uintptr_t)start;
}

/* gdb must not watch this memory. */
bool debug_watch_works_at(uintptr_t address, size_t len);

/* An instruction that is made alone must not meet one of data. */
bool debug_watch_is_in_the_way(void);

/* Before an instruction that is made alone: where they must be, those of data are off, and what
 * they watch is remembered. */
void debug_watch_pause(void);

/* When it was made: they are on again. */
void debug_watch_look(void);

/* The slot of one whose memory that instruction changed, -1 for none; tells it once. */
int debug_watch_changed(void);

/* debug_record.c: all in trap context, interrupts off. */

/* It is recorded, and no step of it is under way. */
bool debug_record_is_due(const struct thread *thread);

/* Before a CPU goes back to the program: its thread tells of the next instruction, if that is due.
 */
void debug_record_begin(struct trap_frame *frame);

/* On each trap: undoes that. pc: where the program is; `stepped`: it is the trap behind a step.
 * False if it was not done in this frame. */
bool debug_record_end(struct trap_frame *frame, uint64_t pc, bool stepped);

/* debug_aside.c: threads that are stopped while their CPUs go on. World stopped, but where it says
 * otherwise. */

/* As thread_hold() in struct uni_gdb_ops. */
bool debug_aside_hold(struct thread *thread, bool hold);

/* A CPU is about to run the thread, or may be. */
bool debug_aside_is_switching(const struct thread *thread);

/* Where all threads stop together: those that gdb holds while others go are frozen. Their CPUs go
 * without them, so that one that goes gets a CPU, and its interrupts; but for a mere step. */
void debug_aside_freeze(void);
bool debug_aside_cpus_go(void);

/* Whether the CPU is to stay where it is as gdb holds its thread. Where that can be set aside the
 * CPU goes on without. */
bool debug_aside_keeps(unsigned cpu);

/* The registers of a thread that was set aside and is not back, NULL for others. Any context. */
struct trap_frame *debug_aside_frame(const struct thread *thread);

/* Whose place the stack pointer leads to, NULL for others. Any context. */
struct thread *debug_aside_owner(uintptr_t sp);

/* At debug_aside_gone: *frame is the thread's own if it may go on; else the thread is to give the
 * CPU away again, and this is false. Trap context. */
bool debug_aside_back(struct trap_frame *frame);

/* This CPU's thread is one that gdb wants stopped. Interrupts off. */
bool debug_aside_is_called(void);

/* There are threads that gdb wants stopped and that do not stand yet. */
bool debug_aside_is_awaited(void);

/* A bit for each CPU that must go on for that. */
uint32_t debug_aside_awaited_cpus(void);

/* Tells the stub of those that stand now, or of all. */
void debug_aside_arrive(bool all);

/* debug_takes_thawed() is true. Any context. */
bool debug_aside_has_thawed(void);

/* debug_call.c: functions that gdb calls in threads that wait. World stopped. */

/* Gives a thread that is on no CPU a full set of registers. Negative where they lead to no call, or
 * too many are called in. */
int debug_call_prepare(struct thread *thread, const struct uni_gdb_registers *registers);

/* As debug_arch_set(), the frame being the thread's; negative as above. */
int debug_call_set(struct thread *thread, struct trap_frame *frame, void *fpu,
		   const struct uni_gdb_registers *registers);

/* The CPU of a thread that makes a call instead; -1 for others. */
int debug_call_lender(const struct thread *thread);

/* Of such a thread, and of one that is called in, while that is on no CPU; NULL for others. */
struct trap_frame *debug_call_frame(struct thread *thread, void **fpu);

/* The CPU makes such a call. */
bool debug_call_is_on(unsigned cpu);

/* The guest goes on: so do the calls that gdb lets go, each on a CPU; those that are over end. */
void debug_call_place(void);

/* debug_step.c */

/* Before a CPU leaves: makes its thread stop after one instruction, or where it leaves the range
 * that gdb gave. False when there is nothing to run: the step is done. */
bool debug_step_begin(struct thread *thread, struct trap_frame *frame);

/* When a CPU stops, or has made its step: undoes what the step needed. `stepped`: it is the trap
 * behind a step. False when the code in this frame was not stepping: its thread may be all the
 * same, in the code that a fault or an NMI came into. */
bool debug_step_end(struct thread *thread, struct trap_frame *frame, bool stepped);

/* It has begun a step that has not ended. */
bool debug_step_is_made(const struct thread *thread);

/* Lets the thread come out at debug_landing() instead of where *return_address says, if it has not
 * been sent there. */
void debug_step_send(struct thread *thread, uint64_t *return_address);

bool debug_step_is_sent(const struct thread *thread);

/* World stopped: a thread that is on no CPU steps, or is recorded, as soon as one takes it. */
void debug_step_send_all(void);

/* World stopped: those that have not got there go where they were, until they are sent again. */
void debug_step_recall(void);

/* The thread came out at debug_landing(): back to its own code. */
bool debug_step_landed(struct thread *thread, struct trap_frame *frame);
