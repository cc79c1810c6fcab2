/* SPDX-License-Identifier: MIT */
/*
 * uniscope run: forks the supervisor, which is the guest's parent for as long as it lives, and
 * stays as its console, or leaves with --detach once the guest has booted.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host-tools/command.h"
#include "host-tools/console_session.h"
#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/image.h"
#include "host-tools/lib/launch.h"
#include "host-tools/lib/registry.h"
#include "host-tools/run_report.h"
#include "tracing/errno.h"

struct run_values {
	const char *name;
	unsigned machine;
	unsigned accel;
	uint64_t cpus;
	uint64_t memory_mib;
	uint64_t hang_timeout_ms;
	bool detach;
};

static const struct uni_option run_list[] = {
	UNI_OPTION_STRING(struct run_values, name, "name", 'n', "NAME",
			  "name of the guest (default: of the image)"),
	UNI_OPTION_CHOICE(struct run_values, machine, "machine", 'M', "MACHINE", uni_machine_names,
			  "microvm or q35 (default microvm)"),
	UNI_OPTION_NUMBER(struct run_values, cpus, "cpus", 'c', "N", 1, UNI_LAUNCH_CPUS_MAX,
			  "vCPUs, 1 to 16 (default 1)"),
	UNI_OPTION_NUMBER(struct run_values, memory_mib, "memory", 'm', "MIB", 1,
			  UNI_LAUNCH_MEMORY_MIB_MAX, "memory in MiB (default 64)"),
	UNI_OPTION_CHOICE(struct run_values, accel, "accel", 'a', "ACCEL", uni_accel_names,
			  "auto, tcg or kvm (default auto)"),
	UNI_OPTION_DECIMAL(struct run_values, hang_timeout_ms, "hang-timeout", 0, "S", 0, 86400,
			   1000, "seconds of silence that count as a hang, 0: never (default 10)"),
	UNI_OPTION_FLAG(struct run_values, detach, "detach", 'd',
			"return once the guest has booted, and leave it running"),
};

static const struct uni_options run_options = {
	.arguments = "IMAGE [-- GUEST ARGUMENTS]",
	.details = "IMAGE is the ELF file of a unikernel. Its console is shown until it ends; "
		   "Ctrl-C stops\n"
		   "it in order, a second Ctrl-C at once. The exit status is 0 when the guest "
		   "ended well\n"
		   "and 1 when it crashed; `uniscope dumps` has what it left.",
	.list = run_list,
	.count = sizeof(run_list) / sizeof(run_list[0]),
	.defaults =
		&(const struct run_values){.cpus = 1, .memory_mib = 64, .hang_timeout_ms = 10000},
	.values_size = sizeof(struct run_values),
	.positional_min = 1,
	.positional_max = 1,
	.takes_rest = true,
};

/* The guest's arguments as one command line, separated by blanks. */
static int join_arguments(const struct uni_arguments *arguments, char *out, size_t size,
			  struct uni_error *error)
{
	size_t len = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < arguments->rest_count; i++) {
		len += (size_t)snprintf(out + len, size - len, "%s%s", i ? " " : "",
					arguments->rest[i]);
		if (len >= size)
			return uni_error_usage(error,
					       "the guest's arguments have more than "
					       "%zu bytes",
					       size - 1);
	}
	return 0;
}

static int prepare(const struct run_values *values, const char *path, struct uni_image *image,
		   struct uni_supervisor_options *options, struct uni_error *error)
{
	const char *name;
	bool slow_kvm;
	int status = uni_image_read(path, image, error);

	if (status < 0)
		return uni_error_prefix(error, "cannot start %s",
					values->name ? values->name : path);
	name = values->name ? values->name : image->stem;
	if (!uni_guest_name_is_valid(name))
		return uni_error_usage(error,
				       "'%s' cannot be the name of a guest; give one "
				       "with --name, of at most %d letters, digits, dots, dashes "
				       "and underscores",
				       name, UNI_GUEST_NAME_SIZE - 1);
	status = uni_launch_check_memory(image, (uint32_t)values->memory_mib, error);
	if (status < 0)
		return uni_error_prefix(error, "cannot start %s", name);
	status = uni_launch_resolve_accel(values->accel, &options->accel, &slow_kvm, error);
	if (status < 0)
		return uni_error_prefix(error, "cannot start %s", name);
	if (slow_kvm)
		fprintf(stderr,
			"uniscope: this processor offers neither svm nor vmx: KVM emulates "
			"%s, and --accel tcg may be faster\n",
			name);
	if (!image->has_debug_info)
		fprintf(stderr,
			"uniscope: %s has no debug information: gdb, traces and dumps will "
			"show addresses only; build it with -g and do not strip it\n",
			image->path);
	options->name = name;
	options->image = image;
	options->machine = values->machine;
	options->cpus = (uint32_t)values->cpus;
	options->memory_mib = (uint32_t)values->memory_mib;
	options->hang_timeout_ms = values->hang_timeout_ms;
	return 0;
}

