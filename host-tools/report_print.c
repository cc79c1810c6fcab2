/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host-tools/lib/quantity.h"
#include "host-tools/lib/trace_text.h"
#include "host-tools/report.h"

#define SUMMARY_ROWS 12

static const char *duration(char out[UNI_QUANTITY_SIZE], uint64_t ns)
{
	return uni_quantity_duration(out, UNI_QUANTITY_SIZE, ns);
}

static void print_header(const struct report *report)
{
	const struct uni_trace_info *info = report->info;
	char events[UNI_TRACE_COUNT_SIZE];

	printf("%s  %s  life %.8s  build %.8s\n%s events in %.3f s, from %.3f s after boot\n",
	       info->guest, info->kernel, info->boot_id, info->build_id,
	       uni_trace_count(events, report->event_count),
	       (double)(report->last_ns - report->first_ns) / 1e9, (double)report->first_ns / 1e9);
}

static void print_cpus(const struct report *report)
{
	puts("\nCPU       EMITTED      RECORDED          LOST");
	for (uint32_t i = 0; i < report->info->cpu_count; i++) {
		const struct uni_trace_cpu *cpu = &report->info->cpus[i];
		char emitted[UNI_TRACE_COUNT_SIZE], recorded[UNI_TRACE_COUNT_SIZE],
			lost[UNI_TRACE_COUNT_SIZE];

		printf("%3" PRIu32 "  %12s  %12s  %12s\n", i,
		       uni_trace_count(emitted, cpu->emitted),
		       uni_trace_count(recorded, cpu->recorded),
		       uni_trace_count(lost, uni_trace_cpu_lost(cpu)));
	}
}

static int by_count(const void *left, const void *right, void *context)
{
	const uint64_t *counts = context;
	uint64_t a = counts[*(const uint32_t *)left], b = counts[*(const uint32_t *)right];

	return a < b ? 1 : a > b ? -1 : 0;
}

static void print_points(const struct report *report)
{
	double seconds = (double)(report->last_ns - report->first_ns) / 1e9;
	uint32_t order[UNI_TRACE_EVENTS_MAX];
	size_t count = report->info->points.count;
	uint64_t counts[UNI_TRACE_EVENTS_MAX];

	memcpy(counts, report->by_point, sizeof(counts));
	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	qsort_r(order, count, sizeof(order[0]), by_count, counts);
	puts("\nTRACEPOINT                  EVENTS       EVENTS/s");
	for (size_t i = 0; i < count && counts[order[i]] > 0; i++) {
		char events[UNI_TRACE_COUNT_SIZE];

		printf("%-22s  %10s  %13.0f\n", report->info->points.list[order[i]].name,
		       uni_trace_count(events, counts[order[i]]),
		       seconds > 0 ? (double)counts[order[i]] / seconds : 0.0);
	}
}

static int by_run_time(const void *left, const void *right)
{
	const struct report_thread *a = *(struct report_thread *const *)left;
	const struct report_thread *b = *(struct report_thread *const *)right;

	return a->run_ns < b->run_ns ? 1 : a->run_ns > b->run_ns ? -1 : 0;
}

static void print_thread(const struct report *report, const struct report_thread *thread)
{
	uint64_t span_ns = report->last_ns - report->first_ns;
	char name[64], run[UNI_QUANTITY_SIZE], p50[UNI_QUANTITY_SIZE] = "-",
					       p99[UNI_QUANTITY_SIZE] = "-",
					       max[UNI_QUANTITY_SIZE] = "-";

	if (thread->latency) {
		duration(p50, uni_histogram_permille(thread->latency, 500));
		duration(p99, uni_histogram_permille(thread->latency, 990));
		duration(max, thread->latency->max);
	}
	printf("%-16s  %8s  %5.1f  %9" PRIu64 "  %9s  %9s  %9s\n",
	       report_thread_name(report, thread->id, name), duration(run, thread->run_ns),
	       span_ns ? 100.0 * (double)thread->run_ns / (double)span_ns : 0.0, thread->switches,
	       p50, p99, max);
}

