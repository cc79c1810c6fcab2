/* SPDX-License-Identifier: MIT */
/*
 * The guests of this host as unitop knows them: who runs, what each said, and its last two minutes.
 * Knows no terminal. One event loop drives it:
 *
 *	model_refresh(&model, now);                     each interval: looks for guests, asks each
 *	poll(fds, model_fill_poll(&model, fds, max));
 *	model_receive(&model, false, now);              takes in what came
 *
 * A guest whose supervisor is gone stays listed with the last that was known of it, until a guest
 *of the same name starts.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host-tools/lib/guest_client.h"
#include "host-tools/lib/guest_model.h"
#include "host-tools/lib/registry.h"
#include "tui/history.h"
#include "tui/host_load.h"

/* More are not looked at; the header says how many there are. */
#define MODEL_GUESTS_MAX 256

struct guest {
	uint64_t id; /* never used twice */
	char name[UNI_GUEST_NAME_SIZE];
	char machine[16];
	char accel[8];
	pid_t supervisor_pid;
	uint32_t memory_mib;

	struct uni_client *client; /* NULL: its supervisor is gone */
	struct uni_model model;
	uint64_t asked_ns; /* for a snapshot that has not come yet; 0: none */
	uint64_t taken;	   /* snapshots of the model that are in the histories */

	struct history cpu;	 /* share, 0 to 1 */
	struct history heap;	 /* bytes in use */
	struct history requests; /* a second */
	struct history latency;	 /* p99, nanoseconds */
};

struct model {
	struct guest **guests; /* in the order in which they were found */
	size_t count;
	size_t total; /* guests that run, those not looked at too */
	uint64_t next_id;
	struct host_load host;
	struct history cpu; /* of all guests, in CPUs */
	uint64_t interval_ns;
	uint64_t now_ns;   /* when something last came or was asked for */
	char trouble[160]; /* why guests cannot be listed; "": they can */
};

/* interval_ns is what is asked for between two snapshots: a guest that is silent for longer is
 * called so. */
void model_init(struct model *model, uint64_t interval_ns);
void model_fini(struct model *model);

/* Looks for guests that came and went, and asks each for a snapshot. */
void model_refresh(struct model *model, uint64_t now_ns);

/* Descriptors of the guests for poll(2), at most `max`; returns how many. */
size_t model_fill_poll(const struct model *model, struct pollfd *fds, size_t max);

/* Takes in what the guests sent, without waiting. While `still`, numbers stay as they are; states,
 * deaths and the log do not. True: something came that should be seen at once. */
bool model_receive(struct model *model, bool still, uint64_t now_ns);

/* Every guest that runs has answered the last snapshot, or cannot now. */
bool model_is_settled(const struct model *model);

/* NULL: there is none. */
struct guest *model_guest(const struct model *model, const char *name);

/* Guests whose state it is (enum uni_guest_run_state). */
size_t model_count_state(const struct model *model, uint32_t state);

/* enum uni_guest_run_state: what the supervisor says, and what its end means; 0 before it said any.
 */
uint32_t guest_state(const struct guest *guest);

/* Share of its CPUs' time that the guest was runnable and the host ran something else. */
bool guest_starved(const struct guest *guest, double *share);

/* Growth of the heap in bytes per second; *steady: it is a straight line, as of a leak. */
bool guest_heap_growth(const struct guest *guest, double *per_s, bool *steady);

/* How many things of any kind were lost on the way here. */
uint64_t guest_lost(const struct guest *guest);

/*
 * What an operator should know of it first, in one line; "" when nothing stands out. Returns out,
 * and in *severity 0 (for information), 1 (look at it) or 2 (it is broken).
 */
const char *guest_note(const struct guest *guest, uint64_t interval_ns, uint64_t now_ns, char *out,
		       size_t size, int *severity);
