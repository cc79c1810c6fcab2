/* SPDX-License-Identifier: MIT */

/* Starting, stopping, and how things stand. GDB manual, "Tracepoint Packets". */

#include "gdbstub/trace_internal.h"
#include "tracing/errno.h"

void uni_gdb_cmd_trace_start(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	(void)args;
	if (!stub->trace.buffer.size) {
		uni_gdb_error_text(stub, "there is no memory for trace frames");
		return;
	}
	uni_gdb_trace_start(stub);
	uni_gdb_ok(stub);
}

void uni_gdb_cmd_trace_stop(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	(void)args;
	uni_gdb_trace_stop(stub, UNI_GDB_TRACE_STOPPED, 0);
	uni_gdb_ok(stub);
}

static bool take_flag(struct uni_gdb *stub, struct uni_gdb_cursor *args, bool *flag)
{
	uint64_t value;

	if (!uni_gdb_take_hex(args, &value) || value > 1) {
		uni_gdb_error(stub, UNI_EINVAL);
		return false;
	}
	*flag = value;
	uni_gdb_ok(stub);
	return true;
}

void uni_gdb_cmd_trace_disconnected(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	(void)take_flag(stub, args, &stub->trace.disconnected);
}

/* Has an effect when tracing is started. */
void uni_gdb_cmd_trace_circular(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	(void)take_flag(stub, args, &stub->trace.circular);
}

