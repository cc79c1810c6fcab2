/* SPDX-License-Identifier: MIT */

/* `monitor WORD...`: GDB manual, "General Query Packets", qRcmd. */

#include "gdbstub/stub_internal.h"
#include "tracing/errno.h"

struct monitor_command {
	const char *name;
	const char *help;
	void (*run)(struct uni_gdb *stub, struct uni_gdb_cursor *args, struct uni_gdb_text *out);
};

static void run_help(struct uni_gdb *, struct uni_gdb_cursor *, struct uni_gdb_text *);

static void run_cpus(struct uni_gdb *stub, struct uni_gdb_cursor *args, struct uni_gdb_text *out)
{
	(void)args;
	stub->ops->describe_cpus(stub->context, out);
}

/* Sets the switch if "on" or "off" follows, and tells how it stands. */
static void run_switch(bool *value, struct uni_gdb_cursor *args, struct uni_gdb_text *out)
{
	if (uni_gdb_take_text(args, " off"))
		*value = false;
	else if (uni_gdb_take_text(args, " on"))
		*value = true;
	uni_gdb_put(out, *value ? "on\n" : "off\n");
}

static void run_rle(struct uni_gdb *stub, struct uni_gdb_cursor *args, struct uni_gdb_text *out)
{
	run_switch(&stub->options.run_length, args, out);
}

static void run_mask(struct uni_gdb *stub, struct uni_gdb_cursor *args, struct uni_gdb_text *out)
{
	run_switch(&stub->options.step_masks_irqs, args, out);
}

static void run_feature(struct uni_gdb *stub, struct uni_gdb_cursor *args, struct uni_gdb_text *out)
{
	uni_gdb_switch_feature(stub, args, out);
}

static void run_on_disconnect(struct uni_gdb *stub, struct uni_gdb_cursor *args,
			      struct uni_gdb_text *out)
{
	if (uni_gdb_take_text(args, " stop"))
		stub->options.stop_on_disconnect = true;
	else if (uni_gdb_take_text(args, " go"))
		stub->options.stop_on_disconnect = false;
	uni_gdb_put(out, stub->options.stop_on_disconnect ? "stop\n" : "go\n");
}

static void run_on_quit(struct uni_gdb *stub, struct uni_gdb_cursor *args, struct uni_gdb_text *out)
{
	if (uni_gdb_take_text(args, " kill"))
		stub->options.kill_on_quit = true;
	else if (uni_gdb_take_text(args, " detach"))
		stub->options.kill_on_quit = false;
	uni_gdb_put(out, stub->options.kill_on_quit ? "kill\n" : "detach\n");
}

static void run_trace(struct uni_gdb *stub, struct uni_gdb_cursor *args, struct uni_gdb_text *out)
{
	(void)args;
	uni_gdb_describe_trace(stub, out);
}

static const struct monitor_command monitor_commands[] = {
	{"cpus", "what each CPU does", run_cpus},
	{"feature", "[NAME [on|off]]: parts of the protocol, for the next gdb that connects",
	 run_feature},
	{"help", "this list", run_help},
	{"on-disconnect", "go|stop: what a stopped guest does when gdb is gone without a detach",
	 run_on_disconnect},
	{"on-quit", "detach|kill: what the next gdb that connects does when it quits", run_on_quit},
	{"rle", "on|off: run-length encode replies", run_rle},
	{"step-masks-irqs", "on|off: keep interrupts off while stepping", run_mask},
	{"trace", "what gdb's tracepoints collected and lost", run_trace},
};

#define COUNT (sizeof(monitor_commands) / sizeof(monitor_commands[0]))

static void run_help(struct uni_gdb *stub, struct uni_gdb_cursor *args, struct uni_gdb_text *out)
{
	(void)stub;
	(void)args;
	for (size_t i = 0; i < COUNT; i++) {
		uni_gdb_put(out, "monitor ");
		uni_gdb_put(out, monitor_commands[i].name);
		uni_gdb_put(out, " -- ");
		uni_gdb_put(out, monitor_commands[i].help);
		uni_gdb_put_char(out, '\n');
	}
}

static void run_line(struct uni_gdb *stub, struct uni_gdb_cursor *line, struct uni_gdb_text *out)
{
	for (size_t i = 0; i < COUNT; i++) {
		struct uni_gdb_cursor args = *line;

		if (uni_gdb_take_text(&args, monitor_commands[i].name) &&
		    (!uni_gdb_left(&args) || *args.at == ' ')) {
			monitor_commands[i].run(stub, &args, out);
			return;
		}
	}
	uni_gdb_put(out, "No such monitor command. These are:\n");
	run_help(stub, line, out);
}

/* The line and the output share the scratch buffer, a quarter and the rest. */
#define LINE_MAX 4096

void uni_gdb_cmd_monitor(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_cursor line = {.at = stub->scratch};
	struct uni_gdb_text out;
	size_t len = uni_gdb_left(args) / 2;

	if (stub->non_stop)
		uni_gdb_send_output(stub);
	if (len > LINE_MAX || uni_gdb_left(args) % 2 ||
	    !uni_gdb_take_hex_bytes(args, stub->scratch, len)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	line.end = line.at + len;
	uni_gdb_text_init(&out, (char *)stub->scratch + LINE_MAX, sizeof(stub->scratch) - LINE_MAX);
	run_line(stub, &line, &out);
	if (out.len)
		uni_gdb_put_hex_bytes(&stub->reply, out.data, out.len);
	else
		uni_gdb_ok(stub);
}