/* Our ends of the sockets to the supervisor. */
struct supervisor_link {
	int control_fd;
	int console_fd; /* -1 with --detach */
};

static int fork_supervisor(struct uni_supervisor_options *options, bool detach,
			   struct supervisor_link *link, struct uni_error *error)
{
	int control[2], console[2] = {-1, -1};
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0)
		return uni_error_system(error, errno, "cannot make a socket");
	if (!detach && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, console) < 0)
		return uni_error_system(error, errno, "cannot make a socket");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return uni_error_system(error, errno, "cannot start %s", options->name);
	if (pid == 0) {
		close(control[0]);
		if (!detach)
			close(console[0]);
		options->console_fd = console[1];
		run_report_supervise(options, control[1], detach);
	}
	close(control[1]);
	if (!detach)
		close(console[1]);
	*link = (struct supervisor_link){.control_fd = control[0], .console_fd = console[0]};
	return 0;
}

/* Where to look next. */
static void advise_dump(const struct uni_guest_ending *ending, struct uni_error *error)
{
	unsigned long long id = ending->dump_id;

	if (id && ending->dump_complete)
		uni_error_advise(error, "`uniscope dumps info %llu` has the report", id);
	else if (id)
		uni_error_advise(
			error,
			"`uniscope dumps info %llu` has the part of its dump that was kept: %s", id,
			ending->dump_failure);
	else if (ending->dump_failure[0])
		uni_error_advise(error, "its dump could not be kept: %s", ending->dump_failure);
	else if (ending->last_line[0])
		uni_error_advise(error, "there is no dump; the last line of its console was: %s",
				 ending->last_line);
	else
		uni_error_advise(error, "there is no dump, and its console said nothing");
}

static int ended(const char *name, const struct run_report *report, struct uni_error *error)
{
	if (report->kind == RUN_REPORT_FAILED) {
		*error = report->error;
		return report->error.code;
	}
	if (report->ending.clean)
		return UNI_EXIT_OK;
	uni_error_set(error, -UNI_EIO, "%s %s: %s", name,
		      report->ending.booted ? "died" : "died while it booted",
		      report->ending.cause);
	advise_dump(&report->ending, error);
	return error->code;
}

static int wait_detached(int control, const char *name, struct uni_error *error)
{
	struct run_report report;
	int status;

	do {
		status = run_report_receive(control, &report, error);
		if (status < 0)
			return uni_error_prefix(error, "cannot start %s", name);
	} while (report.kind == RUN_REPORT_STARTED);
	return report.kind == RUN_REPORT_BOOTED ? UNI_EXIT_OK : ended(name, &report, error);
}

static int stay(const struct supervisor_link *link, const char *name, struct uni_error *error)
{
	struct console_session session = {.console_fd = link->console_fd,
					  .control_fd = link->control_fd};
	struct run_report report;
	int status = console_session_run(&session, &report, error);

	return status < 0 ? uni_error_prefix(error, "%s", name) : ended(name, &report, error);
}

static int run(const void *values, const struct uni_arguments *arguments, struct uni_error *error)
{
	const struct run_values *run_values = values;
	uni_cleanup_free struct uni_image *image = calloc(1, sizeof(*image));
	struct uni_supervisor_options options = {0};
	struct supervisor_link link = {.control_fd = -1, .console_fd = -1};
	char guest_arguments[1024];
	int status;

	if (!image)
		return uni_error_set(error, -UNI_ENOMEM, "out of memory");
	status = join_arguments(arguments, guest_arguments, sizeof(guest_arguments), error);
	if (status == 0)
		status = prepare(run_values, arguments->positional[0], image, &options, error);
	if (status < 0)
		return status;
	options.arguments = guest_arguments;
	status = fork_supervisor(&options, run_values->detach, &link, error);
	if (status < 0)
		return status;
	/* The process ends after this: the descriptors go with it. */
	return run_values->detach ? wait_detached(link.control_fd, options.name, error)
				  : stay(&link, options.name, error);
}

const struct command command_run = {
	.name = "run",
	.summary = "start a guest",
	.options = &run_options,
	.run = run,
};