/* The busiest `most` threads. */
static void print_threads(const struct report *report, size_t most)
{
	struct report_thread **order =
		calloc(report->thread_count + 1, sizeof(struct report_thread *));

	if (!order || report->thread_count == 0) {
		free(order);
		return;
	}
	for (size_t i = 0; i < report->thread_count; i++)
		order[i] = &report->threads[i];
	qsort(order, report->thread_count, sizeof(struct report_thread *), by_run_time);
	puts("\n                                                     WOKEN TO RUNNING\n"
	     "THREAD                 RAN   CPU%   SWITCHES        p50        p99        max");
	for (size_t i = 0; i < report->thread_count && i < most; i++)
		print_thread(report, order[i]);
	if (report->thread_count > most)
		printf("... and %zu more: report sched\n", report->thread_count - most);
	free(order);
}

static void site_text(const struct uni_symbols *symbols, uint64_t site, char out[64])
{
	struct uni_symbol_frame frame;

	/* A return address belongs to the call before it. */
	if (symbols && site && uni_symbols_lookup(symbols, site - 1, &frame, 1) == 1) {
		if (frame.line)
			snprintf(out, 64, "%s:%" PRIu32, uni_symbol_file_name(&frame), frame.line);
		else
			snprintf(out, 64, "%s", frame.function);
	} else {
		snprintf(out, 64, "0x%" PRIx64, site);
	}
}

static int by_wait(const void *left, const void *right)
{
	const struct report_lock *a = *(struct report_lock *const *)left;
	const struct report_lock *b = *(struct report_lock *const *)right;

	return a->wait.total < b->wait.total ? 1 : a->wait.total > b->wait.total ? -1 : 0;
}

static void print_locks(const struct report *report, const struct uni_symbols *symbols)
{
	struct report_lock *order[REPORT_LOCKS_MAX];

	memcpy(order, report->locks, report->lock_count * sizeof(order[0]));
	qsort(order, report->lock_count, sizeof(order[0]), by_wait);
	puts("\n                                        WAITED         HELD\n"
	     "LOCK          SITE            WAITS    total      p99      p99  LONGEST HOLDER");
	for (size_t i = 0; i < report->lock_count; i++) {
		const struct report_lock *lock = order[i];
		char site[64], holder[64], total[UNI_QUANTITY_SIZE], p99[UNI_QUANTITY_SIZE],
			hold[UNI_QUANTITY_SIZE], longest[UNI_QUANTITY_SIZE], address[24];

		snprintf(address, sizeof(address), "0x%" PRIx64, lock->address);
		site_text(symbols, lock->site, site);
		printf("%-12s  %-14s  %5" PRIu64 "  %7s  %7s  %7s  %s %s\n",
		       lock->name[0] ? lock->name : address, site, lock->wait.count,
		       duration(total, lock->wait.total),
		       duration(p99, uni_histogram_permille(&lock->wait, 990)),
		       duration(hold, uni_histogram_permille(&lock->hold, 990)),
		       report_thread_name(report, lock->longest_holder, holder),
		       duration(longest, lock->hold.max));
	}
	if (report->locks_left_out)
		printf("... %" PRIu64 " events of further locks are not shown\n",
		       report->locks_left_out);
}

void report_print_lost(const struct report *report, const char *next)
{
	struct uni_trace_cpu total = uni_trace_info_total(report->info);
	char lost[UNI_TRACE_COUNT_SIZE];

	printf("\n%s%s events lost%s.%s%s\n", report->info->complete ? "" : "At least ",
	       uni_trace_count(lost, uni_trace_cpu_lost(&total)),
	       report->info->complete ? "" : ": the guest was gone before it gave its counts",
	       next ? " Next: " : "", next ? next : "");
	uni_trace_print_losses(report->info, stdout);
}

void report_print_summary(const struct report *report, const struct uni_symbols *symbols)
{
	print_header(report);
	print_cpus(report);
	print_points(report);
	print_threads(report, SUMMARY_ROWS);
	if (report->lock_count > 0)
		print_locks(report, symbols);
	report_print_lost(report, "report … sched, report … lock, report … events");
}

void report_print_sched(const struct report *report)
{
	print_header(report);
	if (report->thread_count > 0)
		print_threads(report, report->thread_count);
	else
		puts("\nNo switch of threads was recorded; record with -e 'sched:*'.");
	report_print_lost(report, NULL);
}

void report_print_lock(const struct report *report, const struct uni_symbols *symbols)
{
	print_header(report);
	if (report->lock_count > 0)
		print_locks(report, symbols);
	else
		puts("\nNo thread waited for a lock, or it was not recorded (-e 'lock:*').");
	report_print_lost(report, NULL);
}
