/* SPDX-License-Identifier: MIT */
/* Shared by the files of the probe: what is due, and the payloads. */
#pragma once

#include "guest-probe/probe.h"

/* In the order in which they are sent. */
enum {
	DUE_HELLO = 1u << 0,
	DUE_METRIC_TABLE = 1u << 1,
	DUE_TRACEPOINTS = 1u << 2,
	DUE_METRICS = 1u << 3,
	DUE_CPUS = 1u << 4,
	DUE_THREADS = 1u << 5,
	DUE_LOG = 1u << 6,

	DUE_GREETING = DUE_HELLO | DUE_METRIC_TABLE | DUE_TRACEPOINTS,
	DUE_SNAPSHOT = DUE_METRICS | DUE_CPUS | DUE_THREADS | DUE_LOG,
};

/* Marks frames as due. */
void uni_probe_want(struct uni_probe *probe, uint32_t due);

/* Answers the request in probe->reader: sets the reply and marks what follows it as due. Returns
 * the request when it is one to act on after the reply (CRASH, SHUTDOWN), else 0. */
uint16_t uni_probe_answer(struct uni_probe *probe);

/* Append payloads to a frame. */
void uni_probe_put_hello(const struct uni_probe *probe, struct uni_frame_writer *out);
void uni_probe_put_cpus(const struct uni_probe *probe, uint64_t tsc, uint64_t time_ns,
			struct uni_frame_writer *out);
void uni_probe_put_tracepoints(const struct uni_probe *probe, struct uni_frame_writer *out);

/* Appends as many threads above *after_id as fit, and moves *after_id to the last of them. Returns
 * the table, whose count is 0 when there are no more; NULL when not even one fits. */
struct uni_table *uni_probe_put_threads(const struct uni_probe *probe, uint64_t tsc,
					uint64_t time_ns, uint32_t *after_id,
					struct uni_frame_writer *out);

/* Appends as many records from *next on as fit, moves *next past them, and adds to *lost those that
 * were overwritten. Returns how many it put. */
uint32_t uni_probe_put_log(const struct uni_probe *probe, uint64_t *next, uint64_t *lost,
			   struct uni_frame_writer *out);
