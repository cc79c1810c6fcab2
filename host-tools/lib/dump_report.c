// SPDX-License-Identifier: MIT
#include "host-tools/lib/dump_report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host-tools/lib/arch/x86_64/memory_operand.h"
#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/dump_image.h"
#include "host-tools/lib/pointer_name.h"
#include "tracing/errno.h"

#define CHAIN_MAX 64

size_t uni_dump_panic_frames(const struct uni_dump_info *info,
			     struct uni_unwind_frame frames[UNI_DUMP_FRAMES_MAX])
{
	for (uint32_t i = 0; i < info->frame_count; i++)
		frames[i] = (struct uni_unwind_frame){.pc = info->frames[i], .is_exact = i == 0};
	return info->frame_count;
}

bool uni_dump_source_line(const struct uni_symbol_frame *frame, char *out, size_t size)
{
	uni_cleanup_file FILE *file = frame->file ? fopen(frame->file, "re") : NULL;
	uni_cleanup_free char *line = NULL;
	size_t room = 0;
	ssize_t len = -1;

	for (uint32_t i = 0; file && i < frame->line; i++) {
		len = getline(&line, &room, file);
		if (len < 0)
			return false;
	}
	if (len <= 0)
		return false;
	line[strcspn(line, "\r\n")] = '\0';
	len = (ssize_t)strspn(line, " \t");
	uni_sanitize(out, size, line + len, strlen(line + len));
	return true;
}

__attribute__((format(printf, 2, 3))) static void remark(struct uni_dump_report *report,
							 const char *format, ...)
{
	size_t len = strlen(report->remark);
	va_list arguments;

	if (len)
		len += (size_t)snprintf(report->remark + len, sizeof(report->remark) - len, "; ");
	if (len >= sizeof(report->remark))
		return;
	va_start(arguments, format);
	vsnprintf(report->remark + len, sizeof(report->remark) - len, format, arguments);
	va_end(arguments);
}

static void open_image(struct uni_dump_report *report)
{
	char why[PATH_MAX];
	struct uni_error error;

	if (!uni_dump_image_find(&report->info, report->image, why, sizeof(why)))
		remark(report, "no symbols: %s", why);
	else if (uni_symbols_open(report->image, &report->symbols, &error))
		remark(report, "%s", error.text);
	else if (!uni_symbols_have_lines(report->symbols))
		remark(report, "no debug information: showing symbols only");
}

/* The notes of the dump are payloads of frames: the model of a live guest takes them. */
static void read_notes(struct uni_dump_report *report)
{
	static const struct {
		enum uni_note_type note;
		enum uni_frame_type frame;
	} payloads[] = {
		{UNI_NOTE_HELLO, UNI_FRAME_HELLO},
		{UNI_NOTE_THREADS, UNI_FRAME_THREADS},
		{UNI_NOTE_CPUS, UNI_FRAME_CPUS},
		{UNI_NOTE_METRIC_TABLE, UNI_FRAME_METRIC_TABLE},
		{UNI_NOTE_METRICS, UNI_FRAME_METRICS},
		{UNI_NOTE_LOG, UNI_FRAME_LOG},
		{UNI_NOTE_PANIC, UNI_FRAME_PANIC},
	};

	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		struct uni_client_frame frame = {.type = payloads[i].frame};

		frame.payload = uni_core_reader_note(report->core, UNI_NOTE_OWNER, payloads[i].note,
						     &frame.len);
		/* What makes no sense is left out, as it is of a live guest. */
		if (frame.payload)
			(void)uni_model_apply(&report->model, &frame, 0);
	}
}

static void open_core(struct uni_dump_report *report)
{
	struct uni_error error;
	struct stat status;

	if (uni_dump_store_core_path(report->info.id, report->core_path,
				     sizeof(report->core_path)) ||
	    uni_core_reader_open(report->core_path, &report->core, &error)) {
		remark(report, "%s",
		       report->core_path[0] ? error.text : "the core cannot be found");
		return;
	}
	if (stat(report->core_path, &status) == 0 &&
	    (uint64_t)status.st_size < report->info.core_size)
		remark(report, "the core was cut since: %lld of %llu bytes are left",
		       (long long)status.st_size, (unsigned long long)report->info.core_size);
	read_notes(report);
	if (report->symbols && uni_unwinder_open(report->image, report->symbols, report->core,
						 &report->unwinder, &error))
		remark(report, "%s", error.text);
}

/* Lines of a backtrace from frames: each becomes as many as were inlined there. */
static int add_frames(const struct uni_symbols *symbols, struct uni_report_thread *thread,
		      const struct uni_unwind_frame frames[], size_t count)
{
	struct uni_symbol_frame chain[CHAIN_MAX];

	for (size_t i = 0; i < count; i++) {
		size_t lines = uni_crash_frame_lookup(symbols, &frames[i], chain, CHAIN_MAX);
		struct uni_report_frame *grown;

		if (!lines) {
			chain[0] = (struct uni_symbol_frame){.function = NULL};
			lines = 1;
		}
		grown = reallocarray(thread->frames, thread->frame_count + lines, sizeof(*grown));
		if (!grown)
			return -UNI_ENOMEM;
		thread->frames = grown;
		for (size_t j = 0; j < lines; j++)
			grown[thread->frame_count++] =
				(struct uni_report_frame){frames[i].pc, chain[j]};
	}
	return 0;
}

