/* SPDX-License-Identifier: MIT */

/* What happens at a breakpoint before anybody is stopped. Runs while the guest runs, with
 * breakpoints in memory: calls nothing that may carry one, memcpy() and its like among them. */

#include "gdbstub/stub_internal.h"
#include "tracing/bytecode.h"
#include "tracing/errno.h"

/* Opcodes that one expression may take: about 100 us. */
#define STEPS 10000

struct evaluation {
	struct uni_gdb *stub;
	const struct uni_gdb_hit *hit;
};

static int register_get(void *context, unsigned number, uint64_t *value)
{
	const struct evaluation *evaluation = context;
	uint64_t words[UNI_GDB_REGISTER_MAX / sizeof(uint64_t)] = {0, 0};

	if (uni_gdb_arch_register_size(number) > sizeof(*value) ||
	    !uni_gdb_arch_register_read(evaluation->hit->registers, number, words))
		return -UNI_ENOTSUP;
	*value = words[0];
	return 0;
}

static int memory_read(void *context, uint64_t address, void *bytes, size_t len)
{
	const struct evaluation *evaluation = context;

	return uni_gdb_read_clean(evaluation->stub, address, bytes, len) ? 0 : -UNI_EFAULT;
}

static const struct uni_bytecode_ops operations = {
	.register_get = register_get,
	.memory_read = memory_read,
};

/* gdb looks at them once more when it hears of the hit. So one that cannot be evaluated counts as
 * one that holds: gdb says then what is wrong with it. */
static bool holds(struct evaluation *evaluation, const struct uni_gdb_list *conditions)
{
	const uint8_t *code;
	uint32_t at = 0;
	uint64_t value;

	if (!conditions->len)
		return true;
	while ((code = uni_gdb_next_expression(evaluation->stub, conditions, &at)))
		if (uni_bytecode_run(code, &operations, evaluation, STEPS, &value) < 0 || value)
			return true;
	return false;
}

static bool wants_stop(struct uni_gdb *stub, const struct uni_gdb_agent *agent,
		       const struct uni_gdb_hit *hit)
{
	struct evaluation evaluation = {.stub = stub, .hit = hit};

	return holds(&evaluation, &agent->conditions);
}

bool uni_gdb_breakpoint_hit(struct uni_gdb *stub, const struct uni_gdb_breakpoint *breakpoint,
			    const struct uni_gdb_hit *hit)
{
	return wants_stop(stub, &breakpoint->agent, hit);
}

bool uni_gdb_watch_hit(struct uni_gdb *stub, unsigned slot, const struct uni_gdb_hit *hit)
{
	return wants_stop(stub, &stub->watches[slot].agent, hit);
}
