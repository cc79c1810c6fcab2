/* SPDX-License-Identifier: MIT */

/* Threads that stop one by one while others run. GDB manual, "Remote Non-Stop" and "Notification
 * Packets".
 *
 * A thread that is stopped for gdb has an entry in stub->stops, and one only:
 *
 *	WANTED --> QUEUED --> SENT --> TOLD
 *
 * vCont;t makes it: WANTED, or QUEUED where the thread stands already. So does what happens to the
 * thread, always QUEUED. The first one is told by %Stop, or in answer to `?`, and is SENT; vStopped
 * acknowledges it, and tells the next one. gdb lets go what it was TOLD and nothing else: so it
 * hears of each stop once, and never of a thread that it believes stopped. */

#include "gdbstub/stub_internal.h"
#include "tracing/errno.h"

static struct uni_gdb_stop *find(struct uni_gdb *stub, uint32_t thread)
{
	for (unsigned i = 0; i < stub->stop_count; i++)
		if (stub->stops[i].event.thread == thread)
			return &stub->stops[i];
	return NULL;
}

bool uni_gdb_stop_holds(const struct uni_gdb *stub, uint32_t thread)
{
	for (unsigned i = 0; i < stub->stop_count; i++)
		if (stub->stops[i].event.thread == thread)
			return stub->stops[i].event.kind != UNI_GDB_EVENT_ENDED;
	return false;
}

static void remove_stop(struct uni_gdb *stub, const struct uni_gdb_stop *stop)
{
	stub->stop_count--;
	for (unsigned i = (unsigned)(stop - stub->stops); i < stub->stop_count; i++)
		stub->stops[i] = stub->stops[i + 1];
}

static void forget_action(struct uni_gdb *stub, uint32_t thread)
{
	unsigned left = 0;

	for (unsigned i = 0; i < stub->action_count; i++)
		if (stub->actions[i].thread != (int32_t)thread)
			stub->actions[left++] = stub->actions[i];
	stub->action_count = left;
}

/* Signals were passed on; steps go on. */
void uni_gdb_stop_begin(struct uni_gdb *stub)
{
	unsigned left = 0;

	for (unsigned i = 0; i < stub->action_count; i++)
		if (stub->actions[i].kind == UNI_GDB_STEP)
			stub->actions[left++] = stub->actions[i];
	stub->action_count = left;
}

/* --- stopping --- */

/* The thread came to where it can be held, unless it ended on the way. */
static void arrive(struct uni_gdb *stub, struct uni_gdb_stop *stop)
{
	if (!stop || stop->state != UNI_GDB_STOP_WANTED)
		return;
	if (uni_gdb_thread_exists(stub, stop->event.thread))
		stop->state = UNI_GDB_STOP_QUEUED;
	else
		remove_stop(stub, stop);
}

void uni_gdb_stop_add(struct uni_gdb *stub, const struct uni_gdb_event *event)
{
	struct uni_gdb_stop *stop = find(stub, event->thread);

	if (event->kind == UNI_GDB_EVENT_HALTED) {
		arrive(stub, stop);
		return;
	}
	/* A thread that runs on although gdb believes it stopped meets this again when gdb has let
	 * it go. The same where there is no room. */
	if (event->kind == UNI_GDB_EVENT_ATTENTION ||
	    (stop ? stop->state != UNI_GDB_STOP_WANTED : stub->stop_count == UNI_GDB_STOPS))
		return;
	*(stop ? stop : &stub->stops[stub->stop_count++]) = (struct uni_gdb_stop){
		.event = *event,
		.state = UNI_GDB_STOP_QUEUED,
		.again = stop && event->kind == UNI_GDB_EVENT_STEP,
	};
	forget_action(stub, event->thread);
	stub->ops->thread_hold(stub->context, event->thread, event->kind != UNI_GDB_EVENT_ENDED);
}

/* gdb makes steps of its own, whose ends it keeps to itself and goes on: so the end of a step does
 * not do for a stop that it asks for. */
