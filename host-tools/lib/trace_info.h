/* SPDX-License-Identifier: MIT */
/*
 * uniscope/info.json of a recording: whose it is, its clock, what was counted, and the names of
 * threads and tracepoints. docs/formats/trace.md documents the file.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host-tools/lib/error.h"
#include "host-tools/lib/trace_points.h"

/* In a folder of its own: readers of CTF take every file beside `metadata` for a stream. */
#define UNI_TRACE_INFO_FOLDER "uniscope"
#define UNI_TRACE_INFO_FILE UNI_TRACE_INFO_FOLDER "/info.json"
#define UNI_TRACE_CPUS_MAX 256
#define UNI_TRACE_THREADS_MAX 65536

struct uni_trace_cpu {
	uint64_t emitted;   /* by the guest, in this session */
	uint64_t discarded; /* of these, no room in the ring */
	uint64_t overwritten;
	uint64_t recorded; /* in the recording */
	uint64_t packets;
	uint64_t bytes;
};

struct uni_trace_thread {
	uint32_t id;
	char name[64];
};

struct uni_trace_info {
	char guest[64];
	char image[PATH_MAX];
	char boot_id[33];  /* hexadecimal */
	char build_id[65]; /* hexadecimal; "": none */
	char application[64];
	char kernel[64];

	/* One moment by four clocks. */
	uint64_t tsc_hz;
	uint64_t tsc;	  /* of the guest */
	uint64_t time_ns; /* of the guest, since it booted */
	uint64_t unix_ns; /* of the host, to about the time of a request */

	uint64_t duration_ns;
	bool complete; /* the guest sent its own counts: emitted is exact */

	struct uni_trace_cpu cpus[UNI_TRACE_CPUS_MAX];
	uint32_t cpu_count;
	struct uni_trace_thread *threads; /* by id */
	size_t thread_count;
	struct uni_trace_points points;
};

void uni_trace_info_fini(struct uni_trace_info *info);

/* Notes a thread's name, once each; the text is sanitized. -UNI_ENOMEM, -UNI_ENOSPC. */
int uni_trace_info_name_thread(struct uni_trace_info *info, uint32_t id, const char *name,
			       size_t len) __attribute__((warn_unused_result));

/* NULL: not known. */
const char *uni_trace_info_thread(const struct uni_trace_info *info, uint32_t id);

/* All CPUs together. */
struct uni_trace_cpu uni_trace_info_total(const struct uni_trace_info *info);

/* Emitted and not in the recording; never negative. */
uint64_t uni_trace_cpu_lost(const struct uni_trace_cpu *cpu);

/* Guest time since boot of a TSC value. */
uint64_t uni_trace_info_ns(const struct uni_trace_info *info, uint64_t tsc);

int uni_trace_info_write(const struct uni_trace_info *info, int folder_fd, struct uni_error *error);

/* The file is not trusted. *info is to be given to _fini() also after an error. */
int uni_trace_info_read(struct uni_trace_info *info, int folder_fd, const char *folder,
			struct uni_error *error);
