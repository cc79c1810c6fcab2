/* SPDX-License-Identifier: MIT */

/* gdb defines its tracepoints: QTinit, then for each address of each tracepoint QTDP with what is
 * general, and more of them with the actions. GDB manual, "Tracepoint Packets". */

#include "gdbstub/trace_internal.h"
#include "tracing/bytecode.h"
#include "tracing/errno.h"

void uni_gdb_cmd_trace_init(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_trace *trace = &stub->trace;

	(void)args;
	uni_gdb_trace_start(stub);
	trace->running = false;
	trace->start_us = 0;
	trace->variable_count = 0;
	trace->tracepoint_count = 0;
	trace->action_count = 0;
	trace->code_len = 0;
	trace->sources_len = 0;
	trace->read_only_count = 0;
	trace->user.len = trace->notes.len = 0;
	uni_gdb_ok(stub);
}

/* "X<len>,<bytes>", its X taken already; *at is its place then. */
static const char *take_code(struct uni_gdb *stub, struct uni_gdb_cursor *args, uint32_t *at)
{
	struct uni_gdb_trace *trace = &stub->trace;
	uint8_t *to = trace->code + trace->code_len;
	const char *problem;
	uint64_t len;

	if (!uni_gdb_take_hex(args, &len) || !uni_gdb_take(args, ','))
		return "an expression without its length";
	if (len > sizeof(trace->code) - trace->code_len)
		return "no room for the expression";
	if (!uni_gdb_take_hex_bytes(args, to, len))
		return "an expression that is cut off";
	problem = uni_bytecode_refused(to, len, uni_gdb_arch_register_end(stub->register_sets));
	if (problem)
		return problem;
	*at = trace->code_len;
	trace->code_len += (uint32_t)len;
	return NULL;
}

struct uni_gdb_tracepoint *uni_gdb_tracepoint_find(struct uni_gdb *stub, uint64_t number,
						   uint64_t address)
{
	for (unsigned i = 0; i < stub->trace.tracepoint_count; i++) {
		struct uni_gdb_tracepoint *tracepoint = &stub->trace.tracepoints[i];

		if (tracepoint->number == number && tracepoint->address == address)
			return tracepoint;
	}
	return NULL;
}

bool uni_gdb_take_tracepoint(struct uni_gdb_cursor *args, uint64_t *number, uint64_t *address)
{
	return uni_gdb_take_hex(args, number) && uni_gdb_take(args, ':') &&
	       uni_gdb_take_hex(args, address) && *number && *number <= UINT16_MAX;
}

struct uni_gdb_tracepoint *uni_gdb_tracepoint_named(struct uni_gdb *stub,
						    struct uni_gdb_cursor *args)
{
	struct uni_gdb_tracepoint *tracepoint = NULL;
	uint64_t number, address;

	if (uni_gdb_take_tracepoint(args, &number, &address))
		tracepoint = uni_gdb_tracepoint_find(stub, number, address);
	if (!tracepoint)
		uni_gdb_error_text(stub, "no such tracepoint");
	return tracepoint;
}

static const char *check_address(struct uni_gdb *stub, uint64_t address)
{
	uint64_t room = stub->ops->displaced_room(stub->context, 0);
	uint8_t code[UNI_GDB_DISPLACED_SIZE] = {0};
	struct uni_gdb_displaced displaced;
	const char *refused = stub->ops->breakpoint_refused(stub->context, address, 1);

	if (refused)
		return refused;
	if (!stub->ops->memory_read(stub->context, address, code, sizeof(code)) ||
	    !stub->ops->memory_write(stub->context, address, code, 1))
		return "there is no memory at the address";
	if (!room || !uni_gdb_arch_displace(address, room, code, &displaced))
		return "no copy can stand for the instruction at the address";
	return NULL;
}

/* What a fast tracepoint at the address needs beyond that. */
static const char *check_call(struct uni_gdb *stub, uint64_t address, uint8_t *len)
{
	uint8_t code[UNI_GDB_DISPLACED_SIZE] = {0}, call[UNI_GDB_CALL_LEN];
	const char *refused =
		stub->ops->breakpoint_refused(stub->context, address, UNI_GDB_CALL_LEN);
	struct uni_gdb_flow flow;

	if (!stub->ops->call_entry)
		return "there are no fast tracepoints here: use trace";
	if (refused)
		return refused;
	(void)stub->ops->memory_read(stub->context, address, code, sizeof(code));
	if (!uni_gdb_arch_flow(address, code, &flow) || flow.next - address < sizeof(call))
		return "the instruction is shorter than a jump: use trace";
	if (stub->ops->memory_write(stub->context, address, code, sizeof(call)) != sizeof(call))
		return "there is no memory at the address";
	if (!uni_gdb_arch_call(address, (uintptr_t)stub->ops->call_entry, call))
		return "no jump reaches so far: use trace";
	*len = (uint8_t)(flow.next - address);
	return NULL;
}