static bool want(struct uni_gdb *stub, uint32_t thread, enum uni_gdb_signal signal)
{
	struct uni_gdb_stop *stop = find(stub, thread);

	if (stop) {
		stop->again |=
			stop->state != UNI_GDB_STOP_TOLD && stop->event.kind == UNI_GDB_EVENT_STEP;
		return true;
	}
	if (!uni_gdb_thread_exists(stub, thread))
		return true;
	if (stub->stop_count == UNI_GDB_STOPS)
		return false;
	stop = &stub->stops[stub->stop_count++];
	*stop = (struct uni_gdb_stop){
		.event = {.kind = UNI_GDB_EVENT_HALTED, .signal = signal, .thread = thread},
	};
	if (stub->ops->thread_hold(stub->context, thread, true))
		stop->state = UNI_GDB_STOP_QUEUED;
	forget_action(stub, thread);
	return true;
}

static bool want_all(struct uni_gdb *stub)
{
	const void *cursor = NULL;
	struct uni_gdb_thread thread;

	while (stub->ops->thread_next(stub->context, &cursor, &thread))
		if (!want(stub, thread.id, UNI_GDB_SIGNAL_NONE))
			return false;
	return true;
}

/* --- telling --- */

/* False when there is none. */
static bool put_next(struct uni_gdb *stub)
{
	for (unsigned i = 0; i < stub->stop_count; i++) {
		struct uni_gdb_stop *stop = &stub->stops[i];

		if (stop->state != UNI_GDB_STOP_QUEUED)
			continue;
		stop->state = UNI_GDB_STOP_SENT;
		stub->telling = true;
		uni_gdb_put_stop(stub, &stop->event);
		return true;
	}
	stub->telling = false;
	return false;
}

static void acknowledge(struct uni_gdb *stub)
{
	unsigned i = 0;

	while (i < stub->stop_count && stub->stops[i].state != UNI_GDB_STOP_SENT)
		i++;
	if (i == stub->stop_count)
		return;
	stub->stops[i].state = UNI_GDB_STOP_TOLD;
	if (stub->stops[i].event.kind == UNI_GDB_EVENT_ENDED)
		remove_stop(stub, &stub->stops[i]);
	else if (stub->stops[i].event.kind == UNI_GDB_EVENT_EXIT)
		uni_gdb_end_session(stub);
}

void uni_gdb_stop_notify(struct uni_gdb *stub)
{
	if (!stub->non_stop || stub->telling)
		return;
	uni_gdb_text_init(&stub->reply, stub->reply_data, UNI_GDB_PACKET_SIZE);
	uni_gdb_put(&stub->reply, "Stop:");
	if (put_next(stub))
		uni_gdb_send_notification(stub);
}

/* vStopped. */
void uni_gdb_cmd_stopped(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	(void)args;
	acknowledge(stub);
	if (!put_next(stub))
		uni_gdb_ok(stub);
}

void uni_gdb_stop_tell_all(struct uni_gdb *stub)
{
	for (unsigned i = 0; i < stub->stop_count; i++)
		if (stub->stops[i].state != UNI_GDB_STOP_WANTED)
			stub->stops[i].state = UNI_GDB_STOP_QUEUED;
	if (!put_next(stub))
		uni_gdb_ok(stub);
}

/* --- going on --- */

static bool let_go(struct uni_gdb *stub, struct uni_gdb_stop *stop,
		   const struct uni_gdb_action *action)
{
	bool acts = action->kind == UNI_GDB_STEP || action->signal;

	if (acts && stub->action_count == UNI_GDB_ACTIONS)
		return false;
	stub->current.thread = stop->event.thread;
	if (stop->again) {
		*stop = (struct uni_gdb_stop){
			.event = {.kind = UNI_GDB_EVENT_HALTED, .thread = stop->event.thread},
			.state = UNI_GDB_STOP_QUEUED,
		};
		return true;
	}
	stop->state = UNI_GDB_STOP_RESUMED;
	stub->ops->thread_hold(stub->context, stop->event.thread, false);
	if (acts) {
		stub->actions[stub->action_count] = *action;
		stub->actions[stub->action_count++].thread = (int32_t)stop->event.thread;
	}
	return true;
}

