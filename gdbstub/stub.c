/* SPDX-License-Identifier: MIT */

#include "gdbstub/gdbstub.h"

#include "gdbstub/stub_internal.h"
#include "tracing/errno.h"

void *memset(void *to, int byte, size_t len);

void uni_gdb_init(struct uni_gdb *stub, const struct uni_gdb_ops *ops, void *context,
		  uint32_t register_sets)
{
	memset(stub, 0, sizeof(*stub));
	stub->ops = ops;
	stub->context = context;
	stub->register_sets = register_sets;
	uni_gdb_arch_register_block_init(&stub->registers, register_sets);
	stub->options.run_length = true;
	stub->options.step_masks_irqs = true;
	uni_gdb_receiver_reset(&stub->receiver);
}

bool uni_gdb_attached(const struct uni_gdb *stub)
{
	return stub->attached;
}

bool uni_gdb_wants_thread_events(const struct uni_gdb *stub)
{
	return stub->attached && stub->thread_events;
}

bool uni_gdb_wants_stop(const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < len; i++)
		if (at[i] != '+' && at[i] != '-')
			return true;
	return false;
}

void uni_gdb_ok(struct uni_gdb *stub)
{
	uni_gdb_put(&stub->reply, "OK");
}

void uni_gdb_error(struct uni_gdb *stub, unsigned code)
{
	stub->reply.len = 0;
	uni_gdb_put_char(&stub->reply, 'E');
	uni_gdb_put_hex_bytes(&stub->reply, &(uint8_t){(uint8_t)code}, 1);
}

void uni_gdb_error_text(struct uni_gdb *stub, const char *text)
{
	stub->reply.len = 0;
	uni_gdb_put(&stub->reply, "E.");
	uni_gdb_put(&stub->reply, text);
}

static void begin_stop(struct uni_gdb *stub, const struct uni_gdb_event *event)
{
	stub->current = *event;
	stub->general_thread = (int32_t)event->thread;
	stub->continue_thread = UNI_GDB_ANY_THREAD;
	/* A listing that was under way starts over. */
	stub->threads_xml.element.data = NULL;
	stub->threads_last = 0;
}

void uni_gdb_event(struct uni_gdb *stub, const struct uni_gdb_event *event)
{
	const struct uni_gdb_event nothing = {
		.kind = UNI_GDB_EVENT_ATTENTION,
		.signal = UNI_GDB_SIGTRAP,
		.thread = event->thread,
	};

	if (!stub->stopped)
		uni_gdb_breakpoints_lift(stub);
	if (uni_gdb_calls_end(stub, event) ||
	    (event->kind == UNI_GDB_EVENT_GONE && !uni_gdb_none_goes(stub)))
		event = &nothing;
	if (!stub->stopped) {
		stub->stopped = true;
		/* Threads came and went. */
		stub->threads_xml.cursor = NULL;
		stub->threads_cursor = NULL;
		if (stub->non_stop)
			uni_gdb_stop_begin(stub);
		else
			begin_stop(stub, event);
	}
	if (stub->non_stop) {
		uni_gdb_stop_add(stub, event);
		return;
	}
	/* There is at most one event a CPU, and more room than CPUs. */
	if (stub->pending_count < UNI_GDB_EVENTS)
		stub->pending[stub->pending_count++] = *event;
}

static void resume_all(struct uni_gdb *stub)
{
	stub->actions[0] = (struct uni_gdb_action){
		.kind = UNI_GDB_CONTINUE,
		.thread = UNI_GDB_ALL_THREADS,
	};
	stub->action_count = 1;
	uni_gdb_range_begin(stub);
	stub->resume = true;
}

void uni_gdb_end_session(struct uni_gdb *stub)
{
	uni_gdb_breakpoints_forget(stub);
	uni_gdb_trace_detach(stub);
	uni_gdb_stop_forget(stub);
	uni_gdb_branches_forget(stub);
	uni_gdb_calls_orphan(stub);
	stub->attached = false;
	stub->multiprocess = false;
	stub->thread_events = false;
	stub->owes_stop = false;
	stub->interrupted = false;
	stub->stays = false;
	stub->executed = NULL;
	stub->acks = UNI_GDB_ACKS;
	stub->pending_count = 0;
	stub->output.len = 0;
	stub->output.lost = 0;
	uni_gdb_read_ahead_forget(stub);
	resume_all(stub);
}

void uni_gdb_abandon(struct uni_gdb *stub)
{
	bool stays = stub->stays || (stub->options.stop_on_disconnect && stub->attached &&
				     stub->stopped && !stub->owes_stop);

	stub->input_at = stub->input_len = 0;
	uni_gdb_receiver_reset(&stub->receiver);
	uni_gdb_calls_undo(stub);
	uni_gdb_end_session(stub);
	stub->stays = stays;
	stub->resume = !stays;
}

