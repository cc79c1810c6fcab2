/* SPDX-License-Identifier: MIT */

/* A thread that steps through a range of code, for `next` and `step`: vCont;r in GDB's manual,
 * "Packets". A short one it does step through. In one that it has not left when the link is looked
 * at, breakpoints are laid where it can leave, and it runs from one to the next at full speed.
 *
 * They stand at the instructions that lead who knows where (calls, returns), which it steps; and
 * where a jump, or the end of the range, leads out of it, which it has left there. The stack
 * pointer is the same all the way, as what moves it is stepped too: so another context on the
 * thread's stack, a handler of interrupts, is told from the thread, and passes like other threads
 * do.
 */

#include "gdbstub/stub_internal.h"

/* Bytes of code. */
#define RANGE_MAX 2048

/* What its instructions are, while they are gone through. */
struct survey {
	uint64_t start;
	uint64_t end;
	uint8_t begins[RANGE_MAX / 8]; /* a bit for each byte: an instruction begins there */
};

static bool is_in(uint64_t start, uint64_t end, uint64_t pc)
{
	return pc >= start && pc < end;
}

static bool begins(const struct survey *survey, uint64_t pc)
{
	uint64_t at = pc - survey->start;

	return is_in(survey->start, survey->end, pc) && survey->begins[at / 8] >> at % 8 & 1;
}

static bool is_exit(const struct uni_gdb_range *range, uint64_t pc)
{
	for (unsigned i = 0; i < range->exit_count; i++)
		if (range->exits[i] == pc)
			return true;
	return false;
}

static bool add_exit(struct uni_gdb *stub, uint64_t pc)
{
	struct uni_gdb_range *range = &stub->range;

	if (is_exit(range, pc))
		return true;
	if (range->exit_count == UNI_GDB_EXITS ||
	    stub->ops->breakpoint_refused(stub->context, pc, UNI_GDB_BREAKPOINT_KIND))
		return false;
	range->exits[range->exit_count++] = pc;
	return true;
}

static bool read_flow(struct uni_gdb *stub, uint64_t pc, struct uni_gdb_flow *flow)
{
	uint8_t code[UNI_GDB_DISPLACED_SIZE] = {0};

	return stub->ops->memory_read(stub->context, pc, code, sizeof(code)) > 0 &&
	       uni_gdb_arch_flow(pc, code, flow);
}

/* The exits of one instruction. */
static bool add_exits(struct uni_gdb *stub, uint64_t pc, const struct uni_gdb_flow *flow)
{
	const struct uni_gdb_range *range = &stub->range;
	bool jumps = flow->kind == UNI_GDB_FLOW_BRANCH || flow->kind == UNI_GDB_FLOW_JUMP;

	if (flow->kind == UNI_GDB_FLOW_AWAY || flow->moves_sp)
		return add_exit(stub, pc);
	if (flow->kind != UNI_GDB_FLOW_JUMP && flow->next == range->end &&
	    !add_exit(stub, flow->next))
		return false;
	return !jumps || is_in(range->start, range->end, flow->target) ||
	       add_exit(stub, flow->target);
}

/* Goes through the instructions one after the other. */
static bool find_exits(struct uni_gdb *stub, struct survey *survey)
{
	struct uni_gdb_flow flow;

	for (uint64_t pc = survey->start; pc < survey->end; pc = flow.next) {
		uint64_t at = pc - survey->start;

		if (!read_flow(stub, pc, &flow) ||
		    flow.next - survey->start > survey->end - survey->start ||
		    !add_exits(stub, pc, &flow))
			return false;
		survey->begins[at / 8] |= (uint8_t)(1u << at % 8);
	}
	return true;
}

/* Jumps lead to where an instruction begins, so those that were found are those that run. */
static bool are_true(struct uni_gdb *stub, const struct survey *survey)
{
	struct uni_gdb_flow flow;

	for (uint64_t pc = survey->start; pc < survey->end; pc = flow.next) {
		if (!read_flow(stub, pc, &flow))
			return false;
		if ((flow.kind == UNI_GDB_FLOW_BRANCH || flow.kind == UNI_GDB_FLOW_JUMP) &&
		    is_in(survey->start, survey->end, flow.target) && !begins(survey, flow.target))
			return false;
	}
	return true;
}

static bool plan(struct uni_gdb *stub)
{
	struct uni_gdb_range *range = &stub->range;
	struct survey survey = {.start = range->start, .end = range->end};
	struct uni_gdb_registers registers;

	return stub->ops->registers_get(stub->context, range->thread, &registers) == 0 &&
	       find_exits(stub, &survey) && begins(&survey, uni_gdb_arch_pc(&registers)) &&
	       are_true(stub, &survey) &&
	       stub->breakpoint_count + stub->trace.tracepoint_count + range->exit_count <=
		       UNI_GDB_BREAKPOINTS;
}

/* Of a thread that is alone in going on, the scheduler could make one that waits for a CPU which is
 * held. With interrupts off, as steps are, it cannot. */
static bool others_run(const struct uni_gdb *stub)
{
	for (unsigned i = 0; i < stub->action_count; i++)
		if (stub->actions[i].kind == UNI_GDB_HOLD)
			return false;
	return stub->actions[stub->action_count - 1].thread == UNI_GDB_ALL_THREADS;
}

void uni_gdb_range_begin(struct uni_gdb *stub)
{
	const struct uni_gdb_action *first = &stub->actions[0];
	struct uni_gdb_range *range = &stub->range;

	range->thread = 0;
	range->exit_count = 0;
	range->seen = range->runs = false;
	if (first->kind != UNI_GDB_STEP || first->thread <= 0 || first->end <= first->start ||
	    first->end - first->start > RANGE_MAX || !others_run(stub) ||
	    uni_gdb_branch_ring_of(stub, (uint32_t)first->thread))
		return;
	range->thread = (uint32_t)first->thread;
	range->start = first->start;
	range->end = first->end;
}

void uni_gdb_range_stand(struct uni_gdb *stub)
{
	struct uni_gdb_range *range = &stub->range;

	if (range->thread && range->seen && !range->exit_count && !plan(stub))
		uni_gdb_range_give_up(stub);
	range->seen = true;
	for (unsigned i = 0; i < range->exit_count; i++)
		uni_gdb_breakpoint_stand(stub, range->exits[i])->is_exit = true;
}

void uni_gdb_range_give_up(struct uni_gdb *stub)
{
	stub->range.thread = 0;
	stub->range.exit_count = 0;
}

enum uni_gdb_way uni_gdb_range_way(struct uni_gdb *stub, uint32_t thread, uint64_t pc, uint64_t sp)
{
	struct uni_gdb_range *range = &stub->range;

	if (thread != range->thread || !range->exit_count)
		return UNI_GDB_WAY_STEP;
	if (range->runs && sp != range->sp)
		return UNI_GDB_WAY_RUN;
	if (!is_in(range->start, range->end, pc))
		return range->runs ? UNI_GDB_WAY_LEFT : UNI_GDB_WAY_STEP;
	range->runs = !is_exit(range, pc);
	range->sp = sp;
	return range->runs ? UNI_GDB_WAY_RUN : UNI_GDB_WAY_STEP;
}
