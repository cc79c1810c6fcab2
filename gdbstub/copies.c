/* SPDX-License-Identifier: MIT */

/* Steps off breakpoints that gdb makes where threads stop one by one: it writes a copy of the
 * instruction into the room at the program's entry (uni_gdb_cmd_xfer_auxv()), and its address into
 * the thread's pc; lets the thread step; and writes where the thread is then. What an operand
 * relative to rip has become needs a register more, which gdb fills before and writes back after.
 * If gdb dies meanwhile, what it still had to write is written for it. */

#include "gdbstub/stub_internal.h"

static bool is_in_room(const struct uni_gdb *stub, uint64_t address)
{
	uint64_t room = stub->ops->displaced_room(stub->context, UNI_GDB_BREAKPOINTS);

	return room && address - room < UNI_GDB_TRAMPOLINE_SIZE;
}

/* The bytes that the thread is at, and those that they stand for, are the same. */
static bool is_verbatim(const struct uni_gdb *stub, const struct uni_gdb_call *call)
{
	uint8_t original[UNI_GDB_DISPLACED_SIZE] = {0}, copy[UNI_GDB_DISPLACED_SIZE] = {0};

	if (!uni_gdb_read_clean(stub, uni_gdb_arch_pc(&call->registers), original,
				sizeof(original)) ||
	    !uni_gdb_read_clean(stub, call->copy, copy, sizeof(copy)))
		return false;
	for (unsigned i = 0; i < sizeof(copy); i++)
		if (original[i] != copy[i])
			return false;
	return true;
}

bool uni_gdb_copy_runs(struct uni_gdb *stub, struct uni_gdb_call *call)
{
	struct uni_gdb_registers now;

	if (stub->ops->registers_get(stub->context, call->thread, &now) < 0 ||
	    !is_in_room(stub, uni_gdb_arch_pc(&now)))
		return false;
	if (call->state == UNI_GDB_CALL_IN_COPY)
		return true;
	call->state = UNI_GDB_CALL_IN_COPY;
	call->copy = uni_gdb_arch_pc(&now);
	call->lent = is_verbatim(stub, call) ? 0 : uni_gdb_arch_differing(&now, &call->registers);
	return true;
}

static void mend_return_address(struct uni_gdb *stub, const struct uni_gdb_displaced *displaced,
				uint64_t sp)
{
	uint64_t address;

	if (stub->ops->memory_read(stub->context, sp, &address, sizeof(address)) !=
		    sizeof(address) ||
	    !is_in_room(stub, address))
		return;
	address += displaced->from - displaced->to;
	(void)stub->ops->memory_write(stub->context, sp, &address, sizeof(address));
}

void uni_gdb_copy_undo(struct uni_gdb *stub, const struct uni_gdb_call *call)
{
	uint64_t from = uni_gdb_arch_pc(&call->registers);
	struct uni_gdb_displaced displaced = {.from = from, .to = call->copy};
	uint8_t code[UNI_GDB_DISPLACED_SIZE] = {0};
	struct uni_gdb_registers now;
	uint64_t pc;

	if (stub->ops->registers_get(stub->context, call->thread, &now) < 0)
		return;
	(void)uni_gdb_read_clean(stub, from, code, sizeof(code));
	(void)uni_gdb_arch_displace(from, call->copy, code, &displaced);
	pc = uni_gdb_arch_pc(&now);
	if (pc != call->copy && uni_gdb_arch_displaced_pushes(&displaced))
		mend_return_address(stub, &displaced, uni_gdb_arch_sp(&now));
	if (call->state != UNI_GDB_CALL_IN_COPY)
		return;
	pc = pc == call->copy ? from : uni_gdb_arch_displaced_pc(&displaced, pc);
	uni_gdb_arch_restore(&now, &call->registers, call->lent);
	uni_gdb_arch_set_pc(&now, pc);
	(void)stub->ops->registers_set(stub->context, call->thread, &now);
}