/* ":E|D:step:pass[:F<len>][:X<len>,<bytes>][-]"; the '-' says that actions follow. */
static const char *take_definition(struct uni_gdb *stub, struct uni_gdb_cursor *args,
				   struct uni_gdb_tracepoint *tracepoint)
{
	uint64_t step_count, len;
	const char *problem = NULL;

	if (uni_gdb_take_text(args, ":E:"))
		tracepoint->enabled = true;
	else if (!uni_gdb_take_text(args, ":D:"))
		return "neither enabled nor disabled";
	if (!uni_gdb_take_hex(args, &step_count) || !uni_gdb_take(args, ':') ||
	    !uni_gdb_take_hex(args, &tracepoint->pass_count))
		return "a count is missing";
	if (step_count > UNI_GDB_TRACE_STEPS_MAX)
		return "no more than 10000 steps behind a tracepoint";
	tracepoint->step_count = (uint32_t)step_count;
	if (uni_gdb_take_text(args, ":F")) {
		if (!uni_gdb_take_hex(args, &len))
			return "a fast tracepoint without its length";
		if (step_count)
			return "no steps behind a fast tracepoint: use trace";
		problem = check_call(stub, tracepoint->address, &tracepoint->fast_len);
	}
	if (!problem && uni_gdb_take_text(args, ":X")) {
		tracepoint->has_condition = true;
		problem = take_code(stub, args, &tracepoint->condition);
	}
	(void)uni_gdb_take(args, '-');
	if (!problem && uni_gdb_left(args))
		problem = "a tracepoint of a kind that is not known";
	return problem;
}

static const char *define(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_tracepoint tracepoint = {
		.first_action = UNI_GDB_TRACE_NONE,
		.last_action = UNI_GDB_TRACE_NONE,
	};
	struct uni_gdb_trace *trace = &stub->trace;
	uint64_t number;
	const char *problem;

	if (!uni_gdb_take_tracepoint(args, &number, &tracepoint.address))
		return "a tracepoint without number and address";
	if (uni_gdb_tracepoint_find(stub, number, tracepoint.address))
		return "this tracepoint is defined already";
	if (trace->tracepoint_count == UNI_GDB_TRACEPOINTS ||
	    stub->breakpoint_count + trace->tracepoint_count >= UNI_GDB_BREAKPOINTS)
		return "no room for more tracepoints";
	problem = check_address(stub, tracepoint.address);
	if (!problem)
		problem = take_definition(stub, args, &tracepoint);
	if (problem)
		return problem;
	tracepoint.number = (uint32_t)number;
	trace->tracepoints[trace->tracepoint_count++] = tracepoint;
	return NULL;
}

/* --- actions --- */

static unsigned digit_of(uint8_t character)
{
	return character <= '9' ? character - (unsigned)'0' : (character | 0x20u) - 'a' + 10;
}

static bool is_digit(uint8_t character)
{
	return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'f') ||
	       (character >= 'A' && character <= 'F');
}

/* A bit for each register, the last digit for the first four. All but those of the FPU are
 * collected in any case. */
static bool mask_has_fpu(const struct uni_gdb *stub, const uint8_t *mask, size_t len)
{
	for (unsigned i = 0; i < uni_gdb_arch_register_end(stub->register_sets) && i / 4 < len; i++)
		if (digit_of(mask[len - 1 - i / 4]) >> i % 4 & 1 && uni_gdb_arch_register_is_fpu(i))
			return true;
	return false;
}

static const char *take_registers(struct uni_gdb *stub, struct uni_gdb_cursor *args,
				  struct uni_gdb_trace_action *action)
{
	const uint8_t *mask = args->at;

	while (args->at != args->end && is_digit(*args->at))
		args->at++;
	action->kind = UNI_GDB_COLLECT_REGISTERS;
	action->fpu = mask_has_fpu(stub, mask, (size_t)(args->at - mask));
	return NULL;
}

/* "M<register>,<offset>,<len>", its M taken already; the register is -1 for an address. */
static const char *take_memory(struct uni_gdb *stub, struct uni_gdb_cursor *args,
			       struct uni_gdb_trace_action *action)
{
	uint64_t base = UINT32_MAX;

	action->kind = UNI_GDB_COLLECT_MEMORY;
	if ((!uni_gdb_take_text(args, "-1") && !uni_gdb_take_hex(args, &base)) ||
	    !uni_gdb_take(args, ',') || !uni_gdb_take_hex(args, &action->at) ||
	    !uni_gdb_take(args, ',') || !uni_gdb_take_hex(args, &action->len))
		return "memory without its address and length";
	if (base != UINT32_MAX &&
	    !uni_gdb_arch_register_exists(stub->register_sets, (unsigned)base))
		return "memory at a register that there is not";
	action->base = base == UINT32_MAX ? -1 : (int32_t)base;
	return NULL;
}

