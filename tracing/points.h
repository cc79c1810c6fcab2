/* SPDX-License-Identifier: MIT */
/*
 * Switching tracepoints: rewriting their sites while any CPU may be executing them.
 *
 * A site holds a 5-byte nop or a jump. It is changed by the breakpoint protocol (Intel SDM vol. 3,
 * 8.1.3; also AMD's, vol. 2, 7.6.1): a breakpoint over the first byte, sync, the other bytes, sync,
 * the first byte, sync. All sites that change go through the three steps together. A CPU that runs
 * into the breakpoint asks uni_points_trap(), which lets it go on as if the site were off, or on if
 * that is what it holds by then.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tracing/platform.h"
#include "tracing/trace_abi.h"

#define UNI_POINTS_BITMAP_SIZE (UNI_TRACE_EVENTS_MAX / 8)

struct uni_points {
	const struct uni_trace_site *sites;
	size_t site_count;
	uint32_t event_count;
	const struct uni_text_ops *text;
	uint8_t on[UNI_POINTS_BITMAP_SIZE];
	uint8_t changing[UNI_POINTS_BITMAP_SIZE]; /* by the call of uni_points_set() that runs */
};

/* The tracepoints of this image, all off. Call it once, before any other function here. Returns 0,
 * or -UNI_ERANGE when the image has more than UNI_TRACE_EVENTS_MAX of them. */
int uni_points_init(struct uni_points *points, const struct uni_text_ops *text)
	__attribute__((warn_unused_result));

/* Switches so that exactly the ids in the bitmap (bit n % 8 of byte n / 8; count bits) are on.
 * Calls take turns; the context is what the platform's sync() needs. Returns 0; -UNI_EINVAL (count
 * is more than event_count); -UNI_EBUSY (somebody else, a debugger, has put other code over a site
 * of some event to be switched: such events stay as they were, all others are switched); or what
 * write() returned first. */
int uni_points_set(struct uni_points *points, const uint8_t *bitmap, uint32_t count)
	__attribute__((warn_unused_result));

/* Asked on each breakpoint trap, with the address of the byte after the breakpoint. True: it was
 * that of a site, and execution goes on at *resume. Any context, any CPU; time grows with the
 * number of sites. */
bool uni_points_trap(const struct uni_points *points, uintptr_t after, uintptr_t *resume);

/* Whether a site has any of [address, address + len). Any context. */
bool uni_points_overlap(const struct uni_points *points, uintptr_t address, size_t len);