/* Where the core has nothing, the panic record knows the thread that crashed. */
static size_t walk(struct uni_dump_report *report, size_t index,
		   struct uni_unwind_frame frames[UNI_REPORT_FRAMES_MAX])
{
	size_t count = 0;

	if (report->unwinder)
		count = uni_unwinder_walk(report->unwinder, index, frames, UNI_REPORT_FRAMES_MAX);
	if (!count && index == 0)
		count = uni_dump_panic_frames(&report->info, frames);
	return count;
}

/* The instruction says which register was null, debug information which variable that is. */
static void name_null_pointer(struct uni_dump_report *report)
{
	const struct uni_core_prstatus *status = uni_core_reader_thread(report->core, 0);
	const struct uni_dump_info *info = &report->info;
	uint8_t code[UNI_INSTRUCTION_MAX];
	struct uni_core_registers registers;
	char variable[64], expression[192];
	uint64_t offset;
	int number;

	if (!status || info->kind != UNI_PANIC_FAULT || !report->cause.blame.function ||
	    !uni_symbols_is_code(report->symbols, info->pc) ||
	    uni_core_reader_read(report->core, info->pc, code, sizeof(code)))
		return;
	uni_core_registers_get(status, &registers);
	if (registers.pc == info->pc &&
	    uni_memory_operand_null(code, &registers, info->address, &number, &offset) &&
	    uni_pointer_name(report->image, info->pc, number, offset, variable, sizeof(variable),
			     expression, sizeof(expression)))
		uni_crash_cause_name_pointer(&report->cause, info, variable, expression);
}

/* The cause, from the backtrace of the core; from that of the panic record where the two disagree
 * on where the guest died, which is worth a word. */
static void find_cause(struct uni_dump_report *report, const struct uni_unwind_frame frames[],
		       size_t count)
{
	const struct uni_dump_info *info = &report->info;
	struct uni_unwind_frame recorded[UNI_DUMP_FRAMES_MAX];

	if (count && info->has_panic && frames[0].pc != info->pc) {
		remark(report,
		       "the core has the thread at 0x%" PRIx64 ", the panic record at 0x%" PRIx64,
		       frames[0].pc, info->pc);
		count = uni_dump_panic_frames(info, recorded);
		frames = recorded;
	}
	uni_crash_cause_find(info, report->symbols, frames, count, &report->cause);
	if (report->core && report->symbols)
		name_null_pointer(report);
}

static int add_threads(struct uni_dump_report *report)
{
	uni_cleanup_free struct uni_unwind_frame *frames =
		calloc(UNI_REPORT_FRAMES_MAX, sizeof(*frames));
	size_t count = report->core ? uni_core_reader_thread_count(report->core) : 0;
	int err = 0;

	report->threads = calloc(count + 1, sizeof(*report->threads));
	if (!report->threads || !frames)
		return -UNI_ENOMEM;
	if (!count)
		find_cause(report, frames, walk(report, 0, frames));
	/* A core without threads still has what the panic record knows of one. */
	report->thread_count = count ? count : report->info.has_panic;
	for (size_t i = 0; !err && i < report->thread_count; i++) {
		struct uni_report_thread *thread = &report->threads[i];
		size_t frame_count = walk(report, i, frames);

		thread->id = count ? (uint32_t)uni_core_reader_thread(report->core, i)->pid
				   : report->info.thread;
		thread->model = uni_model_thread(&report->model, thread->id);
		thread->is_cut = frame_count == UNI_REPORT_FRAMES_MAX;
		err = add_frames(report->symbols, thread, frames, frame_count);
		if (count && i == 0)
			find_cause(report, frames, frame_count);
	}
	return err;
}

int uni_dump_report_init(struct uni_dump_report *report, const struct uni_dump_info *info,
			 struct uni_error *error)
{
	int err;

	*report = (struct uni_dump_report){.info = *info};
	uni_model_init(&report->model, 1);
	open_image(report);
	open_core(report);
	err = add_threads(report);
	if (err) {
		uni_dump_report_fini(report);
		return uni_error_set(error, err, "cannot report on dump %llu: out of memory",
				     (unsigned long long)info->id);
	}
	return 0;
}

void uni_dump_report_fini(struct uni_dump_report *report)
{
	for (size_t i = 0; i < report->thread_count; i++)
		free(report->threads[i].frames);
	free(report->threads);
	uni_model_fini(&report->model);
	uni_unwinder_close(report->unwinder);
	uni_core_reader_close(report->core);
	uni_symbols_close(report->symbols);
}
