/* SPDX-License-Identifier: MIT */

/* Why the guest stopped, and how it goes on. GDB manual, "Packets". */

#include "gdbstub/stub_internal.h"
#include "tracing/errno.h"

struct uni_gdb_action uni_gdb_resume_of(const struct uni_gdb *stub, uint32_t thread)
{
	if (uni_gdb_stop_holds(stub, thread))
		return (struct uni_gdb_action){.kind = UNI_GDB_HOLD};
	/* Nobody has said anything yet. */
	if (!stub->action_count)
		return (struct uni_gdb_action){.kind = UNI_GDB_CONTINUE};
	for (unsigned i = 0; i < stub->action_count; i++)
		if (stub->actions[i].thread == UNI_GDB_ALL_THREADS ||
		    stub->actions[i].thread == (int32_t)thread)
			return stub->actions[i];
	return (struct uni_gdb_action){
		.kind = stub->non_stop ? UNI_GDB_CONTINUE : UNI_GDB_HOLD,
	};
}

bool uni_gdb_holds_others(const struct uni_gdb *stub)
{
	for (unsigned i = 0; i < stub->action_count; i++)
		if (stub->actions[i].thread == UNI_GDB_ALL_THREADS &&
		    stub->actions[i].kind != UNI_GDB_HOLD)
			return false;
	return stub->action_count;
}

bool uni_gdb_wants_end_of(const struct uni_gdb *stub, uint32_t thread)
{
	return stub->attached && !stub->non_stop && uni_gdb_holds_others(stub) &&
	       uni_gdb_resume_of(stub, thread).kind != UNI_GDB_HOLD;
}

bool uni_gdb_none_goes(struct uni_gdb *stub)
{
	for (unsigned i = 0; i < stub->action_count; i++)
		if (stub->actions[i].kind != UNI_GDB_HOLD &&
		    (stub->actions[i].thread == UNI_GDB_ALL_THREADS ||
		     uni_gdb_thread_exists(stub, (uint32_t)stub->actions[i].thread)))
			return false;
	return true;
}

bool uni_gdb_step_done(const struct uni_gdb *stub, uint32_t thread, uint64_t pc)
{
	struct uni_gdb_action action = uni_gdb_resume_of(stub, thread);

	return action.kind != UNI_GDB_STEP || pc < action.start || pc >= action.end;
}

void uni_gdb_cmd_why(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	if (stub->non_stop) {
		uni_gdb_stop_tell_all(stub);
		return;
	}
	(void)args;
	(void)uni_gdb_next_event(stub);
	uni_gdb_put_stop(stub, &stub->current);
}

static bool is_one_step(const struct uni_gdb_action *action)
{
	return action->kind == UNI_GDB_STEP && action->start >= action->end;
}

/* A step of one that waits for others, which are held, ends at once: gdb makes such a step to pass
 * a breakpoint, and would wait for its end for ever. False: refused, the reply says why. */
static bool check_alone(struct uni_gdb *stub)
{
	struct uni_gdb_thread thread;
	const struct uni_gdb_action *last = NULL;

	for (unsigned i = 0; i < stub->action_count; i++) {
		const struct uni_gdb_action *action = &stub->actions[i];

		if (action->kind == UNI_GDB_HOLD)
			continue;
		if (action->thread == UNI_GDB_ALL_THREADS)
			return true;
		if (!stub->ops->thread_find(stub->context, (uint32_t)action->thread, &thread))
			continue;
		if (thread.waits && uni_gdb_calls_astray(stub, thread.id)) {
			uni_gdb_error_text(stub,
					   "this thread waits, and its registers are those of "
					   "no call that it could make meanwhile");
			return false;
		}
		if (!thread.waits || !is_one_step(action) || uni_gdb_calls_run(stub, thread.id))
			return true;
		last = action;
	}
	if (!last) {
		uni_gdb_error_text(stub, "it names no thread that is to go on");
		return false;
	}
	if (stub->pending_count < UNI_GDB_EVENTS)
		stub->pending[stub->pending_count++] = (struct uni_gdb_event){
			.kind = UNI_GDB_EVENT_STEP,
			.signal = UNI_GDB_SIGTRAP,
			.thread = (uint32_t)last->thread,
		};
	return true;
}

