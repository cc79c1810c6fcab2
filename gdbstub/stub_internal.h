/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of the stub share. A command reads its arguments from the cursor, which stands
 * behind the command's name, and leaves its answer in stub->reply; an empty one means "unknown". */

#include "gdbstub/cursor.h"
#include "gdbstub/gdbstub.h"

typedef void (*uni_gdb_command_fn)(struct uni_gdb *stub, struct uni_gdb_cursor *args);

struct uni_gdb_command {
	const char *name;
	uni_gdb_command_fn run;
	const char *section; /* of GDB's manual */
	enum uni_gdb_feature feature;
};

/* The first entry whose name the packet starts with, NULL if there is none or if it is switched
 * off.
 */
const struct uni_gdb_command *uni_gdb_find_command(const struct uni_gdb *stub,
						   struct uni_gdb_cursor *packet);

/* features.c */
bool uni_gdb_feature_is_on(const struct uni_gdb *stub, enum uni_gdb_feature feature);
/* What qSupported announces, each behind a `;`. */
void uni_gdb_put_features(const struct uni_gdb *stub, struct uni_gdb_text *text);
/* ` NAME on`, ` NAME off`, ` NAME` or nothing: switches, and tells how it or each stands. */
void uni_gdb_switch_feature(struct uni_gdb *stub, struct uni_gdb_cursor *args,
			    struct uni_gdb_text *out);

/* stub.c */
void uni_gdb_ok(struct uni_gdb *stub);
void uni_gdb_error(struct uni_gdb *stub, unsigned code);
/* `E.text`: not for `m` and qRcmd, where gdb 13 does not take it. */
void uni_gdb_error_text(struct uni_gdb *stub, const char *text);
/* Ends the session: breakpoints and watches go, the guest is to run. */
void uni_gdb_end_session(struct uni_gdb *stub);

/* Sends what is in stub->reply as a notification, `%` in front. */
void uni_gdb_send_notification(struct uni_gdb *stub);
/* What dprintf printed, if anything. Leaves a new reply. */
void uni_gdb_send_output(struct uni_gdb *stub);

/* commands_resume.c */
/* Of the threads that gdb let go there is none any more. */
bool uni_gdb_none_goes(struct uni_gdb *stub);
/* One action of vCont. */
bool uni_gdb_take_action(struct uni_gdb_cursor *args, struct uni_gdb_action *action);

/* commands_nonstop.c */
/* The guest ran since gdb let threads go. */
void uni_gdb_stop_begin(struct uni_gdb *stub);
/* Keeps an event for gdb, and its thread where it is. */
void uni_gdb_stop_add(struct uni_gdb *stub, const struct uni_gdb_event *event);
/* Sends %Stop if one is due. */
void uni_gdb_stop_notify(struct uni_gdb *stub);
/* The thread has a stop that gdb has not ended. */
bool uni_gdb_stop_holds(const struct uni_gdb *stub, uint32_t thread);
/* `?` in non-stop mode: all of them once more. */
void uni_gdb_stop_tell_all(struct uni_gdb *stub);
/* vCont in non-stop mode. */
void uni_gdb_stop_resume(struct uni_gdb *stub, struct uni_gdb_cursor *args);
/* Back to stopping all at once: every thread may go. */
void uni_gdb_stop_forget(struct uni_gdb *stub);

/* stop_reply.c */
void uni_gdb_put_stop(struct uni_gdb *stub, const struct uni_gdb_event *event);
/* Moves the first pending event that gdb has to hear of now into `current`; false if there is none.
 */
bool uni_gdb_next_event(struct uni_gdb *stub);
/* gdb lets threads go: steps that it has not heard of by now are none that it asks for. */
void uni_gdb_drop_steps(struct uni_gdb *stub);

