/* SPDX-License-Identifier: MIT */
/* uniscope record: tracepoints of a running guest into a CTF recording. */
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "guest-probe/probe_abi.h"
#include "host-tools/command.h"
#include "host-tools/lib/recording.h"
#include "host-tools/lib/trace_session.h"
#include "host-tools/lib/trace_text.h"
#include "tracing/errno.h"

struct record_values {
	const char *events;
	uint64_t duration_ms; /* 0: until Ctrl-C */
	uint64_t size_max_mib;
	const char *output;
	bool list;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* Ctrl-C ends the recording in order. A second one has its usual effect. */
static void catch_interrupts(void)
{
	struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void list_points(const struct uni_trace_points *points)
{
	for (size_t i = 0; i < points->count; i++)
		printf("%-22s  %s\n", points->list[i].name, points->list[i].fields);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void show_progress(const struct uni_trace_info *info)
{
	struct uni_trace_cpu total = uni_trace_info_total(info);
	char events[UNI_TRACE_COUNT_SIZE];

	fprintf(stderr, "\r%s  %.1f s  %s events  %.1f MB  Ctrl-C ends\033[K", info->guest,
		(double)info->duration_ns / 1e9, uni_trace_count(events, total.recorded),
		(double)total.bytes / 1e6);
}

static int run_session(struct uni_trace_session *session, const struct uni_recording *recording,
		       uint64_t duration_ms, struct uni_error *error)
{
	bool progress = isatty(STDERR_FILENO);
	uint64_t end_ns = duration_ms ? now_ns() + duration_ms * 1000000 : UINT64_MAX;
	int result = 0;

	while (result == 0 && !interrupted && !uni_recording_is_full(recording)) {
		uint64_t now = now_ns();
		uint64_t left_ms = now < end_ns ? (end_ns - now + 999999) / 1000000 : 0;

		if (left_ms == 0)
			break;
		result = uni_trace_session_receive(session, left_ms < 100 ? (int)left_ms : 100,
						   error);
		if (progress)
			show_progress(uni_trace_session_info(session));
	}
	if (progress)
		fputs("\r\033[K", stderr);
	return result;
}

static void print_summary(const struct uni_trace_info *info, const struct uni_recording *recording,
			  const struct record_values *values, const char *folder)
{
	struct uni_trace_cpu total = uni_trace_info_total(info);
	char events[UNI_TRACE_COUNT_SIZE], lost[UNI_TRACE_COUNT_SIZE];

	printf("%s  %.1f s  %s events  %.1f MB  %s%s lost  → %s\n", info->guest,
	       (double)info->duration_ns / 1e9, uni_trace_count(events, total.recorded),
	       (double)total.bytes / 1e6, info->complete ? "" : "at least ",
	       uni_trace_count(lost, uni_trace_cpu_lost(&total)), folder);
	if (uni_recording_is_full(recording))
		printf("  stopped by its size: --size-max is %" PRIu64 " MiB\n",
		       values->size_max_mib);
	if (uni_trace_cpu_lost(&total) > 0)
		uni_trace_print_losses(info, stdout);
}

static void default_folder(const char *guest, char *out, size_t size)
{
	time_t now = time(NULL);
	struct tm local;
	size_t len = (size_t)snprintf(out, size, "%s-", guest);

	localtime_r(&now, &local);
	strftime(out + len, size - len, "%Y-%m-%dT%H-%M-%S", &local);
}

static int record(struct uni_trace_session *session, const struct record_values *values,
		  const uint8_t *bitmap, const char *folder, struct uni_error *error)
{
	const struct uni_trace_info *info = uni_trace_session_info(session);
	struct uni_recording *recording;
	int result = uni_recording_create(folder, values->size_max_mib << 20, &recording, error);

	if (result < 0)
		return result;
	catch_interrupts();
	result = uni_trace_session_start(session, bitmap, recording, error);
	if (result == 0) {
		result = run_session(session, recording, values->duration_ms, error);
		if (result == 0)
			result = uni_trace_session_stop(session, error);
		/* What came before the guest was gone, or fell silent, is worth keeping. */
		if (result == 0 || result == -UNI_EIO || result == -UNI_ETIMEDOUT) {
			int finished =
				uni_recording_finish(recording, info, result == 0 ? error : NULL);

			if (finished == 0)
				print_summary(info, recording, values, folder);
			else if (result == 0)
				result = finished;
		}
	}
	uni_recording_close(recording);
	return result < 0 ? result : UNI_EXIT_OK;
}

static int run(const void *options, const struct uni_arguments *arguments, struct uni_error *error)
{
	const struct record_values *values = options;
	uint8_t bitmap[UNI_TRACE_EVENTS_MAX / 8];
	struct uni_trace_session *session;
	const struct uni_trace_info *info;
	char folder[PATH_MAX];
	int result;

	if (!values->events && !values->list)
		return uni_error_usage(error, "which events? -e takes globs, as 'sched:*'; --list "
					      "shows what there is");
	result = uni_trace_session_open(arguments->positional[0], &session, error);
	if (result < 0)
		return result;
	info = uni_trace_session_info(session);
	if (values->list) {
		list_points(&info->points);
	} else {
		result = uni_trace_points_match(&info->points, values->events, bitmap, error);
		if (values->output)
			snprintf(folder, sizeof(folder), "%s", values->output);
		else
			default_folder(info->guest, folder, sizeof(folder));
		if (result == 0)
			result = record(session, values, bitmap, folder, error);
	}
	uni_trace_session_close(session);
	return result;
}

static const struct uni_option list[] = {
	UNI_OPTION_STRING(struct record_values, events, "events", 'e', "GLOBS",
			  "tracepoints, as 'sched:*,lock:*'"),
	UNI_OPTION_DECIMAL(struct record_values, duration_ms, "duration", 'd', "S", 0, 1000000,
			   1000, "seconds to record (default: until Ctrl-C)"),
	UNI_OPTION_NUMBER(struct record_values, size_max_mib, "size-max", 's', "MIB", 1, 1 << 24,
			  "stop before the recording is larger (default 1024)"),
	UNI_OPTION_STRING(struct record_values, output, "output", 'o', "DIR",
			  "folder to create (default NAME-DATE)"),
	UNI_OPTION_FLAG(struct record_values, list, "list", 'l',
			"list the guest's tracepoints and their fields"),
};

static const struct uni_options record_options = {
	.arguments = "NAME",
	.details = "The recording is a CTF 1.8 trace, which babeltrace2 and Trace Compass read.",
	.list = list,
	.count = sizeof(list) / sizeof(list[0]),
	.defaults = &(const struct record_values){.size_max_mib = 1024},
	.values_size = sizeof(struct record_values),
	.positional_min = 1,
	.positional_max = 1,
};

extern const struct command command_record;
const struct command command_record = {
	.name = "record",
	.summary = "record tracepoints of a guest",
	.options = &record_options,
	.run = run,
};
