/* SPDX-License-Identifier: MIT */

/* A function that gdb calls (`print f()`): gdb writes a thread's registers, lets it run to a return
 * address that it pushed, and writes back what they were. They are kept here too: if gdb dies
 * meanwhile, the last is done for it. What else gdb writes registers for: copies.c. */

#include "gdbstub/stub_internal.h"

static struct uni_gdb_call *call_of(struct uni_gdb *stub, uint32_t thread)
{
	for (unsigned i = 0; i < UNI_GDB_CALLS; i++)
		if (stub->calls[i].thread == thread)
			return &stub->calls[i];
	return NULL;
}

static void put_back(struct uni_gdb *stub, struct uni_gdb_call *call)
{
	(void)stub->ops->registers_set(stub->context, call->thread, &call->registers);
	call->thread = 0;
}

/* gdb has written registers, for a function that does not run yet, or no more. */
static bool is_written(const struct uni_gdb_call *call)
{
	return call->thread &&
	       (call->state == UNI_GDB_CALL_PREPARED || call->state == UNI_GDB_CALL_RETURNED);
}

/* Off a breakpoint, in a copy of the instruction. */
static bool is_stepped(const struct uni_gdb_call *call)
{
	return call->thread &&
	       (call->state == UNI_GDB_CALL_IN_COPY || call->state == UNI_GDB_CALL_LANDED);
}

/* --- while gdb is there --- */

static void free_ended(struct uni_gdb *stub)
{
	for (unsigned i = 0; i < UNI_GDB_CALLS; i++)
		if (!uni_gdb_thread_exists(stub, stub->calls[i].thread))
			stub->calls[i].thread = 0;
}

/* gdb writes to one that is where its function returns to. */
static void write_again(struct uni_gdb *stub, struct uni_gdb_call *call)
{
	struct uni_gdb_registers now;

	if (call->state == UNI_GDB_CALL_RUNNING &&
	    stub->ops->registers_get(stub->context, call->thread, &now) == 0 &&
	    call->return_pc == uni_gdb_arch_pc(&now))
		call->state = UNI_GDB_CALL_RETURNED;
}

/* gdb writes last of all where a thread is behind its step. */
static void land(struct uni_gdb *stub, struct uni_gdb_call *call,
		 const struct uni_gdb_registers *registers)
{
	struct uni_gdb_registers now;

	if (stub->ops->registers_get(stub->context, call->thread, &now) == 0 &&
	    uni_gdb_arch_pc(&now) != uni_gdb_arch_pc(registers))
		call->state = UNI_GDB_CALL_LANDED;
}

bool uni_gdb_calls_write(struct uni_gdb *stub, uint32_t thread,
			 const struct uni_gdb_registers *registers)
{
	struct uni_gdb_call *call = call_of(stub, thread);

	if (call && call->state == UNI_GDB_CALL_IN_COPY) {
		land(stub, call, registers);
		return false;
	}
	if (call && call->state != UNI_GDB_CALL_LANDED) {
		write_again(stub, call);
		return false;
	}
	free_ended(stub);
	if (!call)
		call = call_of(stub, 0);
	if (!call || stub->ops->registers_get(stub->context, thread, &call->registers) < 0)
		return false;
	call->thread = thread;
	call->state = UNI_GDB_CALL_PREPARED;
	return true;
}

void uni_gdb_calls_forget(struct uni_gdb *stub, uint32_t thread)
{
	struct uni_gdb_call *call = call_of(stub, thread);

	if (call)
		call->thread = 0;
}

/* gdb lets a function return to a breakpoint on the stack, in what it put there for the call. */
static bool begins(struct uni_gdb *stub, struct uni_gdb_call *call)
{
	struct uni_gdb_registers now;
	uint64_t sp;

	if (stub->ops->registers_get(stub->context, call->thread, &now) < 0)
		return false;
	sp = uni_gdb_arch_sp(&now);
	return stub->ops->memory_read(stub->context, sp, &call->return_pc,
				      sizeof(call->return_pc)) == sizeof(call->return_pc) &&
	       sp < call->return_pc && call->return_pc < uni_gdb_arch_sp(&call->registers);
}