static void resume(struct uni_gdb *stub)
{
	if (stub->non_stop) {
		/* These name no thread that is stopped. */
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	uni_gdb_drop_steps(stub);
	if (!check_alone(stub))
		return;
	uni_gdb_range_begin(stub);
	stub->trace.selected.is = false;
	stub->owes_stop = true;
	stub->resume = true;
}

static bool take_signal(struct uni_gdb_cursor *args, uint8_t *signal)
{
	return uni_gdb_take_hex_bytes(args, signal, 1);
}

/* One ";action[:thread]" of vCont, its ';' taken already. */
bool uni_gdb_take_action(struct uni_gdb_cursor *args, struct uni_gdb_action *action)
{
	*action = (struct uni_gdb_action){.thread = UNI_GDB_ALL_THREADS};
	if (uni_gdb_take(args, 'c')) {
		action->kind = UNI_GDB_CONTINUE;
	} else if (uni_gdb_take(args, 'C')) {
		action->kind = UNI_GDB_CONTINUE;
		if (!take_signal(args, &action->signal))
			return false;
	} else if (uni_gdb_take(args, 's')) {
		action->kind = UNI_GDB_STEP;
	} else if (uni_gdb_take(args, 'S')) {
		action->kind = UNI_GDB_STEP;
		if (!take_signal(args, &action->signal))
			return false;
	} else if (uni_gdb_take(args, 't')) {
		action->kind = UNI_GDB_HOLD;
	} else if (uni_gdb_take(args, 'r')) {
		action->kind = UNI_GDB_STEP;
		if (!uni_gdb_take_hex(args, &action->start) || !uni_gdb_take(args, ',') ||
		    !uni_gdb_take_hex(args, &action->end))
			return false;
	} else {
		return false;
	}
	return !uni_gdb_take(args, ':') || uni_gdb_take_thread(args, &action->thread);
}

void uni_gdb_cmd_vcont(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	unsigned count = 0;

	if (stub->non_stop) {
		uni_gdb_stop_resume(stub, args);
		return;
	}
	do {
		if (count == UNI_GDB_ACTIONS || !uni_gdb_take_action(args, &stub->actions[count])) {
			stub->action_count = 0;
			uni_gdb_error(stub, UNI_EINVAL);
			return;
		}
		if (stub->actions[count].thread == UNI_GDB_ANY_THREAD)
			stub->actions[count].thread = (int32_t)stub->current.thread;
		count++;
	} while (uni_gdb_take(args, ';'));
	if (uni_gdb_left(args)) {
		stub->action_count = 0;
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	stub->action_count = count;
	resume(stub);
}

/* gdb uses vCont only where c and C are among the answers. */
void uni_gdb_cmd_vcont_query(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	(void)args;
	uni_gdb_put(&stub->reply, "vCont;c;C;s;S;t");
	if (uni_gdb_feature_is_on(stub, UNI_GDB_FEATURE_RANGE_STEPPING))
		uni_gdb_put(&stub->reply, ";r");
}

static bool set_pc(struct uni_gdb *stub, uint32_t thread, uint64_t pc)
{
	struct uni_gdb_registers registers;

	if (stub->ops->registers_get(stub->context, thread, &registers) < 0)
		return false;
	uni_gdb_arch_set_pc(&registers, pc);
	return stub->ops->registers_set(stub->context, thread, &registers) == 0;
}

/* c, C, s and S: [signal][;][address], for the thread of Hc; a step lets the others run, unless Hc
 * names a thread. */
static void resume_one(struct uni_gdb *stub, struct uni_gdb_cursor *args,
		       enum uni_gdb_action_kind kind, uint8_t signal)
{
	bool named = stub->continue_thread > 0;
	uint32_t thread = named ? (uint32_t)stub->continue_thread : stub->current.thread;
	uint64_t pc;

	if (uni_gdb_take_hex(args, &pc) && !set_pc(stub, thread, pc)) {
		uni_gdb_error(stub, UNI_EFAULT);
		return;
	}
	if (uni_gdb_left(args)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	stub->actions[0] = (struct uni_gdb_action){
		.kind = kind,
		.signal = signal,
		.thread = (int32_t)thread,
	};
	stub->actions[1] = (struct uni_gdb_action){
		.kind = UNI_GDB_CONTINUE,
		.thread = UNI_GDB_ALL_THREADS,
	};
	stub->action_count = named ? 1 : 2;
	resume(stub);
}

static void resume_one_signal(struct uni_gdb *stub, struct uni_gdb_cursor *args,
			      enum uni_gdb_action_kind kind)
{
	uint8_t signal;

	if (!take_signal(args, &signal)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	(void)uni_gdb_take(args, ';');
	resume_one(stub, args, kind, signal);
}

void uni_gdb_cmd_continue(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	resume_one(stub, args, UNI_GDB_CONTINUE, 0);
}

void uni_gdb_cmd_continue_signal(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	resume_one_signal(stub, args, UNI_GDB_CONTINUE);
}

void uni_gdb_cmd_step(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	resume_one(stub, args, UNI_GDB_STEP, 0);
}

void uni_gdb_cmd_step_signal(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	resume_one_signal(stub, args, UNI_GDB_STEP);
}

/* D and D;pid. */
void uni_gdb_cmd_detach(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	(void)args;
	uni_gdb_end_session(stub);
	uni_gdb_ok(stub);
}

/* k has no answer. */
void uni_gdb_cmd_kill(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	(void)args;
	stub->kill = true;
}

void uni_gdb_cmd_vkill(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	(void)args;
	stub->kill = true;
	uni_gdb_ok(stub);
}
