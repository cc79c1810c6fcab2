/* SPDX-License-Identifier: MIT */

/* What brings the guest to gdb: traps, bytes at the link, panics. NMIs: debug_nmi.c. */

#include "kernel/debug.h"

#include <string.h>

#include "kernel/arch/x86_64/fpu.h"
#include "kernel/cmdline.h"
#include "kernel/debug_internal.h"
#include "kernel/irq.h"
#include "kernel/panic.h"

/* Steps between two looks at the link: about two milliseconds. */
#define LOOK_INTERVAL 256

/* What gdb's tracepoints collect. */
#define TRACE_FRAMES_SIZE 0x100000

_Static_assert(CPU_MAX <= UNI_GDB_TRACE_CPUS, "each CPU collects at a place of its own");

static uint8_t trace_frames[TRACE_FRAMES_SIZE];
static struct uni_gdb_branch_block branches[UNI_GDB_BRANCH_RINGS * UNI_GDB_BRANCH_BLOCKS];

bool debug_ready;

/* What debug_break() is to report, and of which code. */
static struct {
	bool is;
	struct trap_frame *frame; /* NULL: of what called debug_break() */
	bool leaves;		  /* goes on in that frame, and not behind debug_break() */
	uint64_t fault_address;
	bool has_event; /* else another CPU wants the stop */
	struct uni_gdb_event event;
} asked[CPU_MAX];

/* Bytes came in the middle of an interrupt; its end takes the stop. */
static bool stop_wanted[CPU_MAX];

static const struct uni_gdb_event *asked_event(unsigned cpu)
{
	return asked[cpu].has_event ? &asked[cpu].event : NULL;
}

static void stop_for(struct trap_frame *frame, enum uni_gdb_event_kind kind,
		     enum uni_gdb_signal signal)
{
	debug_stop(frame, &(struct uni_gdb_event){.kind = kind, .signal = signal});
}

/* Enters through a breakpoint of ours, so that the stub runs on the stack of that trap; gdb sees
 * `frame`, which must not lie where gdb may write: it calls functions on the stack it sees. */
static void break_in(struct trap_frame *frame, const struct uni_gdb_event *event)
{
	unsigned self = cpu_id();

	asked[self].has_event = event;
	if (event)
		asked[self].event = *event;
	asked[self].frame = frame;
	asked[self].is = true;
	debug_break();
}

/* The same for an interrupt or a fault, whose frame, and all that is done from there on, lies on
 * the stack of the code it came into, just below what that uses. The frame is therefore moved to
 * the stack of the breakpoint, and left from there. */
static _Noreturn void break_out(struct trap_frame *frame, uint64_t fault_address,
				const struct uni_gdb_event *event)
{
	asked[cpu_id()].leaves = true;
	asked[cpu_id()].fault_address = fault_address;
	break_in(frame, event);
	__builtin_unreachable();
}

/* At the breakpoint of break_out(): *frame is that of the breakpoint. gdb passes the signal of a
 * fault on, and it ends the guest; or it does not, and the instruction is tried again. */
static void stop_and_leave(struct trap_frame *frame)
{
	unsigned self = cpu_id();

	asked[self].leaves = false;
	*frame = *asked[self].frame;
	if (debug_stop(frame, asked_event(self)) != UNI_GDB_SIGNAL_NONE &&
	    frame->vector < TRAP_EXCEPTIONS)
		panic_trap(frame, asked[self].fault_address);
	/* The end of an interrupt is where threads are switched, but not on this stack: another one
	 * comes for that. */
	if (frame->vector >= TRAP_EXCEPTIONS && cpu_current()->need_resched)
		irq_send_reschedule(self);
}

/* --- traps --- */

static bool is_stepping(const struct thread *thread)
{
	return uni_gdb_resume_of(&debug_stub, thread->id).kind == UNI_GDB_STEP;
}

/* Only a stop looks at the link, as the code that does may have breakpoints, and this stack is
 * taken. */
void debug_finish_step(struct trap_frame *frame)
{
	static unsigned count;
	struct thread *thread = debug_owner(cpu_id(), frame);
	bool done = uni_gdb_step_done(&debug_stub, thread->id, debug_arch_frame_pc(frame)) ||
		    debug_is_stopping();

	/* An NMI came into the step, and in its handler gdb stopped the thread and let it go. */
	if (!is_stepping(thread))
		return;
	if (!done && ++count % LOOK_INTERVAL == 0)
		stop_for(frame, UNI_GDB_EVENT_ATTENTION, UNI_GDB_SIGTRAP);
	else if (done || !debug_step_begin(thread, frame))
		stop_for(frame, UNI_GDB_EVENT_STEP, UNI_GDB_SIGTRAP);
}

bool debug_has_breakpoint(uintptr_t address)
{
	return debug_ready && uni_gdb_breakpoint_stands(&debug_stub, address);
}

