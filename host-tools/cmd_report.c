/* SPDX-License-Identifier: MIT */
/* uniscope report: what a recording says. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host-tools/command.h"
#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/image.h"
#include "host-tools/lib/trace_text.h"
#include "host-tools/report.h"
#include "tracing/errno.h"

enum view { VIEW_SUMMARY, VIEW_EVENTS, VIEW_SCHED, VIEW_LOCK };

static const char *const view_names[] = {"summary", "events", "sched", "lock"};

static int find_view(const char *name, enum view *view, struct uni_error *error)
{
	for (size_t i = 0; i < sizeof(view_names) / sizeof(view_names[0]); i++) {
		if (strcmp(name, view_names[i]) == 0) {
			*view = (enum view)i;
			return 0;
		}
	}
	return uni_error_usage(
		error, "no report is called '%s'; there are summary, events, sched, lock", name);
}

static void print_event(const struct report *report, const struct uni_trace_event *event)
{
	char thread[64];

	printf("%14.9f  %2" PRIu32 "  %-14s  %-17s  ", (double)event->time_ns / 1e9, event->cpu,
	       report_thread_name(report, report->cpus[event->cpu].thread, thread),
	       event->point->name);
	uni_trace_print_fields(event, stdout);
	putchar('\n');
}

static int collect(struct uni_trace_reader *reader, struct report *report, enum view view,
		   struct uni_error *error)
{
	struct uni_trace_event event;
	int got;

	while ((got = uni_trace_reader_next(reader, &event, error)) > 0) {
		/* Of a switch, the thread that it takes the CPU from. */
		if (view == VIEW_EVENTS)
			print_event(report, &event);
		if (report_feed(report, &event) < 0)
			return uni_error_set(error, -UNI_ENOMEM, "out of memory");
	}
	report_end(report);
	return got;
}

/* Sites get names from the image, if it is still the one that was recorded. */
static struct uni_symbols *open_symbols(const struct uni_trace_info *info)
{
	uni_cleanup_free struct uni_image *image = malloc(sizeof(*image));
	struct uni_symbols *symbols;

	if (!image || uni_image_read(info->image, image, NULL) < 0 ||
	    strcmp(image->build_id_text, info->build_id) != 0 ||
	    uni_symbols_open(info->image, &symbols, NULL) < 0)
		return NULL;
	return symbols;
}

static void print_view(const struct report *report, enum view view)
{
	struct uni_symbols *symbols = NULL;

	if (report->lock_count > 0 && (view == VIEW_SUMMARY || view == VIEW_LOCK))
		symbols = open_symbols(report->info);
	switch (view) {
	case VIEW_SUMMARY:
		report_print_summary(report, symbols);
		break;
	case VIEW_EVENTS:
		report_print_lost(report, NULL);
		break;
	case VIEW_SCHED:
		report_print_sched(report);
		break;
	case VIEW_LOCK:
		report_print_lock(report, symbols);
		break;
	}
	uni_symbols_close(symbols);
}

static int run(const void *values, const struct uni_arguments *arguments, struct uni_error *error)
{
	enum view view = VIEW_SUMMARY;
	struct uni_trace_reader *reader;
	struct report *report;
	int result = 0;

	if (arguments->positional_count > 1)
		result = find_view(arguments->positional[1], &view, error);
	if (result == 0)
		result = uni_trace_reader_open(arguments->positional[0], &reader, error);
	if (result < 0)
		return result;
	report = calloc(1, sizeof(*report));
	if (!report) {
		uni_trace_reader_close(reader);
		return uni_error_set(error, -UNI_ENOMEM, "out of memory");
	}
	report->info = uni_trace_reader_info_mutable(reader);
	result = collect(reader, report, view, error);
	/* Of a damaged recording, what could be read is worth having. */
	if (report->event_count > 0 || result == 0)
		print_view(report, view);
	report_fini(report);
	free(report);
	uni_trace_reader_close(reader);
	return result < 0 ? result : UNI_EXIT_OK;
}

static const struct uni_options report_options = {
	.arguments = "DIR [summary|events|sched|lock]",
	.details =
		"summary  events by tracepoint, threads by CPU time, locks (the default)\n"
		"events   every event as a line: seconds since boot, CPU, thread, event, fields\n"
		"sched    every thread: time on a CPU, switches, time from woken to running\n"
		"lock     contended locks: waits, holds, who held longest",
	.positional_min = 1,
	.positional_max = 2,
};

extern const struct command command_report;
const struct command command_report = {
	.name = "report",
	.summary = "show what a recording says",
	.options = &report_options,
	.run = run,
};