bool uni_gdb_calls_run(struct uni_gdb *stub, uint32_t thread)
{
	struct uni_gdb_call *call = call_of(stub, thread);

	return call &&
	       (call->state == UNI_GDB_CALL_RUNNING || (is_written(call) && begins(stub, call)));
}

bool uni_gdb_calls_astray(struct uni_gdb *stub, uint32_t thread)
{
	struct uni_gdb_call *call = call_of(stub, thread);
	struct uni_gdb_registers now;

	return call && is_written(call) && !begins(stub, call) &&
	       stub->ops->registers_get(stub->context, thread, &now) == 0 &&
	       uni_gdb_arch_pc(&now) != uni_gdb_arch_pc(&call->registers);
}

void uni_gdb_calls_resume(struct uni_gdb *stub)
{
	for (unsigned i = 0; i < UNI_GDB_CALLS; i++) {
		struct uni_gdb_call *call = &stub->calls[i];

		if (!call->thread || uni_gdb_resume_of(stub, call->thread).kind == UNI_GDB_HOLD)
			continue;
		if (is_written(call) && begins(stub, call))
			call->state = UNI_GDB_CALL_RUNNING;
		else if ((is_written(call) || is_stepped(call)) && !uni_gdb_copy_runs(stub, call))
			call->thread = 0;
	}
}

bool uni_gdb_call_pends(const struct uni_gdb *stub, uint32_t thread)
{
	for (unsigned i = 0; i < UNI_GDB_CALLS; i++)
		if (stub->calls[i].thread == thread)
			return !is_stepped(&stub->calls[i]);
	return false;
}

/* --- when it is gone --- */

/* What it returns to faults, unless code may lie on stacks. */
static void orphan(struct uni_gdb *stub, struct uni_gdb_call *call)
{
	size_t len;
	const uint8_t *code = uni_gdb_arch_breakpoint(1, &len);

	call->state = UNI_GDB_CALL_ORPHANED;
	(void)stub->ops->memory_write(stub->context, call->return_pc, code, len);
}

void uni_gdb_calls_orphan(struct uni_gdb *stub)
{
	for (unsigned i = 0; i < UNI_GDB_CALLS; i++) {
		struct uni_gdb_call *call = &stub->calls[i];

		if (is_stepped(call))
			uni_gdb_copy_undo(stub, call);
		if (call->thread && call->state == UNI_GDB_CALL_RUNNING)
			orphan(stub, call);
		else if (call->state != UNI_GDB_CALL_ORPHANED)
			call->thread = 0;
	}
}

void uni_gdb_calls_undo(struct uni_gdb *stub)
{
	for (unsigned i = 0; i < UNI_GDB_CALLS; i++)
		if (is_written(&stub->calls[i]))
			put_back(stub, &stub->calls[i]);
	uni_gdb_calls_orphan(stub);
}

bool uni_gdb_call_is_over(const struct uni_gdb *stub, uint64_t pc)
{
	for (unsigned i = 0; i < UNI_GDB_CALLS; i++)
		if (stub->calls[i].thread && stub->calls[i].state == UNI_GDB_CALL_ORPHANED &&
		    stub->calls[i].return_pc == pc)
			return true;
	return false;
}

bool uni_gdb_calls_end(struct uni_gdb *stub, const struct uni_gdb_event *event)
{
	struct uni_gdb_call *call = call_of(stub, event->thread);
	struct uni_gdb_registers now;

	if (event->kind != UNI_GDB_EVENT_SIGNAL || !call ||
	    stub->ops->registers_get(stub->context, event->thread, &now) < 0 ||
	    !uni_gdb_call_is_over(stub, uni_gdb_arch_pc(&now)))
		return false;
	put_back(stub, call);
	return true;
}
