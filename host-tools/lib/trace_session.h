/* SPDX-License-Identifier: MIT */
/*
 * A trace session of a running guest, through its supervisor: from the guest's hello to its own
 * counts at the end.
 *
 *	open, (match tracepoints), start, receive..., stop, close
 *
 * Closing a session that runs stops it: the supervisor does so when the connection ends.
 */
#pragma once

#include <stdint.h>

#include "host-tools/lib/error.h"
#include "host-tools/lib/recording.h"
#include "host-tools/lib/trace_info.h"

struct uni_trace_session;

/* Connects, and learns what the guest is. The image that the guest was started from must still be
 * the same, as its file names the tracepoints. */
int uni_trace_session_open(const char *guest, struct uni_trace_session **out,
			   struct uni_error *error) __attribute__((warn_unused_result));

/* NULL is fine. */
void uni_trace_session_close(struct uni_trace_session *session);

/* Counts rise while packets come. */
const struct uni_trace_info *uni_trace_session_info(const struct uni_trace_session *session);

/* Begins to record what is set in the bitmap (info->points.count bits). */
int uni_trace_session_start(struct uni_trace_session *session, const uint8_t *bitmap,
			    struct uni_recording *recording, struct uni_error *error)
	__attribute__((warn_unused_result));

/* Takes what comes within timeout_ms. Returns 0; -UNI_EIO when the guest is gone; an error of the
 * recording. */
int uni_trace_session_receive(struct uni_trace_session *session, int timeout_ms,
			      struct uni_error *error) __attribute__((warn_unused_result));

/* Ends the recording: everything that the guest recorded has come, and info holds its counts, when
 * this returns 0. */
int uni_trace_session_stop(struct uni_trace_session *session, struct uni_error *error)
	__attribute__((warn_unused_result));
