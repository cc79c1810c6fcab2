/* SPDX-License-Identifier: MIT */

/* Where the bytecode of conditions and commands is kept: one behind the other without gaps, so that
 * there is room as long as there is any. It changes only while the guest is stopped. */

#include "gdbstub/stub_internal.h"
#include "tracing/bytecode.h"

/* Before each expression: its length, low byte first. */
#define HEAD 2

/* "X<length>,<bytes>", as often as it comes. */
static const char *take_list(struct uni_gdb *stub, struct uni_gdb_cursor *args,
			     struct uni_gdb_list *list)
{
	struct uni_gdb_expressions *all = &stub->expressions;
	const char *problem;
	uint64_t len;

	list->at = all->len;
	while (uni_gdb_take(args, 'X')) {
		uint8_t *to = all->bytes + all->len;

		if (!uni_gdb_take_hex(args, &len) || !uni_gdb_take(args, ','))
			return "an expression without its length";
		if (len > UNI_BYTECODE_MAX || HEAD + len > sizeof(all->bytes) - all->len)
			return "no room for the expression";
		to[0] = (uint8_t)len;
		to[1] = (uint8_t)(len >> 8);
		if (!uni_gdb_take_hex_bytes(args, to + HEAD, len))
			return "an expression that is cut off";
		problem = uni_bytecode_refused(to + HEAD, len,
					       uni_gdb_arch_register_end(stub->register_sets));
		if (problem)
			return problem;
		all->len += (uint32_t)(HEAD + len);
	}
	list->len = all->len - list->at;
	return NULL;
}

static const char *take_agent(struct uni_gdb *stub, struct uni_gdb_cursor *args,
			      struct uni_gdb_agent *agent)
{
	const char *problem = NULL;
	uint64_t persist;

	while (!problem && uni_gdb_take(args, ';')) {
		if (uni_gdb_take_text(args, "cmds:")) {
			if (!uni_gdb_take_hex(args, &persist) || !uni_gdb_take(args, ','))
				return "commands of a form that is not known";
			problem = take_list(stub, args, &agent->commands);
		} else {
			problem = take_list(stub, args, &agent->conditions);
		}
	}
	if (!problem && uni_gdb_left(args))
		return "more than conditions and commands";
	return problem;
}

const char *uni_gdb_take_agent(struct uni_gdb *stub, struct uni_gdb_cursor *args,
			       struct uni_gdb_agent *agent)
{
	uint32_t before = stub->expressions.len;
	const char *problem;

	*agent = (struct uni_gdb_agent){.conditions = {0, 0}};
	problem = take_agent(stub, args, agent);
	if (problem)
		stub->expressions.len = before;
	return problem;
}

static void move(struct uni_gdb_list *list, uint32_t behind, uint32_t by)
{
	if (list->at > behind)
		list->at -= by;
}

static void move_agent(struct uni_gdb_agent *agent, uint32_t behind, uint32_t by)
{
	move(&agent->conditions, behind, by);
	move(&agent->commands, behind, by);
}

static void remove_list(struct uni_gdb *stub, struct uni_gdb_list list)
{
	struct uni_gdb_expressions *all = &stub->expressions;

	if (!list.len)
		return;
	for (uint32_t i = list.at + list.len; i < all->len; i++)
		all->bytes[i - list.len] = all->bytes[i];
	all->len -= list.len;
	for (unsigned i = 0; i < stub->breakpoint_count; i++)
		move_agent(&stub->breakpoints[i].agent, list.at, list.len);
	for (unsigned i = 0; i < UNI_GDB_WATCH_SLOTS; i++)
		move_agent(&stub->watches[i].agent, list.at, list.len);
}

void uni_gdb_replace_agent(struct uni_gdb *stub, struct uni_gdb_agent *agent,
			   const struct uni_gdb_agent *by)
{
	struct uni_gdb_agent old = *agent;

	*agent = by ? *by : (struct uni_gdb_agent){.conditions = {0, 0}};
	remove_list(stub, old.conditions);
	if (old.commands.at > old.conditions.at)
		old.commands.at -= old.conditions.len;
	remove_list(stub, old.commands);
}

const uint8_t *uni_gdb_next_expression(const struct uni_gdb *stub, const struct uni_gdb_list *list,
				       uint32_t *at)
{
	const uint8_t *head = stub->expressions.bytes + list->at + *at;

	if (*at >= list->len)
		return NULL;
	*at += HEAD + (head[0] | (uint32_t)head[1] << 8);
	return head + HEAD;
}
