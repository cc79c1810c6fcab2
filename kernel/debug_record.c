/* SPDX-License-Identifier: MIT */

/* Threads that are recorded, for gdb's `record btrace`: each makes one step after the other while
 * the guest runs, and the stub hears of each.
 *
 * Interrupts are not held off, else the guest would stand still. So a step may be under way while
 * a handler of interrupts runs on the thread's stack, at full speed, or while other threads run:
 * the trap flag waits in the frame that the handler returns to. All that is known of a step is
 * that; the trap behind it may come on another CPU.
 *
 * Where thread_switch() changes the stack a step would end in another thread. There a thread goes
 * on at full speed, and comes out at debug_landing().
 *
 * Threads of the kernel's own, idle ones among them, run on at full speed; they are recorded where
 * gdb makes them step. */

#include "kernel/arch/x86_64/fault.h"
#include "kernel/debug_internal.h"

/* A step that is made with interrupts off, as debug_watch.c has it: it ends on this CPU. */
static struct {
	bool is;
	struct debug_step_flags flags;
} held[CPU_MAX];

/* Trap flags of ours may be left in frames when the recording ends. */
static bool was_used;

bool debug_record_is_due(const struct thread *thread)
{
	/* One of the kernel's own, slow as it would be, would leave the others no CPU. One that has
	 * ended comes out of no switch. */
	/* At each breakpoint, where most often none is wanted: that takes no call. */
	return uni_gdb_branches_wanted(&debug_stub) &&
	       uni_gdb_branch_is_due(&debug_stub, thread->id) && !thread->service &&
	       thread->state != THREAD_EXITED;
}

/* Whether it is about to give up its CPU, or in the middle of that. */
static bool is_switching(struct thread *thread, const struct trap_frame *frame)
{
	uint64_t *return_address;
	uint64_t shown_pc;

	if (!debug_arch_is_switching(frame, &return_address))
		return false;
	/* It was stopped when it had been sent. */
	if (!return_address || debug_step_is_sent(thread))
		return true;
	shown_pc = debug_arch_shown_pc(*return_address);
	uni_gdb_branch_from(&debug_stub, thread->id, debug_arch_frame_pc(frame));
	uni_gdb_branch_along(&debug_stub, thread->id, shown_pc);
	debug_step_send(thread, return_address);
	return true;
}

/* It touches no memory. There are some in all that runs long, and they let interrupts in. */
static bool is_jump(uint64_t pc)
{
	uint8_t code[UNI_GDB_DISPLACED_SIZE] = {0};
	struct uni_gdb_flow flow;

	memory_read_nofault(code, (const void *)pc, sizeof(code));
	return uni_gdb_arch_flow(pc, code, &flow) &&
	       (flow.kind == UNI_GDB_FLOW_BRANCH || flow.kind == UNI_GDB_FLOW_JUMP);
}

/* False: there was nothing to be made. */
static bool begin(unsigned self, struct trap_frame *frame)
{
	held[self].is = debug_watch_is_in_the_way() && !is_jump(debug_arch_frame_pc(frame));
	if (!debug_arch_step_begin(frame, held[self].is, &held[self].flags)) {
		held[self].is = false;
		return false;
	}
	if (held[self].is)
		debug_watch_pause();
	return true;
}

static void end(unsigned self, struct trap_frame *frame, uint64_t from)
{
	if (!held[self].is) {
		debug_arch_free_step_end(frame, from);
		return;
	}
	held[self].is = false;
	debug_watch_look();
	debug_arch_step_end(frame, &held[self].flags);
}

void debug_record_begin(struct trap_frame *frame)
{
	unsigned self = cpu_id();
	struct thread *thread;

	if (!uni_gdb_branches_wanted(&debug_stub))
		return;
	thread = debug_owner(self, frame);
	if (!debug_record_is_due(thread) || !debug_is_on_stack(thread, frame) ||
	    debug_arch_is_stepping(frame))
		return;
	was_used = true;
	while (!is_switching(thread, frame)) {
		uni_gdb_branch_from(&debug_stub, thread->id, debug_arch_frame_pc(frame));
		if (begin(self, frame))
			return;
		uni_gdb_branch_to(&debug_stub, thread->id, debug_arch_frame_pc(frame));
	}
}

bool debug_record_end(struct trap_frame *frame, uint64_t pc, bool stepped)
{
	unsigned self = cpu_id();
	struct thread *thread;

	/* `popf` and `iret` take the trap flag out by themselves. */
	if (!was_used || !(stepped || debug_arch_is_stepping(frame)))
		return false;
	thread = debug_owner(self, frame);
	if (debug_step_is_made(thread))
		return false;
	end(self, frame, uni_gdb_branch_pc(&debug_stub, thread->id));
	uni_gdb_branch_to(&debug_stub, thread->id, pc);
	return true;
}