static bool trap_breakpoint(struct trap_frame *frame)
{
	uintptr_t pc = debug_arch_breakpoint_pc(debug_arch_frame_pc(frame));
	unsigned self = cpu_id();

	if (pc == (uintptr_t)debug_break_instruction && asked[self].is) {
		asked[self].is = false;
		/* A step that led here has nothing to do with the frame that is to be shown. */
		debug_step_end(debug_owner(self, frame), frame, false);
		if (asked[self].leaves)
			stop_and_leave(frame);
		else
			debug_stop(asked[self].frame ? asked[self].frame : frame,
				   asked_event(self));
		return true;
	}
	if (pc == (uintptr_t)debug_landing && debug_step_landed(debug_owner(self, frame), frame)) {
		debug_finish_step(frame);
		return true;
	}
	if (pc == (uintptr_t)debug_aside_gone && debug_aside_owner(debug_arch_frame_sp(frame))) {
		if (debug_aside_back(frame) && is_stepping(debug_owner(self, frame)) &&
		    !debug_step_begin(debug_owner(self, frame), frame))
			stop_for(frame, UNI_GDB_EVENT_STEP, UNI_GDB_SIGTRAP);
		return true;
	}
	if (debug_pass_breakpoint(frame, pc))
		return true;
	if (uni_gdb_breakpoint_at(&debug_stub, pc)) {
		debug_arch_set_frame_pc(frame, pc);
		debug_stop(frame, &(struct uni_gdb_event){
					  .kind = UNI_GDB_EVENT_BREAKPOINT,
					  .signal = UNI_GDB_SIGTRAP,
					  .address = pc,
				  });
		return true;
	}
	if (!debug_arch_is_breakpoint(pc)) {
		/* It was there when the CPU met it, and is gone. */
		debug_arch_set_frame_pc(frame, pc);
		return true;
	}
	if (uni_gdb_call_is_over(&debug_stub, pc))
		debug_arch_set_frame_pc(frame, pc);
	else if (!uni_gdb_attached(&debug_stub))
		return false;
	debug_stop(frame, &(struct uni_gdb_event){
				  .kind = UNI_GDB_EVENT_SIGNAL,
				  .signal = UNI_GDB_SIGTRAP,
				  .address = pc,
			  });
	return true;
}

static bool trap_debug(struct trap_frame *frame, bool passed)
{
	struct debug_cause cause = debug_arch_cause();
	bool is_away = debug_aside_owner(debug_arch_frame_sp(frame));
	bool recorded = !passed && debug_record_end(frame, debug_arch_frame_pc(frame), cause.step);
	bool stepped = !passed && debug_step_end(debug_owner(cpu_id(), frame), frame, cause.step);

	if (cause.slot < 0)
		cause.slot = debug_watch_changed();
	/* gdb sees this thread at another place. */
	if (cause.slot >= 0 && is_away) {
		debug_arch_pass(frame);
		if (passed)
			debug_pass_leave(frame);
		return true;
	}
	if (cause.slot >= 0 && !stepped && debug_pass_watch(frame, (unsigned)cause.slot))
		return true;
	if (cause.slot >= 0 && debug_stub.watches[cause.slot].watch.kind != UNI_GDB_WATCH_NONE) {
		debug_pass_drop();
		debug_stop(frame, &(struct uni_gdb_event){
					  .kind = UNI_GDB_EVENT_WATCH,
					  .signal = UNI_GDB_SIGTRAP,
					  .address = debug_stub.watches[cause.slot].watch.address,
					  .slot = (unsigned)cause.slot,
				  });
		return true;
	}
	if (passed)
		debug_pass_leave(frame);
	else if (stepped)
		debug_finish_step(frame);
	else if (!recorded && uni_gdb_attached(&debug_stub))
		stop_for(frame, UNI_GDB_EVENT_SIGNAL, UNI_GDB_SIGTRAP);
	else
		return recorded || cause.slot >= 0;
	return true;
}

/* False: it is for nobody here. */
static bool handle(struct trap_frame *frame, unsigned vector, uint64_t address, bool passed)
{
	uint64_t pc = debug_arch_frame_pc(frame);

	if (vector == TRAP_DB)
		return trap_debug(frame, passed);
	/* An int3 is none of the program's, until it turns out to be one. */
	debug_record_end(frame, vector == TRAP_BP ? debug_arch_breakpoint_pc(pc) : pc, false);
	if (vector == TRAP_BP)
		return trap_breakpoint(frame);
	if (!uni_gdb_attached(&debug_stub) && !uni_gdb_call_is_over(&debug_stub, pc))
		return false;
	break_out(frame, address,
		  &(struct uni_gdb_event){
			  .kind = UNI_GDB_EVENT_SIGNAL,
			  .signal = debug_arch_signal(vector),
		  });
}

