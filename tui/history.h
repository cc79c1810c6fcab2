/* SPDX-License-Identifier: MIT */
/* The last two minutes of one number, a sample a second, for sparklines and slopes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTORY_SECONDS 120

/* Zero-initialise it. */
struct history {
	double samples[HISTORY_SECONDS];
	uint64_t last_s; /* second of the newest sample */
	size_t count;	 /* samples there are */
};

/* The value at a moment. Seconds that were left out since the last one get it too: what is put here
 * is an average or a level since then. Several in one second: the last one counts. A gap longer
 * than the history, and a clock that goes back, begin anew. */
void history_put(struct history *history, uint64_t now_ns, double value);

/* The sample `age` seconds before the newest; false: there is none. */
bool history_get(const struct history *history, size_t age, double *value);

double history_max(const struct history *history);

/*
 * Change per second by least squares over all samples. *fit (0 to 1) says how much of the variation
 * the straight line explains. False with fewer than two samples.
 */
bool history_slope(const struct history *history, double *per_s, double *fit);
