/* SPDX-License-Identifier: MIT */
/*
 * Durations in fixed memory, of any number: buckets of which each is 1/16 of its power of two wide,
 * so that a percentile is at most 6.25 % too high and never too low. Zero-initialise it.
 */
#pragma once

#include <stdint.h>

#define UNI_HISTOGRAM_STEP_BITS 4
#define UNI_HISTOGRAM_BUCKETS ((64 - UNI_HISTOGRAM_STEP_BITS + 1) << UNI_HISTOGRAM_STEP_BITS)

struct uni_histogram {
	uint64_t count;
	uint64_t total;
	uint64_t max;
	uint32_t buckets[UNI_HISTOGRAM_BUCKETS];
};

void uni_histogram_add(struct uni_histogram *histogram, uint64_t value);

/* The value that `permille` of all are not above; 0 when there is none. */
uint64_t uni_histogram_permille(const struct uni_histogram *histogram, unsigned permille);