/* QTBuffer:size:size, -1 for what the stub thinks best. */
void uni_gdb_cmd_trace_size(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_trace_buffer *buffer = &stub->trace.buffer;
	uint64_t size = buffer->capacity;

	if (stub->trace.running) {
		uni_gdb_error_text(stub, "not while a trace is running");
		return;
	}
	if (!uni_gdb_take_text(args, "-1") && !uni_gdb_take_hex(args, &size)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	buffer->size = size < buffer->capacity ? (uint32_t)size : buffer->capacity;
	uni_gdb_trace_buffer_reset(buffer, stub->trace.circular);
	stub->trace.selected.is = false;
	uni_gdb_ok(stub);
}

static bool take_note(struct uni_gdb_cursor *args, struct uni_gdb_trace_note *note)
{
	note->len = 0;
	while (uni_gdb_left(args) && *args->at != ';') {
		if (note->len == sizeof(note->digits))
			return false;
		note->digits[note->len++] = (char)*args->at++;
	}
	return true;
}

/* QTNotes:user:text;notes:text;tstop:text, each of them or none. */
void uni_gdb_cmd_trace_notes(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_trace *trace = &stub->trace;
	bool fits = true;

	do {
		if (uni_gdb_take_text(args, "user:"))
			fits &= take_note(args, &trace->user);
		else if (uni_gdb_take_text(args, "notes:"))
			fits &= take_note(args, &trace->notes);
		else if (uni_gdb_take_text(args, "tstop:"))
			fits &= take_note(args, &trace->stop_note);
	} while (fits && uni_gdb_take(args, ';'));
	if (fits && !uni_gdb_left(args))
		uni_gdb_ok(stub);
	else
		uni_gdb_error(stub, UNI_EINVAL);
}

/* --- status --- */

static void put_end(struct uni_gdb *stub)
{
	static const char *const names[] = {
		[UNI_GDB_TRACE_NOT_RUN] = "tnotrun:",
		[UNI_GDB_TRACE_STOPPED] = "tstop:",
		[UNI_GDB_TRACE_FULL] = "tfull:",
		[UNI_GDB_TRACE_DISCONNECTED] = "tdisconnected:",
		[UNI_GDB_TRACE_PASS_COUNT] = "tpasscount:",
		[UNI_GDB_TRACE_ERROR] = "terror:",
	};
	static const char error[] = "the condition cannot be evaluated";
	const struct uni_gdb_trace *trace = &stub->trace;

	uni_gdb_put(&stub->reply, names[trace->end]);
	/* These two have a text, which gdb wants even where it is empty. */
	if (trace->end == UNI_GDB_TRACE_STOPPED) {
		uni_gdb_put_raw(&stub->reply, trace->stop_note.digits, trace->stop_note.len);
		uni_gdb_put_char(&stub->reply, ':');
	} else if (trace->end == UNI_GDB_TRACE_ERROR) {
		uni_gdb_put_hex_bytes(&stub->reply, error, sizeof(error) - 1);
		uni_gdb_put_char(&stub->reply, ':');
	}
	uni_gdb_put_hex(&stub->reply, trace->end_number);
}

static void put_number(struct uni_gdb *stub, const char *name, uint64_t value)
{
	uni_gdb_put_char(&stub->reply, ';');
	uni_gdb_put(&stub->reply, name);
	uni_gdb_put_char(&stub->reply, ':');
	uni_gdb_put_hex(&stub->reply, value);
}

static void put_note(struct uni_gdb *stub, const char *name, const struct uni_gdb_trace_note *note)
{
	uni_gdb_put_char(&stub->reply, ';');
	uni_gdb_put(&stub->reply, name);
	uni_gdb_put_char(&stub->reply, ':');
	uni_gdb_put_raw(&stub->reply, note->digits, note->len);
}

static uint64_t count_frames(const struct uni_gdb_trace_buffer *buffer)
{
	struct uni_gdb_frame frame;
	uint64_t count = 0;

	for (bool is = uni_gdb_frame_first(buffer, &frame); is;
	     is = uni_gdb_frame_next(buffer, &frame))
		count++;
	return count;
}

void uni_gdb_cmd_trace_status(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	const struct uni_gdb_trace *trace = &stub->trace;
	const struct uni_gdb_trace_buffer *buffer = &trace->buffer;

	(void)args;
	uni_gdb_put(&stub->reply, trace->running ? "T1;" : "T0;");
	put_end(stub);
	put_number(stub, "tframes", count_frames(buffer));
	put_number(stub, "tcreated", buffer->created);
	put_number(stub, "tfree", buffer->size - uni_gdb_trace_buffer_used(buffer));
	put_number(stub, "tsize", buffer->size);
	put_number(stub, "circular", trace->circular);
	put_number(stub, "disconn", trace->disconnected);
	put_number(stub, "starttime", trace->start_us);
	put_number(stub, "stoptime", trace->end_us);
	put_note(stub, "username", &trace->user);
	put_note(stub, "notes", &trace->notes);
}

/* gdb's own packets have no place for what was lost. */
void uni_gdb_describe_trace(struct uni_gdb *stub, struct uni_gdb_text *out)
{
	const struct uni_gdb_trace *trace = &stub->trace;
	const struct uni_gdb_trace_buffer *buffer = &trace->buffer;
	const struct {
		const char *what;
		uint64_t count;
	} rows[] = {
		{"frames: ", count_frames(buffer)},
		{"created: ", buffer->created},
		{"lost, as there was no room: ", buffer->lost},
		{"cut, as too much was to be collected: ", buffer->cut},
		{"with memory or an expression that cannot be read: ", buffer->unread},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uni_gdb_put(out, rows[i].what);
		uni_gdb_put_decimal(out, rows[i].count);
		uni_gdb_put_char(out, '\n');
	}
	for (unsigned i = 0; i < trace->tracepoint_count; i++) {
		uni_gdb_put(out, "tracepoint ");
		uni_gdb_put_decimal(out, trace->tracepoints[i].number);
		uni_gdb_put(out, " at 0x");
		uni_gdb_put_hex(out, trace->tracepoints[i].address);
		uni_gdb_put(out, ": hits ");
		uni_gdb_put_decimal(out, trace->tracepoints[i].hits);
		uni_gdb_put(out, ", lost ");
		uni_gdb_put_decimal(out, trace->tracepoints[i].lost);
		uni_gdb_put_char(out, '\n');
	}
}