bool debug_trap(struct trap_frame *frame, unsigned vector, uint64_t address)
{
	bool passed;

	if (!debug_ready)
		return false;
	passed = debug_pass_end(frame);
	if (debug_is_inside() || !handle(frame, vector, address, passed))
		return false;
	debug_record_begin(frame);
	return true;
}

/* Interrupt context: gdb sees the code that the interrupt came into, as soon as that is over. */
static void attention(void)
{
	stop_wanted[cpu_id()] = true;
}

void debug_interrupt_end(struct trap_frame *frame)
{
	unsigned self = cpu_id();
	bool called = debug_aside_is_called();
	bool looks = stop_wanted[self];

	stop_wanted[self] = false;
	if (called && preempt_count() > 0) {
		/* It is taken off its CPU as soon as it may be. */
		cpu_current()->need_resched = 1;
		called = false;
	}
	if (called || (looks && debug_link_wants_stop()))
		break_out(frame, 0,
			  &(struct uni_gdb_event){
				  .kind = UNI_GDB_EVENT_ATTENTION,
				  .signal = UNI_GDB_SIGTRAP,
			  });
	else if (debug_is_stopping())
		break_out(frame, 0, NULL);
}

void debug_panic(struct trap_frame *frame)
{
	if (debug_ready && uni_gdb_attached(&debug_stub) && !debug_is_inside())
		break_in(frame, &(struct uni_gdb_event){
					.kind = UNI_GDB_EVENT_SIGNAL,
					.signal = UNI_GDB_SIGABRT,
				});
}

void debug_dies(void)
{
	debug_step_recall();
	debug_pass_show_all();
	uni_gdb_breakpoints_lift(&debug_stub);
}

static void tell_of_thread(enum uni_gdb_event_kind kind, uint8_t status)
{
	uint64_t flags = irq_save();

	if (debug_ready && uni_gdb_wants_thread_events(&debug_stub))
		break_in(NULL, &(struct uni_gdb_event){
				       .kind = kind,
				       .signal = UNI_GDB_SIGTRAP,
				       .status = status,
			       });
	irq_restore(flags);
}

void debug_thread_begins(void)
{
	tell_of_thread(UNI_GDB_EVENT_CREATED, 0);
}

void debug_thread_ends(int code)
{
	tell_of_thread(UNI_GDB_EVENT_ENDED, (uint8_t)code);
}

void debug_thread_gone(void)
{
	if (debug_ready && uni_gdb_wants_end_of(&debug_stub, thread_current()->id))
		break_in(NULL, &(struct uni_gdb_event){
				       .kind = UNI_GDB_EVENT_GONE,
				       .signal = UNI_GDB_SIGTRAP,
			       });
}

/* Interrupts off: on another CPU the breakpoint would be nobody's. */
void debug_exited(int status)
{
	uint64_t flags = irq_save();

	if (debug_ready && uni_gdb_attached(&debug_stub) && !debug_is_inside())
		break_in(NULL, &(struct uni_gdb_event){
				       .kind = UNI_GDB_EVENT_EXIT,
				       .status = (uint8_t)status,
			       });
	irq_restore(flags);
}

static bool waited;

/* As early as there is something to wait at: a UART before the other CPUs start, a port when it has
 * been found. */
static void wait_for_gdb(void)
{
	uint64_t flags;

	if (waited || !cmdline_has("gdbwait") || !debug_link_exists())
		return;
	waited = true;
	/* A gdb that an NMI brought has stopped the guest already. */
	flags = irq_save();
	if (!uni_gdb_attached(&debug_stub))
		break_in(NULL, &(struct uni_gdb_event){
				       .kind = UNI_GDB_EVENT_SIGNAL,
				       .signal = UNI_GDB_SIGTRAP,
			       });
	irq_restore(flags);
}

static bool is_told(const char *option, const char *value)
{
	char word[8];

	return cmdline_get(option, word, sizeof(word)) && strcmp(word, value) == 0;
}

void debug_init_early(void)
{
	uni_gdb_init(&debug_stub, &debug_ops, NULL, fpu_components);
	uni_gdb_trace_buffer(&debug_stub, trace_frames, sizeof(trace_frames));
	uni_gdb_branch_room(&debug_stub, branches);
	debug_stub.options.stop_on_disconnect = is_told("on-disconnect", "stop");
	debug_stub.options.kill_on_quit = is_told("on-quit", "kill");
	debug_link_init_early();
	debug_ready = true;
	wait_for_gdb();
}

/* Who waits for gdb does so before another CPU can stop for it. */
void debug_init(void)
{
	uint64_t flags;

	debug_link_init();
	wait_for_gdb();
	debug_link_attend(attention);
	/* What came before that is announced by no interrupt. */
	flags = irq_save();
	if (debug_link_wants_stop())
		break_in(NULL, &(struct uni_gdb_event){
				       .kind = UNI_GDB_EVENT_ATTENTION,
				       .signal = UNI_GDB_SIGTRAP,
			       });
	irq_restore(flags);
}
