/* SPDX-License-Identifier: MIT */
/* What `uniscope report` makes of a recording: collected in one pass, then printed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host-tools/lib/histogram.h"
#include "host-tools/lib/symbols.h"
#include "host-tools/lib/trace_reader.h"

#define REPORT_LOCKS_MAX 4096

struct report_thread {
	uint32_t id;
	uint64_t run_ns;
	uint64_t switches; /* times it was put on a CPU */
	uint64_t woken_ns; /* when it became ready and has not run since; 0: not waiting so */
	struct uni_histogram *latency; /* from being woken to running; NULL: never seen */
};

struct report_lock {
	uint64_t address;
	char name[64];
	uint64_t site; /* where a thread waited first */
	struct uni_histogram wait;
	struct uni_histogram hold; /* of contended holds */
	uint32_t longest_holder;   /* thread id; 0: not known */
};

struct report_cpu {
	uint32_t thread; /* runs since since_ns; 0: not known yet */
	uint64_t since_ns;
};

struct report {
	struct uni_trace_info *info;
	uint64_t first_ns, last_ns;
	uint64_t event_count;
	uint64_t by_point[UNI_TRACE_EVENTS_MAX];
	struct report_cpu cpus[UNI_TRACE_CPUS_MAX];
	struct report_thread *threads; /* by id */
	size_t thread_count;
	struct report_lock *locks[REPORT_LOCKS_MAX];
	size_t lock_count;
	uint64_t locks_left_out; /* events of locks beyond REPORT_LOCKS_MAX */
};

/* Takes one event in; in the order of time. -UNI_ENOMEM. */
int report_feed(struct report *report, const struct uni_trace_event *event);

/* After the last event: what runs has run until then. */
void report_end(struct report *report);

void report_fini(struct report *report);

/* The name of a thread, or its number in words. Returns out. */
const char *report_thread_name(const struct report *report, uint32_t id, char out[64]);

void report_print_summary(const struct report *report, const struct uni_symbols *symbols);
void report_print_sched(const struct report *report);
void report_print_lock(const struct report *report, const struct uni_symbols *symbols);

/* The line that ends every report: how much of what happened is not in it. */
void report_print_lost(const struct report *report, const char *next);
