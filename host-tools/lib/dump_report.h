/* SPDX-License-Identifier: MIT */
/*
 * All that is known of one crash, put together: the store's facts, the core, the symbols of the
 * image, the threads with their backtraces, what the guest knew of itself, and the cause in words.
 *
 * Every part may be missing: a dump whose core was cut off, whose image is gone or has no debug
 * information still gives a report, which says what it lacks.
 */
#pragma once

#include "host-tools/lib/crash_cause.h"
#include "host-tools/lib/guest_model.h"

#define UNI_REPORT_FRAMES_MAX 512

/* One line of a backtrace; inlined calls have lines of their own. */
struct uni_report_frame {
	uint64_t pc;
	struct uni_symbol_frame symbol; /* function NULL: not known */
};

struct uni_report_thread {
	uint32_t id;
	const struct uni_model_thread *model; /* NULL: the guest's table does not have it */
	struct uni_report_frame *frames;
	size_t frame_count;
	bool is_cut; /* there are more frames */
};

struct uni_dump_report {
	struct uni_dump_info info;
	struct uni_crash_cause cause;
	char image[PATH_MAX];	     /* the ELF with the build-id of the guest; "": not found */
	char remark[PATH_MAX + 256]; /* what is lacking, for people; "": nothing */
	char core_path[PATH_MAX];
	struct uni_symbols *symbols;  /* NULL: without an image */
	struct uni_core_reader *core; /* NULL: not readable */
	struct uni_unwinder *unwinder;
	struct uni_model model; /* the guest's own tables; empty where it left none */

	/* The one that crashed is the first. */
	struct uni_report_thread *threads;
	size_t thread_count;
};

/* `info` is from the store. The report is the caller's storage. -UNI_ENOMEM. */
int uni_dump_report_init(struct uni_dump_report *report, const struct uni_dump_info *info,
			 struct uni_error *error) __attribute__((warn_unused_result));
void uni_dump_report_fini(struct uni_dump_report *report);

/* The backtrace of the panic record alone, without the core. Returns how many frames. */
size_t uni_dump_panic_frames(const struct uni_dump_info *info,
			     struct uni_unwind_frame frames[UNI_DUMP_FRAMES_MAX]);

/* The text of a source line, without its indentation; false where the file cannot be read. */
bool uni_dump_source_line(const struct uni_symbol_frame *frame, char *out, size_t size);