/* The first action for a thread counts: those that were let go still have their entry. */
static bool act(struct uni_gdb *stub, const struct uni_gdb_action *action)
{
	bool all = action->thread == UNI_GDB_ALL_THREADS;
	uint32_t thread = action->thread == UNI_GDB_ANY_THREAD ? stub->current.thread
							       : (uint32_t)action->thread;
	bool done = true;

	if (action->kind == UNI_GDB_HOLD)
		return all ? want_all(stub) : want(stub, thread, UNI_GDB_SIGNAL_NONE);
	for (unsigned i = 0; i < stub->stop_count; i++) {
		struct uni_gdb_stop *stop = &stub->stops[i];

		if (stop->state != UNI_GDB_STOP_TOLD || (!all && stop->event.thread != thread))
			continue;
		/* gdb has told its user of all: this is not the end of a step of its own. */
		stop->again = stop->again && !all;
		done = let_go(stub, stop, action) && done;
	}
	return done;
}

static void remove_resumed(struct uni_gdb *stub)
{
	unsigned left = 0;

	for (unsigned i = 0; i < stub->stop_count; i++)
		if (stub->stops[i].state != UNI_GDB_STOP_RESUMED)
			stub->stops[left++] = stub->stops[i];
	stub->stop_count = left;
}

static bool is_valid(struct uni_gdb_cursor actions)
{
	struct uni_gdb_action action;

	do
		if (!uni_gdb_take_action(&actions, &action))
			return false;
	while (uni_gdb_take(&actions, ';'));
	return !uni_gdb_left(&actions);
}

void uni_gdb_stop_resume(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_action action;
	bool done = true;

	if (!is_valid(*args)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	stub->trace.selected.is = false;
	do
		done = uni_gdb_take_action(args, &action) && act(stub, &action) && done;
	while (uni_gdb_take(args, ';'));
	remove_resumed(stub);
	if (done)
		uni_gdb_ok(stub);
	else
		uni_gdb_error_text(stub, "no room for so many threads that stop or step by one");
}

/* Stops the thread that was let go last, or any that runs. */
void uni_gdb_cmd_interrupt(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	const void *cursor = NULL;
	struct uni_gdb_thread thread;
	uint32_t chosen = stub->current.thread;

	(void)args;
	if (!stub->non_stop)
		return;
	if (!uni_gdb_thread_exists(stub, chosen) || find(stub, chosen))
		chosen = 0;
	while (!chosen && stub->ops->thread_next(stub->context, &cursor, &thread))
		if (!find(stub, thread.id))
			chosen = thread.id;
	if (chosen)
		want(stub, chosen, UNI_GDB_SIGINT);
	uni_gdb_ok(stub);
}

/* --- the mode --- */

/* What stopped all of them, and gdb does not know of, becomes a stop of its thread. */
static void enter(struct uni_gdb *stub)
{
	stub->action_count = 0;
	stub->range.thread = 0;
	stub->range.exit_count = 0;
	if (!stub->pending_count)
		stub->pending[stub->pending_count++] = stub->current;
	for (unsigned i = 0; i < stub->pending_count; i++)
		uni_gdb_stop_add(stub, &stub->pending[i]);
	stub->pending_count = 0;
	stub->current.kind = UNI_GDB_EVENT_ATTENTION;
	/* gdb asks for them now. */
	stub->telling = true;
	stub->non_stop = true;
}

void uni_gdb_stop_forget(struct uni_gdb *stub)
{
	for (unsigned i = 0; i < stub->stop_count; i++)
		stub->ops->thread_hold(stub->context, stub->stops[i].event.thread, false);
	stub->stop_count = 0;
	stub->telling = false;
	stub->non_stop = false;
}

/* QNonStop:1 and :0. */
void uni_gdb_cmd_non_stop(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	bool wanted = uni_gdb_take(args, '1');

	if ((!wanted && !uni_gdb_take(args, '0')) || uni_gdb_left(args)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	if (wanted && !stub->non_stop)
		enter(stub);
	if (!wanted && stub->non_stop)
		uni_gdb_stop_forget(stub);
	uni_gdb_ok(stub);
}
