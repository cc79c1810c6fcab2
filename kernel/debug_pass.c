/* SPDX-License-Identifier: MIT */

/* Breakpoints that the guest itself looks at: conditions and commands. The CPU that hit one decides
 * before any other is stopped. If it is to go on, it makes the instruction as a copy at another
 * place, so that the breakpoint stays in force for all others; with interrupts off.
 *
 * There are two ways to do that. Where something is to follow, or the copy cannot lead back, it is
 * one step, and the trap behind it ends it. From the hit to the end of that step the CPU counts as
 * inside: NMIs have nothing to add, and a leader waits those few microseconds. So what gdb changes
 * while the guest is stopped is never in use here.
 *
 * Else the copy is a trampoline. From its entry on the CPU is out: nobody hears of its end.
 * Whatever comes into a trampoline, a fault or an NMI, therefore begins by taking the place in the
 * copy for what it stands for. An NMI that comes before the instruction was made has it made as a
 * step, as the hit must not be told of twice. */

#include "kernel/arch/x86_64/fault.h"
#include "kernel/debug.h"
#include "kernel/debug_internal.h"

static struct {
	bool is;
	bool stepping; /* gdb steps the thread, whose step this is */
	struct uni_gdb_displaced displaced;
	struct debug_step_flags flags;
	/* Where it told of a hit and then stopped. */
	uint64_t told_pc;
	uint32_t told_thread;
} passing[CPU_MAX];

static void set_inside(unsigned cpu, bool value)
{
	__atomic_store_n(&debug_cpus[cpu].inside, value, __ATOMIC_SEQ_CST);
}

/* The place of the program while a pc may be one of the copy's. */
static uint64_t program_pc(const struct uni_gdb_displaced *displaced, uint64_t pc)
{
	return pc == displaced->to ? displaced->from : uni_gdb_arch_displaced_pc(displaced, pc);
}

/* Back to the place of the program. */
static void end(unsigned self, struct trap_frame *frame)
{
	passing[self].is = false;
	debug_arch_set_frame_pc(frame,
				program_pc(&passing[self].displaced, debug_arch_frame_pc(frame)));
	uni_gdb_branch_to(&debug_stub, debug_owner(self, frame)->id, debug_arch_frame_pc(frame));
}

/* False: the instruction only waits, and has been passed over. */
static bool begin(unsigned self, struct trap_frame *frame,
		  const struct uni_gdb_displaced *displaced)
{
	passing[self].displaced = *displaced;
	passing[self].is = true;
	uni_gdb_branch_from(&debug_stub, debug_owner(self, frame)->id, displaced->from);
	debug_arch_set_frame_pc(frame, displaced->to);
	if (debug_arch_step_begin(frame, true, &passing[self].flags)) {
		debug_watch_pause();
		return true;
	}
	end(self, frame);
	return false;
}

/* --- trampolines --- */

static bool runs_through(unsigned self, const struct thread *thread,
			 const struct uni_gdb_breakpoint *breakpoint, enum uni_gdb_way way)
{
	return breakpoint->displaced.through && way == UNI_GDB_WAY_RUN &&
	       !debug_cpus[self].attention && !uni_gdb_trace_steps(&debug_stub, self) &&
	       !uni_gdb_has_output(&debug_stub) && !uni_gdb_trace_is_over(&debug_stub) &&
	       !debug_record_is_due(thread) && !debug_watch_is_in_the_way();
}

/* False: a leader waits for this CPU, whose NMI came too early to say so. */
static bool run_through(unsigned self, struct trap_frame *frame,
			const struct uni_gdb_displaced *displaced)
{
	set_inside(self, false);
	if (debug_is_stopping()) {
		set_inside(self, true);
		return false;
	}
	debug_arch_set_frame_pc(
		frame, uni_gdb_arch_trampoline_entry(displaced, debug_arch_interrupts(frame)));
	debug_arch_set_interrupts(frame, false);
	return true;
}

/* The copy that a pc is in, NULL for none. */
static const struct uni_gdb_displaced *copy_at(uintptr_t pc)
{
	size_t index = (pc - (uintptr_t)debug_copies) / sizeof(debug_copies[0]);

	if (pc < (uintptr_t)debug_copies || index >= UNI_GDB_BREAKPOINTS ||
	    !debug_stub.breakpoints[index].passable)
		return NULL;
	return &debug_stub.breakpoints[index].displaced;
}

/* *frame, in the trampoline, as if the original had been there; whether the instruction was made.
 */
static bool show_program(struct trap_frame *frame, const struct uni_gdb_displaced *displaced)
{
	struct uni_gdb_place place =
		uni_gdb_arch_trampoline_place(displaced, debug_arch_frame_pc(frame));

	debug_arch_set_frame_pc(frame, place.pc);
	debug_arch_set_interrupts(frame, place.interrupts);
	return place.made;
}

void debug_pass_show(struct trap_frame *frame)
{
	const struct uni_gdb_displaced *displaced;

	debug_arch_undo_call(frame);
	displaced = copy_at(debug_arch_frame_pc(frame));
	if (displaced && !passing[cpu_id()].is)
		show_program(frame, displaced);
}

