/* SPDX-License-Identifier: MIT */
/*
 * The supervisor: one process a guest. It holds the guest's RAM, owns QMP and the ports, serves
 * clients over the sockets of the runtime folder, collects the dump of a guest that dies, and never
 * waits for a client. It takes the whole thread; its caller forks it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host-tools/lib/error.h"
#include "host-tools/lib/image.h"
#include "host-tools/lib/launch.h"

struct uni_supervisor_options {
	const char *name;
	const struct uni_image *image;
	enum uni_machine machine;
	enum uni_accel accel; /* resolved: not AUTO */
	uint32_t cpus;
	uint32_t memory_mib;
	const char *arguments;	  /* the guest's command line */
	uint64_t hang_timeout_ms; /* 0: never take a silent guest for hung */

	/*
	 * Called once the sockets are there and QEMU runs (`started`), and once the guest has said
	 * hello or, where it has no probe, its first line (`booted`). Either may be NULL.
	 */
	void (*started)(void *context);
	void (*booted)(void *context);
	void *context;

	/* Any byte on it asks for a stop in order, a second one for a stop at once; so does its
	 * end when stop_at_eof is set. -1: none. */
	int control_fd;
	bool stop_at_eof;

	/* A connected socket that gets the console from its first byte on; taken over. -1: none. */
	int console_fd;
};

/* How a life ended. */
struct uni_guest_ending {
	bool clean;		/* it ended by itself with status 0, or because it was asked to */
	bool booted;		/* it had got as far as `booted` */
	char cause[1024];	/* one line for people, where it is not clean */
	char last_line[256];	/* of its console, printable; empty: none */
	uint64_t dump_id;	/* 0: there is no dump */
	bool dump_complete;	/* of that dump */
	char dump_failure[512]; /* why it is missing or not whole; empty: nothing failed */
};

/* Returns 0 with *ending filled, or a negative code when the guest could not be started at all.
 * Nothing runs and nothing is left in the runtime folder when it returns. */
int uni_supervisor_run(const struct uni_supervisor_options *options,
		       struct uni_guest_ending *ending, struct uni_error *error);
