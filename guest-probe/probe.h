/* SPDX-License-Identifier: MIT */
/*
 * The guest probe: what a running guest says about itself over UNI_PORT_PROBE, and the requests of
 * the host that it answers.
 *
 * The platform (a unikernel) hands over storage and an ops struct, and calls uni_probe_poll() from
 * one thread of its own: when the port has bytes or room, when the host opened its side, and at the
 * time that the last call returned. Nothing here allocates, prints, blocks or takes a lock, and one
 * call does a bounded amount of work. docs/porting.md shows the whole of it.
 *
 * A frame is written whole or not at all; what finds no room stays due and is made anew, with
 * fresher numbers, at the next poll. So a host that does not read costs the guest nothing, and what
 * it missed of the log is counted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest-probe/dump_abi.h"
#include "guest-probe/frame.h"
#include "guest-probe/metrics.h"
#include "guest-probe/probe_abi.h"

/* The largest frame that the probe writes, dumps aside. */
#define UNI_PROBE_BUFFER_SIZE 32768

/* The largest request: a bitmap of 4,096 tracepoints. */
#define UNI_PROBE_REQUEST_MAX 1024

#define UNI_PROBE_INTERVAL_DEFAULT_MS 1000
#define UNI_PROBE_INTERVAL_MIN_MS 10
#define UNI_PROBE_INTERVAL_MAX_MS 60000

/* What a log record's text is cut to. */
#define UNI_PROBE_LOG_TEXT_MAX 248

/* Tracing, where the platform has it. */
struct uni_probe_trace_ops {
	uint32_t (*event_count)(void *context);

	/* bitmap has (event_count + 7) / 8 bytes; get finds it zeroed. */
	void (*points_get)(void *context, uint8_t *bitmap, uint32_t event_count);
	int (*points_set)(void *context, const uint8_t *bitmap, uint32_t event_count);

	/* Return 0 or a negative UNI_E*, which becomes the status of the reply. */
	int (*start)(void *context, enum uni_trace_mode mode);
	int (*stop)(void *context);

	/* With the world stopped: the ring of each CPU; returns how many were filled. */
	uint32_t (*rings)(void *context, struct uni_note_ring *rings, uint32_t capacity);
};

struct uni_probe_ops {
	/* The port, without waiting. write takes the whole frame (0) or nothing: -UNI_EAGAIN where
	 * there is no room yet, anything else when nobody listens. read returns how many bytes
	 * came, or a negative number when there are none. */
	int (*write)(void *context, const void *frame, size_t len);
	long (*read)(void *context, void *buffer, size_t len);

	uint64_t (*tsc)(void *context);
	uint64_t (*time_ns)(void *context); /* from boot, monotonic */

	/* Fill up to capacity zeroed records and return how many. Threads come in the order of
	 * their ids, those above after_id; *total is how many there are in all. Also called in a
	 * panic, with the world stopped. */
	uint32_t (*cpus)(void *context, struct uni_cpu_record *records, uint32_t capacity);
	uint32_t (*threads)(void *context, uint32_t after_id, struct uni_thread_record *records,
			    uint32_t capacity, uint32_t *total);

	/* The log holds the records *oldest to *next - 1. read fills record and up to
	 * UNI_PROBE_LOG_TEXT_MAX bytes of text, and returns false when it is gone. */
	void (*log_range)(void *context, uint64_t *oldest, uint64_t *next);
	bool (*log_read)(void *context, uint64_t sequence, struct uni_log_record *record,
			 char *text);

	/* Whether all CPUs still take interrupts: asked before each heartbeat, which is left out
	 * when the answer is no, so that the host finds a guest hung of which a part lives. NULL:
	 * yes. */
	bool (*is_alive)(void *context);

	/* The host asked; called when the reply is out, or cannot be. Need not return. */
	void (*crash)(void *context, enum uni_panic_kind kind);
	void (*shutdown)(void *context);

	const struct uni_probe_trace_ops *trace; /* NULL: none */
};

/* What does not change in one life of the guest. Texts are the platform's and stay. */
struct uni_probe_identity {
	uint8_t boot_id[UNI_BOOT_ID_SIZE];
	uint8_t build_id[UNI_BUILD_ID_MAX];
	uint32_t build_id_len;
	uint32_t cpu_count;
	uint32_t features; /* UNI_FEATURE_* */
	uint32_t trace_packet_size;
	uint64_t tsc_hz;
	uint64_t memory_size;
	enum uni_clock_method clock_method;
	const char *application;
	const char *kernel;
	const char *cmdline;
};

struct uni_probe {
	const struct uni_probe_ops *ops;
	void *context;
	const struct uni_probe_identity *identity;
	struct uni_metrics *metrics;

	bool opened;  /* set by uni_probe_opened(), from any context */
	uint32_t due; /* frames to send: bits of probe_internal.h */
	uint32_t interval_ms;
	uint64_t next_beat_ns;
	uint32_t metrics_sent; /* how many the last METRIC_TABLE named */

	/* The thread table on its way: a table may take several frames. */
	uint32_t threads_after_id;
	uint64_t threads_tsc;
	uint64_t threads_time_ns;

	uint64_t log_next; /* the next record to send */
	uint64_t log_lost;

	bool reply_due;
	uint32_t reply_sequence;
	int reply_status;
	const char *reply_text;

	struct uni_frame_reader reader;
	const uint8_t *input_at; /* what of `input` was not looked at yet */
	size_t input_len;
	uint8_t input[256];
	_Alignas(8) uint8_t request[UNI_PROBE_REQUEST_MAX];
	_Alignas(8) uint8_t buffer[UNI_PROBE_BUFFER_SIZE]; /* one frame in the making */
};

/* The probe, ops, identity and metrics are the caller's and stay; ops and identity do not change.
 * The first poll says hello. */
void uni_probe_init(struct uni_probe *probe, const struct uni_probe_ops *ops, void *context,
		    const struct uni_probe_identity *identity, struct uni_metrics *metrics);

/* The host opened its side of the port: whoever listens knows nothing yet, so hello, tables and the
 * whole log go out at the next poll. Any context. */
void uni_probe_opened(struct uni_probe *probe);

/* Reads and answers requests, sends what is due. Returns when to call again, in ops->time_ns. */
uint64_t uni_probe_poll(struct uni_probe *probe);

/* Sends what is left of the log and the application's status, once, as far as there is room. From
 * the polling thread, or when it does not run any more. */
void uni_probe_bye(struct uni_probe *probe, int status);
