/* SPDX-License-Identifier: MIT */

/* What happens at a breakpoint before anybody is stopped. Runs while the guest runs, with
 * breakpoints in memory: calls nothing that may carry one, memcpy() and its like among them. */

#include "gdbstub/trace_internal.h"
#include "tracing/bytecode.h"
#include "tracing/errno.h"

/* Opcodes that one expression may take: about 100 us. */
#define STEPS 10000

#define OUTPUT_LINE_MAX 512

int uni_gdb_eval_register(void *context, unsigned number, uint64_t *value)
{
	const struct uni_gdb_evaluation *evaluation = context;
	uint64_t words[UNI_GDB_REGISTER_MAX / sizeof(uint64_t)] = {0};

	if (!uni_gdb_arch_register_exists(evaluation->stub->register_sets, number) ||
	    uni_gdb_arch_register_size(number) > sizeof(*value) ||
	    !uni_gdb_arch_register_read(evaluation->hit->registers, number, words))
		return -UNI_ENOTSUP;
	*value = words[0];
	return 0;
}

int uni_gdb_eval_memory(void *context, uint64_t address, void *bytes, size_t len)
{
	const struct uni_gdb_evaluation *evaluation = context;

	return uni_gdb_read_clean(evaluation->stub, address, bytes, len) ? 0 : -UNI_EFAULT;
}

int uni_gdb_eval_variable(void *context, unsigned number, int64_t *value)
{
	const struct uni_gdb_evaluation *evaluation = context;

	return uni_gdb_variable_get(evaluation->stub, evaluation->hit, number, value);
}

int uni_gdb_eval_set_variable(void *context, unsigned number, int64_t value)
{
	const struct uni_gdb_evaluation *evaluation = context;

	return uni_gdb_variable_set(evaluation->stub, number, value);
}

/* Takes room, then fills it: a CPU that stops the guest waits for those that are here. */
static void keep_output(struct uni_gdb_output *output, const struct uni_gdb_text *text)
{
	uint32_t len = (uint32_t)text->len;
	uint32_t at = __atomic_load_n(&output->len, __ATOMIC_RELAXED);

	do {
		if (len > sizeof(output->data) - at) {
			__atomic_fetch_add(&output->lost, 1, __ATOMIC_RELAXED);
			return;
		}
	} while (!__atomic_compare_exchange_n(&output->len, &at, at + len, false, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	for (uint32_t i = 0; i < len; i++)
		*(volatile char *)&output->data[at + i] = text->data[i];
}

static int print(void *context, const char *format, const uint64_t *arguments, unsigned count)
{
	const struct uni_gdb_evaluation *evaluation = context;
	char line[OUTPUT_LINE_MAX];
	struct uni_gdb_text text;

	uni_gdb_text_init(&text, line, sizeof(line));
	uni_gdb_put_format(evaluation->stub, &text, format, arguments, count);
	keep_output(&evaluation->stub->output, &text);
	return 0;
}

void uni_gdb_put_output(struct uni_gdb *stub)
{
	uni_gdb_put_char(&stub->reply, 'O');
	uni_gdb_put_hex_bytes(&stub->reply, stub->output.data, stub->output.len);
	if (stub->output.lost) {
		char data[64];
		struct uni_gdb_text text;

		uni_gdb_text_init(&text, data, sizeof(data));
		uni_gdb_put(&text, "[");
		uni_gdb_put_decimal(&text, stub->output.lost);
		uni_gdb_put(&text, " lines of dprintf found no room]\n");
		uni_gdb_put_hex_bytes(&stub->reply, text.data, text.len);
	}
	stub->output.len = 0;
	stub->output.lost = 0;
}

const struct uni_bytecode_ops uni_gdb_condition_ops = {
	.register_get = uni_gdb_eval_register,
	.memory_read = uni_gdb_eval_memory,
	.variable_get = uni_gdb_eval_variable,
	.variable_set = uni_gdb_eval_set_variable,
};

static const struct uni_bytecode_ops command_ops = {
	.register_get = uni_gdb_eval_register,
	.memory_read = uni_gdb_eval_memory,
	.variable_get = uni_gdb_eval_variable,
	.variable_set = uni_gdb_eval_set_variable,
	.print = print,
};

/* gdb looks at them once more when it hears of the hit. So one that cannot be evaluated counts as
 * one that holds: gdb says then what is wrong with it. */
static bool holds(struct uni_gdb_evaluation *evaluation, const struct uni_gdb_list *conditions)
{
	const uint8_t *code;
	uint32_t at = 0;
	uint64_t value;

	if (!conditions->len)
		return true;
	while ((code = uni_gdb_next_expression(evaluation->stub, conditions, &at)))
		if (uni_bytecode_run(code, &uni_gdb_condition_ops, evaluation, STEPS, &value) < 0 ||
		    value)
			return true;
	return false;
}

static void run_commands(struct uni_gdb_evaluation *evaluation, const struct uni_gdb_list *commands)
{
	static const char failed[] = "[dprintf: an argument cannot be read]\n";
	const uint8_t *code;
	uint32_t at = 0;

	while ((code = uni_gdb_next_expression(evaluation->stub, commands, &at)))
		if (uni_bytecode_run(code, &command_ops, evaluation, STEPS, NULL) < 0)
			(void)print(evaluation, failed, NULL, 0);
}

static bool wants_stop(struct uni_gdb *stub, const struct uni_gdb_agent *agent,
		       const struct uni_gdb_hit *hit)
{
	struct uni_gdb_evaluation evaluation = {.stub = stub, .hit = hit};

	if (!holds(&evaluation, &agent->conditions))
		return false;
	if (!agent->commands.len)
		return true;
	run_commands(&evaluation, &agent->commands);
	return false;
}

bool uni_gdb_breakpoint_hit(struct uni_gdb *stub, const struct uni_gdb_breakpoint *breakpoint,
			    const struct uni_gdb_hit *hit)
{
	if (!hit->again)
		uni_gdb_trace_hit(stub, breakpoint->traced, hit);
	return breakpoint->stops && wants_stop(stub, &breakpoint->agent, hit);
}

bool uni_gdb_watch_hit(struct uni_gdb *stub, unsigned slot, const struct uni_gdb_hit *hit)
{
	return wants_stop(stub, &stub->watches[slot].agent, hit);
}
