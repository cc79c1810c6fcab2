/* SPDX-License-Identifier: MIT */
#include "host-tools/dumps_output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host-tools/lib/quantity.h"

#define CAUSE_COLUMNS 64
#define FRAMES_SHOWN 20
#define LOG_LINES_SHOWN 5
#define WHEN_SIZE 32
#define STATE_TEXT_SIZE 512
#define GROUP_TEXT_SIZE 1024
#define NS_PER_S 1000000000u

/* "today 04:02:17", "yesterday 19:40", "2026-11-20 07:15". */
static const char *when(uint64_t unix_ns, char out[WHEN_SIZE])
{
	time_t then = (time_t)(unix_ns / NS_PER_S), now = time(NULL);
	struct tm moment, today, yesterday;

	localtime_r(&then, &moment);
	localtime_r(&now, &today);
	yesterday = today;
	yesterday.tm_mday--;
	yesterday.tm_isdst = -1;
	mktime(&yesterday);
	if (moment.tm_yday == today.tm_yday && moment.tm_year == today.tm_year)
		strftime(out, WHEN_SIZE, "today %H:%M:%S", &moment);
	else if (moment.tm_yday == yesterday.tm_yday && moment.tm_year == yesterday.tm_year)
		strftime(out, WHEN_SIZE, "yesterday %H:%M", &moment);
	else
		strftime(out, WHEN_SIZE, "%Y-%m-%d %H:%M", &moment);
	return out;
}

static int width_of(size_t widest, size_t least)
{
	return (int)(widest > least ? widest : least);
}

/* A long cause is cut: `info` and JSON have all of it. */
static const char *short_cause(const struct dump_row *row, char out[CAUSE_COLUMNS + 1])
{
	const char *cause = row->cause.headline;
	size_t len = strlen(cause);

	if (len <= CAUSE_COLUMNS)
		return strcpy(out, cause);
	uni_sanitize(out, CAUSE_COLUMNS - 2, cause, len);
	return strcat(out, "...");
}

void dumps_list_text(const struct dump_row *rows, size_t count)
{
	size_t guest = 0, cause = 0;
	char text[CAUSE_COLUMNS + 1];

	if (!count) {
		printf("No dumps: no guest of yours has crashed.\n");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		size_t guest_len = strlen(rows[i].info.guest);
		size_t cause_len = strlen(short_cause(&rows[i], text));

		guest = guest_len > guest ? guest_len : guest;
		cause = cause_len > cause ? cause_len : cause;
	}
	printf("%4s  %-16s  %-*s  %-*s  %10s  %5s\n", "ID", "WHEN", width_of(guest, 5), "GUEST",
	       width_of(cause, 5), "CAUSE", "SIZE", "SEEN");
	for (size_t i = 0; i < count; i++) {
		const struct uni_dump_info *info = &rows[i].info;
		char moment[WHEN_SIZE], size[UNI_QUANTITY_SIZE];

		printf("%4" PRIu64 "  %-16s  %-*s  %-*s  %10s  %4ux%s\n", info->id,
		       when(info->died_unix_ns, moment), width_of(guest, 5), info->guest,
		       width_of(cause, 5), short_cause(&rows[i], text),
		       uni_quantity_bytes(size, sizeof(size), info->disk_size), rows[i].seen,
		       info->complete	 ? ""
		       : info->is_coming ? "  coming in"
					 : "  incomplete");
	}
}

static void print_death(const struct uni_dump_report *report)
{
	const struct uni_dump_info *info = &report->info;
	char moment[WHEN_SIZE], age[UNI_QUANTITY_SIZE];
	uint64_t lived = info->uptime_ns;

	if (!info->has_panic && info->started_unix_ns && info->died_unix_ns > info->started_unix_ns)
		lived = info->died_unix_ns - info->started_unix_ns;
	printf("%s died %s", info->guest, when(info->died_unix_ns, moment));
	if (lived)
		printf(" after %s", uni_quantity_duration(age, sizeof(age), lived));
	printf(": %s.\n", report->cause.sentence);
}

static void print_source(const struct uni_symbol_frame *blame)
{
	char text[256];

	if (blame->function && uni_dump_source_line(blame, text, sizeof(text)))
		printf("    %s:%u    %s\n", uni_symbol_file_name(blame), blame->line, text);
}

