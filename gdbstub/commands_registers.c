/* SPDX-License-Identifier: MIT */

/* Registers of the thread that Hg chose. GDB manual, "Packets". */

#include "gdbstub/stub_internal.h"
#include "tracing/errno.h"

static bool exists(const struct uni_gdb *stub, unsigned number)
{
	return uni_gdb_arch_register_exists(stub->register_sets, number);
}

static void put_register(struct uni_gdb *stub, const struct uni_gdb_registers *registers,
			 unsigned number)
{
	uint8_t value[UNI_GDB_REGISTER_MAX];
	size_t size = uni_gdb_arch_register_size(number);

	if (stub->trace.selected.is
		    ? uni_gdb_selected_register(stub, number, value)
		    : registers && uni_gdb_arch_register_read(registers, number, value)) {
		uni_gdb_put_hex_bytes(&stub->reply, value, size);
		return;
	}
	uni_gdb_put_repeated(&stub->reply, 'x', 2 * size);
}

/* NULL when the thread's registers cannot be had: then all are shown as unavailable. */
static struct uni_gdb_registers *get(struct uni_gdb *stub, struct uni_gdb_registers *registers)
{
	if (stub->ops->registers_get(stub->context, uni_gdb_general_thread(stub), registers) < 0)
		return NULL;
	return registers;
}

/* What they were is kept for a while; see calls.c. */
static void put_back(struct uni_gdb *stub, const struct uni_gdb_registers *registers)
{
	uint32_t thread = uni_gdb_general_thread(stub);
	bool is_first;

	if (stub->trace.selected.is) {
		uni_gdb_error_text(stub, "a trace frame cannot be written");
		return;
	}
	is_first = uni_gdb_calls_write(stub, thread, registers);
	if (stub->ops->registers_set(stub->context, thread, registers) == 0) {
		uni_gdb_ok(stub);
		return;
	}
	if (is_first)
		uni_gdb_calls_forget(stub, thread);
	uni_gdb_error_text(stub, "the registers of this thread cannot be written");
}

void uni_gdb_cmd_read_registers(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_registers storage;
	const struct uni_gdb_registers *registers = get(stub, &storage);
	unsigned end = uni_gdb_arch_register_end(stub->register_sets);

	(void)args;
	if (registers && !stub->trace.selected.is) {
		uni_gdb_arch_register_block_put(&stub->registers, registers, stub->scratch);
		stub->reply_bytes = stub->registers.size;
		stub->reply_unknown_count = uni_gdb_arch_register_block_unknown(
			&stub->registers, registers, stub->reply_unknown);
		return;
	}
	for (unsigned i = 0; i < end; i++)
		if (exists(stub, i))
			put_register(stub, registers, i);
}

/* gdb sends every register back, those that it was told are unavailable too: they are passed over.
 */
void uni_gdb_cmd_write_registers(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_registers registers;
	uint8_t before[UNI_GDB_REGISTER_MAX];
	uint8_t value[UNI_GDB_REGISTER_MAX];

	if (!get(stub, &registers)) {
		uni_gdb_error_text(stub, "the registers of this thread cannot be written");
		return;
	}
	for (unsigned i = 0; i < uni_gdb_arch_register_end(stub->register_sets); i++) {
		if (!exists(stub, i))
			continue;
		if (!uni_gdb_take_hex_bytes(args, value, uni_gdb_arch_register_size(i))) {
			uni_gdb_error(stub, UNI_EINVAL);
			return;
		}
		if (uni_gdb_arch_register_read(&registers, i, before))
			uni_gdb_arch_register_write(&registers, i, value);
	}
	put_back(stub, &registers);
}

static bool take_number(const struct uni_gdb *stub, struct uni_gdb_cursor *args, uint64_t *number)
{
	return uni_gdb_take_hex(args, number) && *number < UINT32_MAX &&
	       exists(stub, (unsigned)*number);
}

void uni_gdb_cmd_read_register(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_registers storage;
	uint64_t number;

	if (take_number(stub, args, &number))
		put_register(stub, get(stub, &storage), (unsigned)number);
	else
		uni_gdb_error(stub, UNI_EINVAL);
}

void uni_gdb_cmd_write_register(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_registers registers;
	uint8_t value[UNI_GDB_REGISTER_MAX];
	uint64_t number;
	size_t size;

	if (!take_number(stub, args, &number) || !uni_gdb_take(args, '=')) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	size = uni_gdb_arch_register_size((unsigned)number);
	if (uni_gdb_left(args) != 2 * size || !uni_gdb_take_hex_bytes(args, value, size)) {
		uni_gdb_error(stub, UNI_EINVAL);
	} else if (!get(stub, &registers)) {
		uni_gdb_error_text(stub, "the registers of this thread cannot be written");
	} else {
		uni_gdb_arch_register_write(&registers, (unsigned)number, value);
		put_back(stub, &registers);
	}
}
