/* SPDX-License-Identifier: MIT */

/* Breakpoints that the guest itself looks at: conditions and commands. The CPU that hit one decides
 * before any other is stopped. If it is to go on, it makes the instruction as a copy at another
 * place, so that the breakpoint stays in force for all others; one step with interrupts off.
 *
 * From the hit to the end of that step the CPU counts as inside: NMIs have nothing to add, and a
 * leader waits those few microseconds. So what gdb changes while the guest is stopped is never in
 * use here. */

#include "kernel/arch/x86_64/fault.h"
#include "kernel/debug_internal.h"

static struct {
	bool is;
	struct uni_gdb_displaced displaced;
	struct debug_step_flags flags;
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

static void begin(unsigned self, struct trap_frame *frame,
		  const struct uni_gdb_displaced *displaced)
{
	passing[self].displaced = *displaced;
	passing[self].is = true;
	debug_arch_set_frame_pc(frame, displaced->to);
	if (!debug_arch_step_begin(frame, true, &passing[self].flags)) {
		/* Made already. */
		passing[self].is = false;
		debug_arch_set_frame_pc(frame, program_pc(displaced, debug_arch_frame_pc(frame)));
		debug_pass_leave(frame);
	}
}

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

bool debug_pass_end(struct trap_frame *frame)
{
	unsigned self = cpu_id();
	const struct uni_gdb_displaced *displaced = &passing[self].displaced;
	uint64_t pc = debug_arch_frame_pc(frame);

	if (!passing[self].is)
		return false;
	passing[self].is = false;
	debug_arch_step_end(frame, &passing[self].flags);
	if (pc != displaced->to && uni_gdb_arch_displaced_pushes(displaced))
		mend_return_address(displaced, frame);
	debug_arch_set_frame_pc(frame, program_pc(displaced, pc));
	set_inside(self, false);
	return true;
}

void debug_pass_leave(struct trap_frame *frame)
{
	set_inside(cpu_id(), false);
	if (debug_is_stopping())
		debug_stop(frame, NULL);
	else if (uni_gdb_has_output(&debug_stub))
		debug_stop(frame, &(struct uni_gdb_event){.kind = UNI_GDB_EVENT_ATTENTION});
}

static void describe_hit(unsigned self, const struct trap_frame *frame,
			 struct uni_gdb_registers *registers, struct uni_gdb_hit *hit)
{
	debug_arch_peek(registers, frame);
	hit->registers = registers;
	hit->thread = cpus[self].thread->id;
	hit->cpu = (int)self;
}

bool debug_pass_breakpoint(struct trap_frame *frame, uintptr_t pc)
{
	unsigned self = cpu_id();
	const struct uni_gdb_breakpoint *breakpoint;
	struct uni_gdb_registers registers;
	struct uni_gdb_hit hit;

	set_inside(self, true);
	breakpoint = uni_gdb_breakpoint_passable(&debug_stub, pc);
	/* A step that ends at a breakpoint is gdb's to judge. */
	if (!breakpoint || debug_arch_is_stepping(frame)) {
		set_inside(self, false);
		return false;
	}
	debug_arch_set_frame_pc(frame, pc);
	if (debug_is_stopping()) {
		/* Hits it again afterwards, if it is still there. */
		debug_stop(frame, NULL);
		return true;
	}
	describe_hit(self, frame, &registers, &hit);
	if (uni_gdb_breakpoint_hit(&debug_stub, breakpoint, &hit)) {
		set_inside(self, false);
		return false;
	}
	begin(self, frame, &breakpoint->displaced);
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