static void print_frame(const struct uni_report_frame *frame, size_t number)
{
	const struct uni_symbol_frame *symbol = &frame->symbol;

	printf("  #%-2zu ", number);
	if (!symbol->function)
		printf("0x%" PRIx64 ", no function is known there\n", frame->pc);
	else if (symbol->file)
		printf("%s at %s:%u%s\n", symbol->function, uni_symbol_file_name(symbol),
		       symbol->line, symbol->inlined ? " (inlined)" : "");
	else
		printf("%s + %" PRIu64 "\n", symbol->function, frame->pc - symbol->start);
}

static bool same_line(const struct uni_report_frame *a, const struct uni_report_frame *b)
{
	return a->pc == b->pc && a->symbol.function == b->symbol.function;
}

/* Recursion shows once, with the number of times. */
static void print_frames(const struct uni_report_thread *thread)
{
	size_t shown = 0, i = 0;

	while (i < thread->frame_count && shown < FRAMES_SHOWN) {
		size_t same = 1;

		while (i + same < thread->frame_count &&
		       same_line(&thread->frames[i], &thread->frames[i + same]))
			same++;
		print_frame(&thread->frames[i], i);
		if (same > 1)
			printf("      ... and %zu more of it\n", same - 1);
		i += same;
		shown++;
	}
	if (i < thread->frame_count || thread->is_cut)
		printf("  ... %s%zu more frames\n", thread->is_cut ? "at least " : "",
		       thread->frame_count - i);
}

static void print_crashed(const struct uni_dump_report *report)
{
	const struct uni_report_thread *thread = &report->threads[0];
	bool is_culprit = report->info.has_panic && report->info.kind != UNI_PANIC_HANG &&
			  report->info.kind != UNI_PANIC_REQUEST;

	if (!report->thread_count)
		return;
	if (thread->model)
		printf("Thread %s (", thread->model->name);
	else
		printf("Thread %u (", thread->id);
	printf("%s, vCPU %u)\n", is_culprit ? "crashed" : "was running", report->info.cpu);
	print_frames(thread);
}

/* Where a waiting thread really is: the caller of the outermost function that waits for it. */
static const struct uni_symbol_frame *place_of(const struct uni_report_thread *thread)
{
	const struct uni_symbol_frame *place = NULL;

	for (size_t i = 0; i < thread->frame_count; i++) {
		const struct uni_symbol_frame *symbol = &thread->frames[i].symbol;

		if (!symbol->function)
			continue;
		if (uni_crash_is_machinery(symbol->function))
			place = NULL;
		else if (!place)
			place = symbol;
	}
	return place;
}

static void describe_state(const struct uni_dump_report *report,
			   const struct uni_model_thread *model, char *out, size_t size)
{
	const struct uni_model_thread *owner =
		uni_model_thread(&report->model, model->record.wait_owner);

	if (model->record.wait_kind && model->wait_name[0])
		snprintf(out, size, "waits for %s %s%s%s",
			 uni_model_wait_kind_name(model->record.wait_kind), model->wait_name,
			 owner ? ", held by " : "", owner ? owner->name : "");
	else
		snprintf(out, size, "%s", uni_model_thread_state_name(model));
}

/* "waits for mutex orders, held by worker-3, in order_commit ledger.c:42": what a thread is at, for
 * its group. */
static void describe_thread(const struct uni_dump_report *report,
			    const struct uni_report_thread *thread, char *out, size_t size)
{
	const struct uni_model_thread *model = thread->model;
	const struct uni_symbol_frame *place = place_of(thread);
	char state[STATE_TEXT_SIZE];

	if (model && model->record.flags & UNI_THREAD_IDLE) {
		snprintf(out, size, "idle");
		return;
	}
	if (model)
		describe_state(report, model, state, sizeof(state));
	else
		snprintf(state, sizeof(state), "not in the guest's table");
	if (!place)
		snprintf(out, size, "%s", state);
	else if (place->file)
		snprintf(out, size, "%s, in %s %s:%u", state, place->function,
			 uni_symbol_file_name(place), place->line);
	else
		snprintf(out, size, "%s, in %s", state, place->function);
}

