/* SPDX-License-Identifier: MIT */
/*
 * The rate of a counter, by differences between two looks at it. Looks that come closer together
 * than min_ns (several clients may ask for snapshots) leave the rate as it was, so that it is never
 * a quotient of two small numbers. A counter or a clock that goes back starts anew.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Zero-initialise it. */
struct uni_rate {
	uint64_t base_value;
	uint64_t base_ns;
	bool has_base;
	bool known;   /* per_s holds something */
	double per_s; /* never negative */
};

static inline void uni_rate_update(struct uni_rate *rate, uint64_t value, uint64_t now_ns,
				   uint64_t min_ns)
{
	bool went_back = now_ns < rate->base_ns || value < rate->base_value;

	if (rate->has_base && !went_back) {
		uint64_t elapsed_ns = now_ns - rate->base_ns;

		if (elapsed_ns == 0 || elapsed_ns < min_ns)
			return;
		rate->per_s = (double)(value - rate->base_value) * 1e9 / (double)elapsed_ns;
		rate->known = true;
	} else {
		rate->known = false;
	}
	rate->base_value = value;
	rate->base_ns = now_ns;
	rate->has_base = true;
}