static void send_reply(struct uni_gdb *stub)
{
	const struct uni_gdb_bytes bytes = {
		.data = stub->scratch,
		.len = stub->reply_bytes,
		.unknown = stub->reply_unknown,
		.unknown_count = stub->reply_unknown_count,
	};
	bool rle = stub->options.run_length;
	int err;

	if (stub->reply_is_ahead)
		err = uni_gdb_read_ahead_send(stub);
	else if (stub->reply_bytes)
		err = uni_gdb_transmit_bytes(&bytes, rle, stub->piece, sizeof(stub->piece),
					     stub->ops->write, stub->context);
	else
		err = uni_gdb_transmit('$', stub->reply.data, stub->reply.len, rle, stub->piece,
				       sizeof(stub->piece), stub->ops->write, stub->context);
	if (err < 0)
		uni_gdb_abandon(stub);
}

void uni_gdb_send_notification(struct uni_gdb *stub)
{
	if (uni_gdb_transmit('%', stub->reply.data, stub->reply.len, stub->options.run_length,
			     stub->piece, sizeof(stub->piece), stub->ops->write, stub->context) < 0)
		uni_gdb_abandon(stub);
	/* Nothing that gdb may ask for once more. */
	stub->reply.len = 0;
}

static void send_ack(struct uni_gdb *stub, char ack)
{
	if (stub->acks != UNI_GDB_NO_ACKS && stub->ops->write(stub->context, &ack, 1) < 0)
		uni_gdb_abandon(stub);
}

static void new_reply(struct uni_gdb *stub)
{
	uni_gdb_text_init(&stub->reply, stub->reply_data, UNI_GDB_PACKET_SIZE);
	stub->reply_bytes = 0;
	stub->reply_unknown_count = 0;
	stub->reply_is_ahead = false;
}

void uni_gdb_send_output(struct uni_gdb *stub)
{
	if (stub->output.len) {
		new_reply(stub);
		uni_gdb_put_output(stub);
		send_reply(stub);
	}
	new_reply(stub);
}

/* What `?` tells of is a thread that there is. */
static void turn_to_another(struct uni_gdb *stub)
{
	const void *cursor = NULL;
	struct uni_gdb_thread thread;

	if (!stub->ops->thread_next(stub->context, &cursor, &thread))
		return;
	stub->current.kind = UNI_GDB_EVENT_ATTENTION;
	stub->current.thread = thread.id;
	stub->general_thread = (int32_t)thread.id;
}

static void send_stop(struct uni_gdb *stub)
{
	stub->owes_stop = false;
	new_reply(stub);
	uni_gdb_put_stop(stub, &stub->current);
	send_reply(stub);
	if (stub->current.kind == UNI_GDB_EVENT_EXIT)
		uni_gdb_end_session(stub);
	else if (stub->current.kind == UNI_GDB_EVENT_GONE)
		turn_to_another(stub);
}

static void run_packet(struct uni_gdb *stub)
{
	struct uni_gdb_cursor packet = {
		.at = stub->receiver.data,
		.end = stub->receiver.data + stub->receiver.len,
	};
	const struct uni_gdb_command *command = uni_gdb_find_command(stub, &packet);

	send_ack(stub, '+');
	stub->attached = true;
	/* gdb sends no packet while it waits for a stop: this is another gdb. */
	stub->owes_stop = false;
	new_reply(stub);
	if (!command || command->run != uni_gdb_cmd_read_memory)
		uni_gdb_read_ahead_forget(stub);
	if (command)
		command->run(stub, &packet);
	if (stub->reply.cut)
		uni_gdb_error(stub, UNI_ENOMEM);
	/* A resume is answered by the stop that ends it, a kill by silence. */
	if (!stub->owes_stop && !(stub->kill && !stub->reply.len))
		send_reply(stub);
}

/* In no-ack mode gdb sends none: another gdb has come, and the one before went without a word. */
static void got_ack(struct uni_gdb *stub)
{
	if (stub->acks == UNI_GDB_LAST_ACK)
		stub->acks = UNI_GDB_NO_ACKS;
	else
		stub->acks = UNI_GDB_ACKS;
}

static bool is_held(const struct uni_gdb *stub, uint32_t thread)
{
	return uni_gdb_resume_of(stub, thread).kind == UNI_GDB_HOLD;
}

static bool runs(const struct uni_gdb *stub, uint32_t id)
{
	struct uni_gdb_thread thread;

	return !is_held(stub, id) && stub->ops->thread_find(stub->context, id, &thread) &&
	       thread.cpu != UNI_GDB_NO_CPU;
}