bool debug_pass_hold(struct trap_frame *frame)
{
	unsigned self = cpu_id();
	const struct uni_gdb_displaced *displaced = copy_at(debug_arch_frame_pc(frame));

	if (!displaced || passing[self].is || show_program(frame, displaced))
		return false;
	set_inside(self, true);
	if (begin(self, frame, displaced))
		return true;
	set_inside(self, false);
	return false;
}

bool debug_pass_nmi(struct trap_frame *frame)
{
	unsigned self = cpu_id();
	const struct uni_gdb_displaced *displaced = &passing[self].displaced;

	debug_arch_undo_call(frame);
	(void)debug_pass_hold(frame);
	if (!passing[self].is || debug_arch_frame_pc(frame) != displaced->to ||
	    !debug_arch_is_stepping(frame))
		return false;
	debug_arch_step_end(frame, &passing[self].flags);
	debug_arch_set_frame_pc(frame, displaced->from);
	return true;
}

void debug_pass_nmi_end(struct trap_frame *frame)
{
	unsigned self = cpu_id();

	debug_arch_set_frame_pc(frame, passing[self].displaced.to);
	(void)debug_arch_step_begin(frame, true, &passing[self].flags);
}

void debug_pass_show_all(void)
{
	struct trap_frame *frame;

	for (unsigned i = 0; i < CPU_MAX; i++)
		for (unsigned k = 0; (frame = debug_arch_trap_frame(i, k)); k++) {
			const struct uni_gdb_displaced *displaced =
				copy_at(debug_arch_frame_pc(frame));

			if (displaced)
				show_program(frame, displaced);
		}
}

bool debug_pass_is_made(void)
{
	return passing[cpu_id()].is;
}

/* --- steps --- */

static void mend_return_address(const struct uni_gdb_displaced *displaced,
				const struct trap_frame *frame)
{
	void *top = (void *)debug_arch_frame_sp(frame);
	uint64_t address;

	if (memory_read_nofault(&address, top, sizeof(address)) != 0)
		return;
	address += displaced->from - displaced->to;
	memory_write_nofault(top, &address, sizeof(address));
}

void debug_pass_drop(void)
{
	unsigned self = cpu_id();

	passing[self].stepping = false;
	uni_gdb_trace_end_steps(&debug_stub, self);
}

bool debug_pass_end(struct trap_frame *frame)
{
	unsigned self = cpu_id();
	const struct uni_gdb_displaced *displaced = &passing[self].displaced;
	uint64_t pc = debug_arch_frame_pc(frame);

	if (!passing[self].is)
		return false;
	debug_watch_look();
	debug_arch_step_end(frame, &passing[self].flags);
	if (pc != displaced->to && uni_gdb_arch_displaced_pushes(displaced))
		mend_return_address(displaced, frame);
	end(self, frame);
	if (frame->vector != TRAP_DB)
		/* It raised an exception of its own. */
		debug_pass_drop();
	set_inside(self, false);
	return true;
}

static void describe_hit(unsigned self, const struct trap_frame *frame,
			 struct uni_gdb_registers *registers, struct uni_gdb_hit *hit)
{
	debug_arch_peek(registers, frame);
	hit->registers = registers;
	hit->thread = cpus[self].thread->id;
	hit->cpu = (int)self;
	hit->again = false;
}

/* Tells of the instruction that was made; whether another one is wanted. */
static bool tell_step(unsigned self, const struct trap_frame *frame)
{
	struct uni_gdb_registers registers;
	struct uni_gdb_hit hit;

	if (!uni_gdb_trace_steps(&debug_stub, self))
		return false;
	describe_hit(self, frame, &registers, &hit);
	return uni_gdb_trace_stepped(&debug_stub, &hit);
}

/* Steps behind a tracepoint, with interrupts off: the instruction that was made is told of, and the
 * next one made ready. False: there is none. */
static bool step_on(unsigned self, struct trap_frame *frame)
{
	for (;;) {
		struct uni_gdb_displaced in_place = {.kind = UNI_GDB_DISPLACED_PLAIN};
		uint64_t pc;

		set_inside(self, true);
		if (!tell_step(self, frame))
			return false;
		if (debug_is_stopping()) {
			debug_stop(frame, NULL);
			if (debug_arch_is_stepping(frame))
				uni_gdb_trace_end_steps(&debug_stub, self);
			/* What it has to tell then it tells after its next instruction. */
			if (!uni_gdb_trace_steps(&debug_stub, self))
				return true;
			set_inside(self, true);
		}
		pc = debug_arch_frame_pc(frame);
		if (uni_gdb_breakpoint_at(&debug_stub, pc) ||
		    uni_gdb_breakpoint_passable(&debug_stub, pc)) {
			/* Where it does not stop the CPU, the copy of its instruction is the step.
			 */
			set_inside(self, false);
			(void)debug_pass_breakpoint(frame, pc);
			return true;
		}
		in_place.from = in_place.to = pc;
		if (begin(self, frame, &in_place))
			return true;
	}
}