static void print_name(const struct uni_report_thread *thread)
{
	if (thread->model)
		printf("%s", thread->model->name);
	else
		printf("%u", thread->id);
}

/* Other threads, those that are at the same place on one line. */
static void print_others(const struct uni_dump_report *report)
{
	char mine[GROUP_TEXT_SIZE], other[GROUP_TEXT_SIZE];

	if (report->thread_count < 2)
		return;
	printf("%zu other thread%s:\n", report->thread_count - 1,
	       report->thread_count == 2 ? "" : "s");
	for (size_t i = 1; i < report->thread_count; i++) {
		bool is_first = true;

		describe_thread(report, &report->threads[i], mine, sizeof(mine));
		for (size_t j = 1; is_first && j < i; j++) {
			describe_thread(report, &report->threads[j], other, sizeof(other));
			is_first = strcmp(mine, other) != 0;
		}
		if (!is_first)
			continue;
		printf("  ");
		print_name(&report->threads[i]);
		for (size_t j = i + 1; j < report->thread_count; j++) {
			describe_thread(report, &report->threads[j], other, sizeof(other));
			if (strcmp(mine, other))
				continue;
			printf(", ");
			print_name(&report->threads[j]);
		}
		printf(": %s\n", mine);
	}
}

static void print_log(const struct uni_model *model)
{
	bool has_any = false;

	for (size_t age = LOG_LINES_SHOWN; age-- > 0;) {
		const struct uni_model_log_line *line = uni_model_log_line(model, age);

		if (!line)
			continue;
		if (!has_any)
			printf("Log, its end:\n");
		has_any = true;
		printf("  [%5" PRIu64 ".%06" PRIu64 "] %s\n", line->time_ns / NS_PER_S,
		       line->time_ns % NS_PER_S / 1000, line->text);
	}
}

static void print_equal(const struct uni_dump_report *report, const struct dump_row *rows,
			size_t count)
{
	bool has_any = false;

	for (size_t i = 0; i < count; i++) {
		if (rows[i].info.id == report->info.id ||
		    strcmp(rows[i].cause.signature, report->cause.signature))
			continue;
		printf("%s%" PRIu64, has_any ? ", " : "Same signature as ", rows[i].info.id);
		has_any = true;
	}
	if (has_any)
		printf(". ");
}

/* What one must know about the dump itself before trusting it. */
static void print_completeness(const struct uni_dump_report *report)
{
	const struct uni_dump_info *info = &report->info;
	char size[UNI_QUANTITY_SIZE], memory[UNI_QUANTITY_SIZE];

	printf("Dump: %s of disk for %s of memory, written by the %s, ",
	       uni_quantity_bytes(size, sizeof(size), info->disk_size),
	       uni_quantity_bytes(memory, sizeof(memory), info->memory_size),
	       info->source == UNI_DUMP_FROM_HOST ? "host" : "guest");
	if (info->complete)
		printf("complete");
	else if (info->is_coming)
		printf("STILL COMING IN");
	else
		printf("INCOMPLETE: %s", info->why);
	if (report->model.losses.log_lines)
		printf("; %" PRIu64 " log lines overwritten", report->model.losses.log_lines);
	printf("\n");
	if (report->remark[0])
		printf("Note: %s\n", report->remark);
}

/* The host finds the memory of a QEMU that was killed, and no registers. */
static bool registers_are_lost(const struct uni_dump_report *report)
{
	if (report->info.source != UNI_DUMP_FROM_HOST)
		return false;
	for (size_t i = 0; i < report->thread_count; i++) {
		if (report->threads[i].frame_count && report->threads[i].frames[0].pc)
			return false;
	}
	return true;
}

static void print_threads(const struct uni_dump_report *report)
{
	if (registers_are_lost(report)) {
		printf("No backtraces: the registers of its vCPUs were lost with QEMU; its memory "
		       "is "
		       "here.\n");
		return;
	}
	print_crashed(report);
	print_others(report);
}

void dumps_info_text(const struct uni_dump_report *report, const struct dump_row *rows,
		     size_t count)
{
	print_death(report);
	print_source(&report->cause.blame);
	print_threads(report);
	print_log(&report->model);
	print_completeness(report);
	print_equal(report, rows, count);
	printf("Next: uniscope dumps debug %" PRIu64 "\n", report->info.id);
}
