/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/histogram.h"

#include <stddef.h>

#define STEPS (1u << UNI_HISTOGRAM_STEP_BITS)

/* Values below STEPS have a bucket each; above, the highest bit and the STEP_BITS after it count.
 */
static size_t bucket_of(uint64_t value)
{
	unsigned shift;

	if (value < STEPS)
		return (size_t)value;
	shift = 63u - (unsigned)__builtin_clzll(value) - UNI_HISTOGRAM_STEP_BITS;
	return ((size_t)(shift + 1) << UNI_HISTOGRAM_STEP_BITS) + (size_t)(value >> shift) - STEPS;
}

static uint64_t bucket_end(size_t bucket)
{
	size_t shift = bucket >> UNI_HISTOGRAM_STEP_BITS;

	if (shift == 0)
		return bucket;
	return ((((uint64_t)(bucket & (STEPS - 1)) + STEPS + 1) << (shift - 1)) - 1);
}

void uni_histogram_add(struct uni_histogram *histogram, uint64_t value)
{
	histogram->count++;
	histogram->total += value;
	if (value > histogram->max)
		histogram->max = value;
	histogram->buckets[bucket_of(value)]++;
}

uint64_t uni_histogram_permille(const struct uni_histogram *histogram, unsigned permille)
{
	/* In parts, as the product may not fit. */
	uint64_t rank = histogram->count / 1000 * permille +
			(histogram->count % 1000 * permille + 999) / 1000;
	uint64_t seen = 0;

	for (size_t i = 0; i < UNI_HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen >= rank && histogram->buckets[i] > 0)
			return bucket_end(i) < histogram->max ? bucket_end(i) : histogram->max;
	}
	return histogram->max;
}