/* breakpoints.c */
void uni_gdb_breakpoints_insert(struct uni_gdb *stub);
void uni_gdb_breakpoints_forget(struct uni_gdb *stub);
void uni_gdb_breakpoint_set(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_breakpoint_clear(struct uni_gdb *stub, struct uni_gdb_cursor *args);

/* The breakpoint that stands at the address when the guest runs, a new one if there is none: for
 * those that add to gdb's while they are laid. */
struct uni_gdb_breakpoint *uni_gdb_breakpoint_stand(struct uni_gdb *stub, uint64_t address);

/* Memory as the program has it: without the breakpoints that are in it. Any number of CPUs. */
bool uni_gdb_read_clean(const struct uni_gdb *stub, uint64_t address, void *bytes, size_t len);

/* range.c */
/* gdb resumes: what ran before counts no more. */
void uni_gdb_range_begin(struct uni_gdb *stub);
/* Adds the exits of the range to gdb's breakpoints. */
void uni_gdb_range_stand(struct uni_gdb *stub);
/* The thread steps all the way. */
void uni_gdb_range_give_up(struct uni_gdb *stub);

/* expressions.c */
/* Takes `[;X<len>,<bytes>...][;cmds:<persist>,X<len>,<bytes>...]` behind a Z packet. Returns NULL,
 * or why not; then nothing was kept. */
const char *uni_gdb_take_agent(struct uni_gdb *stub, struct uni_gdb_cursor *args,
			       struct uni_gdb_agent *agent);
/* Replaces one whose lists are in use by another, which may be NULL. */
void uni_gdb_replace_agent(struct uni_gdb *stub, struct uni_gdb_agent *agent,
			   const struct uni_gdb_agent *by);
/* Steps through a list: *at is 0 at first. NULL after the last one. */
const uint8_t *uni_gdb_next_expression(const struct uni_gdb *stub, const struct uni_gdb_list *list,
				       uint32_t *at);

/* format.c */
/* A dprintf's text. Any number of CPUs while the guest runs. */
void uni_gdb_put_format(struct uni_gdb *stub, struct uni_gdb_text *text, const char *format,
			const uint64_t *arguments, unsigned count);

/* hit.c */
/* The context of the operations of a condition. Any number of CPUs while the guest runs. */
struct uni_gdb_evaluation {
	struct uni_gdb *stub;
	const struct uni_gdb_hit *hit;
};

extern const struct uni_bytecode_ops uni_gdb_condition_ops;
int uni_gdb_eval_register(void *context, unsigned number, uint64_t *value);
int uni_gdb_eval_memory(void *context, uint64_t address, void *bytes, size_t len);
int uni_gdb_eval_variable(void *context, unsigned number, int64_t *value);
int uni_gdb_eval_set_variable(void *context, unsigned number, int64_t value);

/* What the guest itself had to say, as a console packet. */
void uni_gdb_put_output(struct uni_gdb *stub);

/* trace_run.c */
/* gdb goes: tracing ends, unless it was asked to go on without. */
void uni_gdb_trace_detach(struct uni_gdb *stub);

/* trace_frame.c: what the trace frame that gdb selected has in place of the guest. */
bool uni_gdb_selected_register(const struct uni_gdb *stub, unsigned number, void *bytes);
/* How many bytes of it from the first on. */
size_t uni_gdb_selected_memory(const struct uni_gdb *stub, uint64_t address, void *bytes,
			       size_t len);

/* commands_trace*.c */
/* For qXfer:traceframe-info. */
void uni_gdb_describe_frame(const struct uni_gdb *stub, struct uni_gdb_text *xml);
/* For `monitor trace`. */
void uni_gdb_describe_trace(struct uni_gdb *stub, struct uni_gdb_text *out);

/* branches.c */
/* NULL: the thread is not recorded. Any number of CPUs. */
struct uni_gdb_branch_ring *uni_gdb_branch_ring_of(struct uni_gdb *stub, uint32_t thread);
/* The thread is at pc; where that is not where it came to, a gap lies between. */
void uni_gdb_branch_ring_at(struct uni_gdb_branch_ring *ring, uint64_t pc);
/* No thread is recorded any more. */
void uni_gdb_branches_forget(struct uni_gdb *stub);

/* calls.c */
/* gdb is about to write registers of a thread, so that they are these. True: it is the first time.
 */
bool uni_gdb_calls_write(struct uni_gdb *stub, uint32_t thread,
			 const struct uni_gdb_registers *registers);
/* It did not come to that. */
void uni_gdb_calls_forget(struct uni_gdb *stub, uint32_t thread);
/* A function is called in the thread, and runs if the thread is let go: on whatever CPU. */
bool uni_gdb_calls_run(struct uni_gdb *stub, uint32_t thread);
/* gdb moved the thread to where no call begins. */
bool uni_gdb_calls_astray(struct uni_gdb *stub, uint32_t thread);
/* The guest is about to run. */
void uni_gdb_calls_resume(struct uni_gdb *stub);
/* gdb is gone: the calls that run are on their own, and who was stepped elsewhere is back. */
void uni_gdb_calls_orphan(struct uni_gdb *stub);
/* And it died: what it wrote of a call that does not run is undone. */
void uni_gdb_calls_undo(struct uni_gdb *stub);
/* True: the event was the end of such a call, and the thread is where it was before it. */
bool uni_gdb_calls_end(struct uni_gdb *stub, const struct uni_gdb_event *event);

/* copies.c */
/* Whether the thread whose registers gdb has written goes on in a copy of an instruction. */
bool uni_gdb_copy_runs(struct uni_gdb *stub, struct uni_gdb_call *call);
/* gdb is gone: the thread goes back to its program. */
void uni_gdb_copy_undo(struct uni_gdb *stub, const struct uni_gdb_call *call);

/* read_ahead.c */
/* gdb read `len` bytes in front of the address, and may go on. */
void uni_gdb_read_ahead_from(struct uni_gdb *stub, uint64_t address, size_t len);
/* gdb asked for something else, or was told something else. */
void uni_gdb_read_ahead_forget(struct uni_gdb *stub);
/* There is nothing else to do: makes the reply ready if one is awaited. */
void uni_gdb_read_ahead(struct uni_gdb *stub);
bool uni_gdb_read_ahead_has(const struct uni_gdb *stub, uint64_t address, size_t len);
/* Sends it; the next one is awaited. */
int uni_gdb_read_ahead_send(struct uni_gdb *stub);

/* commands_xfer.c */
/* `offset,length` of qXfer: what gdb wants of a document, no more than a reply holds. */
bool uni_gdb_take_window(struct uni_gdb_cursor *args, uint64_t *offset, uint64_t *len);
/* The piece of a document that is rendered whole for each piece. */
void uni_gdb_put_window(struct uni_gdb *stub, const struct uni_gdb_text *xml, uint64_t offset,
			uint64_t len);

/* commands_threads.c */
/* A thread's name in the protocol. */
void uni_gdb_put_thread(const struct uni_gdb *stub, struct uni_gdb_text *text, uint32_t id);
/* Steps through the threads as ops->thread_next() does, and goes on behind the thread *last, 0 at
 * first, where the guest ran since and *cursor is NULL. */
bool uni_gdb_next_thread(struct uni_gdb *stub, const void **cursor, uint32_t *last,
			 struct uni_gdb_thread *thread);
/* The thread that Hg means. */
uint32_t uni_gdb_general_thread(struct uni_gdb *stub);
/* 0 is no thread. */
bool uni_gdb_thread_exists(struct uni_gdb *stub, uint32_t id);

/* commands_*.c */
void uni_gdb_cmd_query_supported(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_no_ack(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_attached(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_unknown(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_monitor(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_read_memory(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_write_memory(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_write_binary(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_crc(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_search(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_read_registers(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_write_registers(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_read_register(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_write_register(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_set_thread(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_thread_alive(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_current_thread(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_first_threads(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_file_open(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_file_read(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_file_close(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_more_threads(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_thread_events(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_tls_address(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_thread_extra(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_xfer_features(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_xfer_auxv(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_xfer_memory_map(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_xfer_threads(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_trace_call_len(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_trace_status(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_trace_init(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_define_tracepoint(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_tracepoint_source(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_enable_tracepoint(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_disable_tracepoint(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_trace_read_only(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_trace_start(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_trace_stop(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_trace_disconnected(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_trace_circular(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_trace_size(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_trace_notes(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_first_tracepoint(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_next_tracepoint(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_tracepoint_status(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_select_frame(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_trace_buffer(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_xfer_frame_info(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_define_variable(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_first_variable(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_next_variable(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_variable(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_non_stop(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_stopped(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_interrupt(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_branch_size(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_branch_start(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_branch_stop(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_xfer_branches(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_xfer_branch_config(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_why(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_continue(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_continue_signal(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_step(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_step_signal(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_vcont(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_vcont_query(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_detach(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_kill(struct uni_gdb *stub, struct uni_gdb_cursor *args);
void uni_gdb_cmd_vkill(struct uni_gdb *stub, struct uni_gdb_cursor *args);
