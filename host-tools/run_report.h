/* SPDX-License-Identifier: MIT */
/*
 * Between `uniscope run` and the supervisor that it forks: a SOCK_SEQPACKET socket, on which the
 * supervisor tells how far the guest is, and the command asks for a stop with a byte.
 */
#pragma once

#include <stdbool.h>

#include "host-tools/lib/error.h"
#include "host-tools/lib/supervisor.h"

enum run_report_kind {
	RUN_REPORT_STARTED = 1, /* the sockets are there, QEMU runs */
	RUN_REPORT_BOOTED = 2,
	RUN_REPORT_ENDED = 3,  /* `ending` holds */
	RUN_REPORT_FAILED = 4, /* `error` holds: it could not be started */
};

struct run_report {
	enum run_report_kind kind;
	struct uni_guest_ending ending;
	struct uni_error error;
};

/* In the forked child: is the supervisor until the guest has ended, then exits. */
_Noreturn void run_report_supervise(const struct uni_supervisor_options *options, int control_fd,
				    bool detach);

/* Waits for the next report. Fails when the supervisor was killed. */
int run_report_receive(int control_fd, struct run_report *report, struct uni_error *error);
