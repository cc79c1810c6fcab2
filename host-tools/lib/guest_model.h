/* SPDX-License-Identifier: MIT */
/*
 * What one guest says of itself, made from its frames: facts, CPUs, threads, metrics with rates,
 * the end of its log, its state, and what was lost on the way.
 *
 * Bytes of a guest are hostile: tables are cut at the limits below (and say so), all texts are
 * sanitized, numbers that make no sense are shown as unknown. Nothing here talks to anybody; feed
 * it what guest_client.h receives. A model belongs to one thread.
 *
 * Two clocks: the guest's monotonic clock in tables (`..._ns` of a record), and CLOCK_MONOTONIC of
 * the host as `now_ns` of uni_model_apply().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest-probe/probe_abi.h"
#include "host-tools/lib/guest_client.h"
#include "host-tools/lib/rate.h"
#include "host-tools/lib/sanitize.h"

#define UNI_MODEL_CPUS_MAX 256
#define UNI_MODEL_THREADS_MAX 4096
#define UNI_MODEL_METRICS_MAX 512
#define UNI_MODEL_LOG_LINES 64
#define UNI_MODEL_LOG_TEXT_SIZE 256

#define UNI_MODEL_NAME_SIZE (UNI_NAME_SIZE * UNI_SANITIZE_GROWTH + 1)

struct uni_model_hello {
	uint16_t version;
	uint32_t cpu_count;
	uint32_t features;
	uint64_t tsc_hz;
	uint64_t memory_size;
	uint32_t clock_method;
	uint32_t interval_ms;
	char boot_id[2 * UNI_BOOT_ID_SIZE + 1];	 /* hexadecimal */
	char build_id[2 * UNI_BUILD_ID_MAX + 1]; /* hexadecimal; "": none */
	char application[UNI_MODEL_NAME_SIZE];
	char kernel[UNI_MODEL_NAME_SIZE];
	char cmdline[512];
};

struct uni_model_cpu {
	struct uni_cpu_record record;
	/* Nanoseconds a second. */
	struct uni_rate busy;
	struct uni_rate irq;
	struct uni_rate idle;
	struct uni_rate switches;
	struct uni_rate interrupts;
};

struct uni_model_thread {
	struct uni_thread_record record; /* its names are raw: use the two below */
	char name[UNI_MODEL_NAME_SIZE];
	char wait_name[UNI_MODEL_NAME_SIZE];
	struct uni_rate run; /* nanoseconds a second */
	struct uni_rate switches;
};

struct uni_model_metric {
	uint32_t id;
	uint8_t kind; /* enum uni_metric_kind */
	uint8_t unit; /* enum uni_metric_unit */
	bool has_value;
	char name[56 * UNI_SANITIZE_GROWTH + 1];
	uint64_t value;
	struct uni_rate rate; /* of counters */
};

struct uni_model_log_line {
	uint64_t sequence;
	uint64_t time_ns;
	uint32_t thread;
	uint16_t cpu;
	uint8_t level; /* enum uni_log_level */
	char text[UNI_MODEL_LOG_TEXT_SIZE];
};

struct uni_model_panic {
	struct uni_panic_record record;
	char reason[512];
};

struct uni_model_losses {
	uint64_t log_lines;	/* overwritten in the guest, since boot */
	uint64_t client_frames; /* dropped for this client, which was too slow */
	uint64_t client_bytes;
	uint64_t trace_emitted; /* of the trace session, all CPUs */
	uint64_t trace_discarded;
	uint64_t trace_overwritten;
	uint64_t malformed_frames; /* that made no sense and were dropped whole */
};

struct uni_model {
	uint64_t rate_min_ns;

	bool has_hello, has_state, has_panic, has_bye;
	struct uni_model_hello hello;
	struct uni_guest_state state; /* texts are raw: use the two below */
	char state_guest[64 * UNI_SANITIZE_GROWTH + 1];
	char dump_id[64 * UNI_SANITIZE_GROWTH + 1];
	struct uni_rate
		host_cpu; /* nanoseconds a second, by the host's clock; not of the greeting */
	struct uni_rate starved;
	struct uni_model_panic panic;
	int32_t bye_status;

	/* In the order of the guest. */
	struct uni_model_cpu *cpus;
	size_t cpu_count;
	uint32_t cpu_total; /* as the guest says: more than cpu_count where cut */

	/* By id, each id once. A table that came in several frames grows with each. */
	struct uni_model_thread *threads;
	size_t thread_count;
	uint32_t thread_total;
	uint64_t threads_tsc;	  /* when the table was taken: the same in all its frames */
	uint64_t threads_time_ns; /* of the guest, then */
	struct uni_model_thread *threads_before; /* the table before, for rates */
	size_t thread_before_count;

	/* In the order of the guest. */
	struct uni_model_metric *metrics;
	size_t metric_count;
	uint32_t metric_total;

	/* A ring: the oldest line is log[log_next % UNI_MODEL_LOG_LINES] once it is full. */
	struct uni_model_log_line *log;
	uint64_t log_next; /* lines ever kept */

	uint32_t tracepoint_count;
	uint32_t tracepoints_on;

	struct uni_model_losses losses;
	uint64_t time_ns;     /* the guest's clock in the latest table */
	uint64_t received_ns; /* when the guest last said anything; 0: never */
	uint64_t snapshots;   /* tables of threads begun */
};

/* Rates are taken over at least rate_min_ns. */
void uni_model_init(struct uni_model *model, uint64_t rate_min_ns);
void uni_model_fini(struct uni_model *model);

/* Takes one frame in; types that say nothing about the guest are fine. A hello with another boot id
 * begins a new life: everything of the old one is forgotten. 0; -UNI_EINVAL: malformed, counted,
 * the model is as before; -UNI_ENOMEM. */
int uni_model_apply(struct uni_model *model, const struct uni_client_frame *frame, uint64_t now_ns);

/* NULL: there is none. */
const struct uni_model_metric *uni_model_metric(const struct uni_model *model, const char *name);
const struct uni_model_thread *uni_model_thread(const struct uni_model *model, uint32_t id);

/* The log line `age` lines before the last (0: the last); NULL: not kept. */
const struct uni_model_log_line *uni_model_log_line(const struct uni_model *model, size_t age);

/* Share of the guest's CPU time that was not idle, 0 to 1; false while no rate is known. */
bool uni_model_cpu_share(const struct uni_model *model, double *share);
/* The same for one CPU: threads and interrupts apart. */
bool uni_model_one_cpu(const struct uni_model_cpu *cpu, double *busy, double *irq, double *idle);

/* Heap in use of what it may grow to, in bytes (metrics heap.used and heap.total; without the
 * latter the guest's memory). False: the guest does not say. */
bool uni_model_heap(const struct uni_model *model, uint64_t *used, uint64_t *limit);

/* Nanoseconds that a thread has waited when the table was taken; 0: it does not wait. */
uint64_t uni_model_waiting_ns(const struct uni_model *model, const struct uni_model_thread *thread);

/* Words for numbers, "?" for what has none; states as a person says them ("running"). */
const char *uni_model_run_state_name(uint32_t state);
const char *uni_model_thread_state_name(const struct uni_model_thread *thread);
const char *uni_model_wait_kind_name(uint8_t kind);
const char *uni_model_clock_name(uint32_t method);

/* "mutex orders, held by worker-3, 12 ms"; "" for a thread that does not wait. Returns out. */
const char *uni_model_wait_text(const struct uni_model *model,
				const struct uni_model_thread *thread, char *out, size_t size);