/* "X<len>,<bytes>", its X taken already. gdb has no other way to ask for a variable. */
static const char *take_expression(struct uni_gdb *stub, struct uni_gdb_cursor *args,
				   struct uni_gdb_trace_action *action)
{
	struct uni_gdb_trace *trace = &stub->trace;
	unsigned number;
	uint32_t at = trace->code_len;
	const char *problem = take_code(stub, args, &at);

	action->kind = UNI_GDB_COLLECT_EXPRESSION;
	action->at = at;
	if (!problem &&
	    uni_bytecode_collects_variable(trace->code + at, trace->code_len - at, &number)) {
		action->kind = UNI_GDB_COLLECT_VARIABLE;
		action->at = number;
		trace->code_len = at;
	}
	return problem;
}

static const char *take_action(struct uni_gdb *stub, struct uni_gdb_cursor *args,
			       struct uni_gdb_trace_action *action)
{
	if (uni_gdb_take(args, 'R'))
		return take_registers(stub, args, action);
	if (uni_gdb_take(args, 'M'))
		return take_memory(stub, args, action);
	if (uni_gdb_take(args, 'X'))
		return take_expression(stub, args, action);
	return "an action that is not known";
}

static const char *add_action(struct uni_gdb *stub, struct uni_gdb_tracepoint *tracepoint,
			      const struct uni_gdb_trace_action *action)
{
	struct uni_gdb_trace *trace = &stub->trace;
	uint16_t index = (uint16_t)trace->action_count;

	if (trace->action_count == UNI_GDB_TRACE_ACTIONS)
		return "no room for more actions";
	trace->actions[trace->action_count++] = *action;
	if (tracepoint->last_action == UNI_GDB_TRACE_NONE)
		tracepoint->first_action = index;
	else
		trace->actions[tracepoint->last_action].next = index;
	tracepoint->last_action = index;
	return NULL;
}

/* "-number:address:[S]action..."; what follows an S is for the steps, in the packets behind too. */
static const char *take_actions(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_trace *trace = &stub->trace;
	struct uni_gdb_trace_action action = {.next = UNI_GDB_TRACE_NONE};
	struct uni_gdb_tracepoint *tracepoint;
	uint64_t number, address;
	const char *problem = NULL;

	if (!uni_gdb_take_tracepoint(args, &number, &address) || !uni_gdb_take(args, ':'))
		return "actions without a tracepoint";
	tracepoint = uni_gdb_tracepoint_find(stub, number, address);
	if (!tracepoint)
		return "actions of a tracepoint that there is not";
	if (tracepoint->last_action != UNI_GDB_TRACE_NONE)
		action.stepping = trace->actions[tracepoint->last_action].stepping;
	while (!problem && uni_gdb_left(args) && *args->at != '-') {
		if (uni_gdb_take(args, 'S'))
			action.stepping = true;
		action.fpu = false;
		problem = take_action(stub, args, &action);
		if (!problem)
			problem = add_action(stub, tracepoint, &action);
	}
	(void)uni_gdb_take(args, '-');
	if (!problem && uni_gdb_left(args))
		problem = "more than actions";
	return problem;
}

void uni_gdb_cmd_define_tracepoint(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	const char *problem =
		uni_gdb_take(args, '-') ? take_actions(stub, args) : define(stub, args);

	if (problem)
		uni_gdb_error_text(stub, problem);
	else
		uni_gdb_ok(stub);
}

/* The length of the shortest instruction that takes a fast one. */
void uni_gdb_cmd_trace_call_len(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	(void)args;
	uni_gdb_put_hex(&stub->reply, UNI_GDB_CALL_LEN);
}

static void switch_tracepoint(struct uni_gdb *stub, struct uni_gdb_cursor *args, bool enabled)
{
	struct uni_gdb_tracepoint *tracepoint = uni_gdb_tracepoint_named(stub, args);

	if (!tracepoint)
		return;
	tracepoint->enabled = enabled;
	uni_gdb_ok(stub);
}

void uni_gdb_cmd_enable_tracepoint(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	switch_tracepoint(stub, args, true);
}

void uni_gdb_cmd_disable_tracepoint(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	switch_tracepoint(stub, args, false);
}

/* QTro:start,end:... replaces what was said before. */
void uni_gdb_cmd_trace_read_only(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_trace *trace = &stub->trace;

	trace->read_only_count = 0;
	while (uni_gdb_take(args, ':')) {
		uint64_t start, end;

		if (!uni_gdb_take_hex(args, &start) || !uni_gdb_take(args, ',') ||
		    !uni_gdb_take_hex(args, &end)) {
			uni_gdb_error(stub, UNI_EINVAL);
			return;
		}
		if (trace->read_only_count == UNI_GDB_TRACE_READ_ONLY) {
			uni_gdb_error(stub, UNI_ENOMEM);
			return;
		}
		trace->read_only[trace->read_only_count].start = start;
		trace->read_only[trace->read_only_count++].end = end;
	}
	uni_gdb_ok(stub);
}
