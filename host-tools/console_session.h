/* SPDX-License-Identifier: MIT */
/*
 * A guest's console on this terminal: what it prints is made printable and shown, lines that are
 * typed are sent. Ctrl-C and the end of the input are the caller's: `console` leaves, `run` stops.
 */
#pragma once

#include <stdbool.h>

#include "host-tools/lib/error.h"
#include "host-tools/run_report.h"

struct console_session {
	int console_fd; /* connected to the console; taken over */
	int control_fd; /* of `run`; -1 for `console` */
};

/*
 * Runs until the guest ends or, without a control_fd, until Ctrl-C or the end of the input. With a
 * control_fd *report becomes the last report of the supervisor. Returns 0 or a negative code.
 */
int console_session_run(const struct console_session *session, struct run_report *report,
			struct uni_error *error);
