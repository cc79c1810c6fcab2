/* SPDX-License-Identifier: MIT */

/* NMIs: how one CPU stops another, and how the supervisor makes a guest listen that takes no
 * interrupts.
 *
 * They come into anything, traps of the debugger among them. Those run on a stack of their own,
 * from its top each time: a breakpoint that such an NMI met, or a step from there, would write over
 * the trap that is being handled. So the NMI does no more there than leave word, and the CPU stops
 * as the last thing before it goes back to the program, or behind the instruction that it passes a
 * breakpoint with. */

#include "kernel/debug.h"
#include "kernel/debug_internal.h"
#include "kernel/image.h"

/* Breakpoints are in memory, or may be at any moment. */
static bool breakpoints_are_laid(void)
{
	return !debug_stub.stopped;
}

/* gdb is to see what an interrupt came into rather than its handler, which returns to where no
 * breakpoint may be set. debug_interrupt_end() stops. */
static bool is_in_interrupt(const struct trap_frame *frame)
{
	uintptr_t pc = debug_arch_frame_pc(frame);

	return cpus[cpu_id()].irq_depth > 0 ||
	       (!debug_arch_interrupts(frame) && pc >= (uintptr_t)kernel_stub_text_start &&
		pc < (uintptr_t)kernel_stub_text_end);
}

static void stop(struct trap_frame *frame, const struct uni_gdb_event *event)
{
	debug_watch_off();
	debug_stop(frame, event);
	debug_watch_on();
}

/* Only a stop can look at the link from the stack of a trap. */
static const struct uni_gdb_event look = {
	.kind = UNI_GDB_EVENT_ATTENTION,
	.signal = UNI_GDB_SIGTRAP,
};

static bool take(struct trap_frame *frame, bool nests)
{
	unsigned self = cpu_id();
	bool ours = __atomic_exchange_n(&debug_cpus[self].nmi_sent, false, __ATOMIC_SEQ_CST);
	const struct trap_frame *trap = debug_arch_trap_on(debug_arch_frame_sp(frame));

	if (!debug_ready)
		return false;
	if (debug_is_inside()) {
		if (ours || !(trap || debug_pass_is_made()) || !breakpoints_are_laid())
			return ours;
		debug_cpus[self].attention = !nests;
		cpus[self].debug_due = !nests;
		return true;
	}
	if (trap) {
		if (!ours && !nests)
			debug_cpus[self].attention = true;
		cpus[self].debug_due = debug_is_stopping() || debug_cpus[self].attention;
		debug_arch_leave_again(frame, trap);
		return true;
	}
	if (debug_is_stopping()) {
		if (is_in_interrupt(frame) && debug_lets_handlers_end())
			return ours;
		stop(frame, NULL);
		return true;
	}
	/* What looks at the link may meet breakpoints, and there are stacks for one NMI that does.
	 */
	if (nests || !debug_link_wants_stop())
		return ours;
	stop(frame, &look);
	return true;
}

bool debug_nmi(struct trap_frame *frame, bool nests)
{
	uint64_t control;
	bool taken;

	if (!debug_arch_trap_on(debug_arch_frame_sp(frame)))
		return take(frame, nests);
	/* What is watched must not trap there, be that on or off in the trap that this came into.
	 */
	control = debug_arch_disarm();
	taken = take(frame, nests);
	debug_arch_arm(control);
	return taken;
}

bool debug_leave(struct trap_frame *frame)
{
	unsigned self = cpu_id();

	/* Else a fault in the middle of the handler is left. */
	if (debug_arch_trap_on((uintptr_t)frame) != frame)
		return false;
	debug_watch_off();
	cpus[self].debug_due = 0;
	/* Behind the step that it makes, or is to make first. */
	if ((debug_is_stopping() || debug_cpus[self].attention) && !debug_is_inside() &&
	    !debug_pass_hold(frame))
		debug_stop(frame, debug_is_stopping() ? NULL : &look);
	debug_watch_on();
	return true;
}
