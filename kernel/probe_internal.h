/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by the files of the kernel's side of the probe. */

#include <stdint.h>

#include "guest-probe/probe.h"
#include "kernel/panic.h"
#include "kernel/port.h"

/* The one probe, its port (NULL: none) and its thread. */
extern struct uni_probe probe;
extern struct uni_metrics probe_metrics;
extern struct port *probe_port;
extern struct thread *probe_thread;

/* probe_records.c: what the probe asks about CPUs, threads and the log. They take locks while the
 * kernel runs and none after a panic. */
uint32_t probe_cpus(void *context, struct uni_cpu_record *records, uint32_t capacity);
uint32_t probe_threads(void *context, uint32_t after_id, struct uni_thread_record *records,
		       uint32_t capacity, uint32_t *total);
void probe_log_range(void *context, uint64_t *oldest, uint64_t *next);
bool probe_log_read(void *context, uint64_t sequence, struct uni_log_record *record, char *text);

/* probe_alive.c: every CPU took an interrupt since it was last asked. The probe's thread. */
bool probe_is_alive(void *context);

/* probe_trace.c */
extern const struct uni_probe_trace_ops probe_trace_ops;

/* probe_metrics.c: registers the kernel's own. */
void probe_metrics_init(void);

/* probe_nmi.c: panics as the CPU that is to blame. Thread context; does not return. */
void probe_crash(void *context, enum uni_panic_kind kind);

enum uni_panic_kind probe_panic_kind(enum panic_kind kind);
