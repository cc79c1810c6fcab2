/* SPDX-License-Identifier: MIT */

/* Trace state variables: numbers that expressions read and write while the guest runs. The first
 * few are the stub's own and can be read only; gdb learns of them when it connects, so they may
 * stand in any condition. GDB manual, "Trace State Variables" and "Tracepoint Packets". */

#include "gdbstub/trace_internal.h"
#include "tracing/errno.h"

/* Numbered from 1; trace_timestamp is the name and the number that gdb knows. */
static const char *const own_names[] = {
	"trace_timestamp", /* us */
	"us_cpu",
	"us_thread",
};

#define OWN_COUNT (sizeof(own_names) / sizeof(own_names[0]))

static bool is_own(uint64_t number)
{
	return number >= 1 && number <= OWN_COUNT;
}

static int64_t own_value(const struct uni_gdb *stub, const struct uni_gdb_hit *hit, unsigned number)
{
	switch (number) {
	case 1:
		return (int64_t)stub->ops->clock_us(stub->context);
	case 2:
		return hit->cpu;
	default:
		return hit->thread;
	}
}

static const struct uni_gdb_variable *find(const struct uni_gdb *stub, uint64_t number)
{
	for (unsigned i = 0; i < stub->trace.variable_count; i++)
		if (stub->trace.variables[i].number == number)
			return &stub->trace.variables[i];
	return NULL;
}

int uni_gdb_variable_get(const struct uni_gdb *stub, const struct uni_gdb_hit *hit, unsigned number,
			 int64_t *value)
{
	const struct uni_gdb_variable *variable;

	if (is_own(number)) {
		*value = own_value(stub, hit, number);
		return 0;
	}
	variable = find(stub, number);
	if (!variable)
		return -UNI_ENOENT;
	*value = __atomic_load_n(&variable->value, __ATOMIC_RELAXED);
	return 0;
}

bool uni_gdb_variable_exists(const struct uni_gdb *stub, unsigned number)
{
	return is_own(number) || find(stub, number);
}

int uni_gdb_variable_set(struct uni_gdb *stub, unsigned number, int64_t value)
{
	struct uni_gdb_variable *variable = (struct uni_gdb_variable *)find(stub, number);

	if (is_own(number))
		return -UNI_ENOTSUP;
	if (!variable)
		return -UNI_ENOENT;
	__atomic_store_n(&variable->value, value, __ATOMIC_RELAXED);
	return 0;
}

/* QTDV:number:initial value:builtin:name. gdb sends the stub's own back. */
void uni_gdb_cmd_define_variable(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_trace *trace = &stub->trace;
	struct uni_gdb_variable variable = {.name_len = 0};
	struct uni_gdb_variable *found;
	uint64_t number, initial, builtin;

	if (!uni_gdb_take_hex(args, &number) || !uni_gdb_take(args, ':') ||
	    !uni_gdb_take_hex(args, &initial) || !uni_gdb_take(args, ':') ||
	    !uni_gdb_take_hex(args, &builtin) || !uni_gdb_take(args, ':') || !number ||
	    number > UINT16_MAX || uni_gdb_left(args) % 2 ||
	    uni_gdb_left(args) / 2 > sizeof(variable.name)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	variable.number = (uint32_t)number;
	variable.initial = variable.value = (int64_t)initial;
	variable.name_len = (uint8_t)(uni_gdb_left(args) / 2);
	if (!uni_gdb_take_hex_bytes(args, variable.name, variable.name_len)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	found = (struct uni_gdb_variable *)find(stub, number);
	if (!is_own(number) && !found && trace->variable_count == UNI_GDB_VARIABLES) {
		uni_gdb_error_text(stub, "no room for more trace state variables");
		return;
	}
	if (!is_own(number) && !found)
		found = &trace->variables[trace->variable_count++];
	if (found)
		*found = variable;
	uni_gdb_ok(stub);
}

static void put_own(struct uni_gdb_text *reply, unsigned number)
{
	const char *name = own_names[number - 1];

	uni_gdb_put_hex(reply, number);
	uni_gdb_put(reply, ":0:1:");
	while (*name)
		uni_gdb_put_hex_bytes(reply, name++, 1);
}

static void put_defined(struct uni_gdb_text *reply, const struct uni_gdb_variable *variable)
{
	uni_gdb_put_hex(reply, variable->number);
	uni_gdb_put_char(reply, ':');
	uni_gdb_put_hex(reply, (uint64_t)variable->initial);
	uni_gdb_put(reply, ":0:");
	uni_gdb_put_hex_bytes(reply, variable->name, variable->name_len);
}

void uni_gdb_cmd_first_variable(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	stub->trace.variable_told = 0;
	uni_gdb_cmd_next_variable(stub, args);
}

/* The last one first: gdb 13 turns the order round. */
void uni_gdb_cmd_next_variable(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_trace *trace = &stub->trace;
	unsigned total = OWN_COUNT + trace->variable_count;
	unsigned index;

	(void)args;
	if (trace->variable_told >= total) {
		uni_gdb_put_char(&stub->reply, 'l');
		return;
	}
	index = total - ++trace->variable_told;
	if (index < OWN_COUNT)
		put_own(&stub->reply, index + 1);
	else
		put_defined(&stub->reply, &trace->variables[index - OWN_COUNT]);
}

/* qTV:number: as the trace frame or the thread that gdb looks at sees it. */
void uni_gdb_cmd_variable(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_hit hit = {.thread = uni_gdb_general_thread(stub), .cpu = UNI_GDB_NO_CPU};
	struct uni_gdb_thread thread;
	uint64_t number;
	int64_t value;

	if (!uni_gdb_take_hex(args, &number) || number > UINT16_MAX) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	if (stub->ops->thread_find(stub->context, hit.thread, &thread))
		hit.cpu = thread.cpu;
	if (stub->trace.selected.is
		    ? !uni_gdb_frame_variable(stub, &stub->trace.selected, (unsigned)number, &value)
		    : uni_gdb_variable_get(stub, &hit, (unsigned)number, &value) < 0) {
		uni_gdb_put_char(&stub->reply, 'U');
		return;
	}
	uni_gdb_put_char(&stub->reply, 'V');
	uni_gdb_put_hex(&stub->reply, (uint64_t)value);
}