/* Of those that run it stops the thread that gdb looked at last. */
static void interrupt(struct uni_gdb *stub)
{
	int32_t goes = stub->actions[0].thread;

	/* Threads that are stopped one by one have vCtrlC. */
	if (stub->non_stop)
		return;
	stub->interrupted = !stub->owes_stop;
	if (stub->interrupted)
		return;
	stub->current.kind = UNI_GDB_EVENT_SIGNAL;
	stub->current.signal = UNI_GDB_SIGINT;
	/* gdb takes no stop of a thread that it holds. */
	if (runs(stub, stub->looked_at))
		stub->current.thread = stub->looked_at;
	else if (goes > 0 && is_held(stub, stub->current.thread))
		stub->current.thread = (uint32_t)goes;
	stub->general_thread = (int32_t)stub->current.thread;
	send_stop(stub);
}

static void take_byte(struct uni_gdb *stub, uint8_t byte)
{
	switch (uni_gdb_receive(&stub->receiver, byte)) {
	case UNI_GDB_INPUT_PACKET:
		run_packet(stub);
		break;
	case UNI_GDB_INPUT_CORRUPT:
		send_ack(stub, '-');
		break;
	case UNI_GDB_INPUT_TOO_LONG:
		send_ack(stub, '+');
		new_reply(stub);
		uni_gdb_error(stub, UNI_ENOMEM);
		send_reply(stub);
		break;
	case UNI_GDB_INPUT_INTERRUPT:
		interrupt(stub);
		break;
	case UNI_GDB_INPUT_ACK:
		got_ack(stub);
		break;
	case UNI_GDB_INPUT_NACK:
		/* gdb sends it at each of its time-outs, in no-ack mode too, where it means
		 * nothing. */
		if (stub->acks != UNI_GDB_NO_ACKS && (stub->reply.len || stub->reply_bytes))
			send_reply(stub);
		break;
	case UNI_GDB_INPUT_NONE:
		break;
	}
}

/* False when there is nothing more to read. */
static bool fill_input(struct uni_gdb *stub)
{
	long got;

	if (stub->input_at < stub->input_len)
		return true;
	got = stub->ops->read(stub->context, stub->input, sizeof(stub->input));
	if (got < 0) {
		if (stub->attached)
			uni_gdb_abandon(stub);
		return false;
	}
	stub->input_at = 0;
	stub->input_len = (size_t)got;
	return got > 0;
}

/* Bytes made the guest stop, and turned out to ask for nothing; or what happened is no news to gdb,
 * which waits for other: poll has looked. */
static bool stopped_for_nothing(const struct uni_gdb *stub)
{
	bool is_nothing = stub->owes_stop || (!stub->attached && !stub->stays &&
					      stub->current.kind == UNI_GDB_EVENT_ATTENTION);

	return is_nothing && !uni_gdb_receiver_in_frame(&stub->receiver);
}

/* gdb's next words are here already: the guest stops again before it ran. */
static bool stop_again(struct uni_gdb *stub)
{
	if (!uni_gdb_wants_stop(stub->input + stub->input_at, stub->input_len - stub->input_at))
		return false;
	stub->current.kind = UNI_GDB_EVENT_ATTENTION;
	stub->current.signal = UNI_GDB_SIGTRAP;
	stub->resume = false;
	stub->deferred = true;
	return true;
}

static enum uni_gdb_verdict leave(struct uni_gdb *stub)
{
	bool anew = stub->resume || stub->deferred;

	stub->as_before = !anew && !stub->non_stop;
	if (anew)
		stub->looked_at = uni_gdb_general_thread(stub);
	stub->resume = false;
	stub->deferred = false;
	stub->stopped = false;
	uni_gdb_calls_resume(stub);
	uni_gdb_breakpoints_insert(stub);
	return UNI_GDB_RESUME;
}

/* Nothing is left to read. With threads stopped one by one that ends each stop. */
static bool is_over(const struct uni_gdb *stub)
{
	if (stub->non_stop)
		return !uni_gdb_receiver_in_frame(&stub->receiver);
	return stopped_for_nothing(stub);
}

enum uni_gdb_verdict uni_gdb_poll(struct uni_gdb *stub)
{
	/* gdb takes output only while it waits for a stop. */
	if (stub->owes_stop)
		uni_gdb_send_output(stub);
	while (!stub->kill) {
		uni_gdb_stop_notify(stub);
		if (stub->owes_stop && uni_gdb_next_event(stub)) {
			stub->resume = false;
			send_stop(stub);
		} else if (stub->owes_stop && stub->interrupted) {
			stub->resume = false;
			interrupt(stub);
		} else if (stub->resume) {
			if (!stop_again(stub))
				return leave(stub);
		} else if (fill_input(stub)) {
			take_byte(stub, stub->input[stub->input_at++]);
		} else if (is_over(stub)) {
			return leave(stub);
		} else if (!stub->resume) {
			uni_gdb_read_ahead(stub);
			return UNI_GDB_STAY;
		}
	}
	return UNI_GDB_KILL;
}
