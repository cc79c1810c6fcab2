/* SPDX-License-Identifier: MIT */
/*
 * Metrics: numbers that the application and the kernel show to the operator, by name.
 *
 *	static uint64_t orders;
 *	static struct uni_metric orders_metric = {
 *		.name = "shop.orders", .kind = UNI_METRIC_COUNTER, .value = &orders,
 *	};
 *
 * A metric is the caller's static storage and is never taken back. Names are words joined by dots,
 * shorter than 56 bytes. A counter only rises. The value is read at each heartbeat, from the
 *probe's thread, and once more in a panic, so a `read` callback takes no lock that a panic may find
 *held.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "guest-probe/frame.h"
#include "guest-probe/probe_abi.h"

struct uni_metric {
	const char *name;
	enum uni_metric_kind kind;
	enum uni_metric_unit unit;
	const volatile uint64_t *value;	 /* read as one aligned word; or NULL, and then: */
	uint64_t (*read)(void *context); /* called with `context` */
	void *context;
};

/* The metrics of one probe, in the caller's storage. Ids are 1 + the place in `slots`. */
struct uni_metrics {
	const struct uni_metric **slots;
	uint32_t capacity;
	uint32_t count; /* slots claimed; one that is claimed and not filled yet is NULL */
};

/* The most that one frame of UNI_PROBE_BUFFER_SIZE can name. */
#define UNI_METRICS_MAX 500

/* Takes `capacity` slots (at most UNI_METRICS_MAX), which the caller set to NULL. */
void uni_metrics_init(struct uni_metrics *metrics, const struct uni_metric **slots,
		      uint32_t capacity);

/* Any thread or interrupt handler, any number at once. Returns 0; -UNI_ENOSPC (all slots taken);
 * -UNI_EINVAL (no name, too long a name, neither value nor read). */
int uni_metrics_add(struct uni_metrics *metrics, const struct uni_metric *metric);

/* How many there are. Rises only: the table is worth sending again when it did. */
uint32_t uni_metrics_count(const struct uni_metrics *metrics);

/* Append the payloads of UNI_FRAME_METRIC_TABLE and UNI_FRAME_METRICS, taken at `tsc`, `time_ns`.
 */
void uni_metrics_put_table(const struct uni_metrics *metrics, uint64_t tsc, uint64_t time_ns,
			   struct uni_frame_writer *out);
void uni_metrics_put_values(const struct uni_metrics *metrics, uint64_t tsc, uint64_t time_ns,
			    struct uni_frame_writer *out);