void debug_pass_leave(struct trap_frame *frame)
{
	unsigned self = cpu_id();

	if (passing[self].stepping) {
		passing[self].stepping = false;
		uni_gdb_trace_end_steps(&debug_stub, self);
		set_inside(self, false);
		debug_finish_step(frame);
		return;
	}
	if (step_on(self, frame))
		return;
	set_inside(self, false);
	if (debug_is_stopping())
		debug_stop(frame, NULL);
	else if (debug_cpus[self].attention || uni_gdb_has_output(&debug_stub) ||
		 uni_gdb_trace_is_over(&debug_stub))
		debug_stop(frame, &(struct uni_gdb_event){.kind = UNI_GDB_EVENT_ATTENTION});
}

/* A hit after which the CPU stopped, and from which it goes on, is told of once. */
static bool is_told(unsigned self, uint64_t pc)
{
	bool told =
		passing[self].told_pc == pc && passing[self].told_thread == cpus[self].thread->id;

	if (told)
		passing[self].told_pc = 0;
	return told;
}

static void set_told(unsigned self, uint64_t pc)
{
	passing[self].told_pc = pc;
	passing[self].told_thread = cpus[self].thread->id;
}

/* How the CPU goes on behind the breakpoint that it is at. */
static enum uni_gdb_way way_of(const struct thread *thread, const struct trap_frame *frame,
			       bool stepping)
{
	if (stepping)
		return UNI_GDB_WAY_STEP;
	if (!uni_gdb_range_runs(&debug_stub, thread->id))
		return UNI_GDB_WAY_RUN;
	return uni_gdb_range_way(&debug_stub, thread->id, debug_arch_frame_pc(frame),
				 debug_arch_frame_sp(frame));
}

bool debug_pass_breakpoint(struct trap_frame *frame, uintptr_t pc)
{
	unsigned self = cpu_id();
	const struct uni_gdb_breakpoint *breakpoint;
	struct uni_gdb_registers registers;
	struct uni_gdb_hit hit;
	bool stepping = debug_arch_is_stepping(frame);
	struct thread *thread;
	enum uni_gdb_way way;

	set_inside(self, true);
	breakpoint = uni_gdb_breakpoint_passable(&debug_stub, pc);
	/* A step that ends at a breakpoint of gdb's is gdb's to judge. */
	if (!breakpoint || (stepping && breakpoint->stops)) {
		uni_gdb_trace_end_steps(&debug_stub, self);
		set_inside(self, false);
		return false;
	}
	debug_arch_set_frame_pc(frame, pc);
	if (debug_is_stopping()) {
		/* Hits it again afterwards, if it is still there. */
		debug_stop(frame, NULL);
		return true;
	}
	if (debug_aside_owner(debug_arch_frame_sp(frame))) {
		/* gdb sees this thread at another place. */
		if (!begin(self, frame, &breakpoint->displaced))
			debug_pass_leave(frame);
		return true;
	}
	thread = debug_owner(self, frame);
	if (stepping)
		debug_step_end(thread, frame, false);
	way = way_of(thread, frame, stepping);
	if (way == UNI_GDB_WAY_LEFT) {
		uni_gdb_trace_end_steps(&debug_stub, self);
		set_inside(self, false);
		debug_stop(frame, &(struct uni_gdb_event){
					  .kind = UNI_GDB_EVENT_STEP,
					  .signal = UNI_GDB_SIGTRAP,
				  });
		return true;
	}
	describe_hit(self, frame, &registers, &hit);
	hit.again = is_told(self, pc);
	if (uni_gdb_breakpoint_hit(&debug_stub, breakpoint, &hit)) {
		set_told(self, pc);
		uni_gdb_trace_end_steps(&debug_stub, self);
		set_inside(self, false);
		return false;
	}
	if (runs_through(self, thread, breakpoint, way) &&
	    run_through(self, frame, &breakpoint->displaced))
		return true;
	passing[self].stepping = way == UNI_GDB_WAY_STEP;
	if (!begin(self, frame, &breakpoint->displaced))
		debug_pass_leave(frame);
	return true;
}

bool debug_pass_watch(struct trap_frame *frame, unsigned slot)
{
	unsigned self = cpu_id();
	const struct uni_gdb_watch_slot *watch = &debug_stub.watches[slot];
	struct uni_gdb_registers registers;
	struct uni_gdb_hit hit;
	bool wants_stop;

	set_inside(self, true);
	if (watch->watch.kind != UNI_GDB_WATCH_EXECUTE || debug_is_stopping()) {
		set_inside(self, false);
		return false;
	}
	describe_hit(self, frame, &registers, &hit);
	wants_stop = uni_gdb_watch_hit(&debug_stub, slot, &hit);
	if (wants_stop) {
		set_inside(self, false);
		return false;
	}
	debug_arch_pass(frame);
	debug_pass_leave(frame);
	return true;
}
