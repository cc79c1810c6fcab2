/* SPDX-License-Identifier: MIT */

#include "kernel/arch/x86_64/pit.h"

#include "kernel/arch/x86_64/io.h"

#include <stddef.h>

#define PIT_HZ 1193182ull
#define CHANNEL0 0x40
#define COMMAND 0x43
#define CHANNEL0_RATE \
	0x34 /* both bytes, mode 2: counts down from the reload value, over and over */
#define CHANNEL0_LATCH 0x00
#define PERIOD 0x10000

#define MEASURE_COUNTS (PIT_HZ / 250) /* 4 ms */
#define READS 16
#define FRACTION 256	 /* of a count, in sample.count */
#define STUCK_AFTER 1000 /* samples, some 10 us each, without a change */
#define AGREE 256	 /* measurements that are no further apart than this part of them */
#define MEASUREMENTS_MAX 16

struct read {
	uint64_t tsc;
	uint64_t took; /* between the readings of the TSC around it */
	uint32_t count;
};

/* What the PIT has counted, and the TSC at that moment. Both are means of several readings: a count
 * is a microsecond long, a mean tells its fractions. */
struct sample {
	uint64_t tsc;
	uint32_t count;
};

static struct read read_count(void)
{
	uint64_t before = tsc_read();
	uint64_t after;
	uint32_t count;

	io_out8(COMMAND, CHANNEL0_LATCH);
	after = tsc_read();
	count = io_in8(CHANNEL0);
	count |= (uint32_t)io_in8(CHANNEL0) << 8;
	return (struct read){before + (after - before) / 2, after - before, count};
}

/* The host may take the CPU away while the port is read: only the quickest readings count. */
static struct sample take_sample(void)
{
	struct read reads[READS];
	uint64_t quickest = UINT64_MAX;
	uint64_t tsc = 0;
	uint32_t count = 0, kept = 0;

	for (size_t i = 0; i < READS; i++) {
		reads[i] = read_count();
		if (reads[i].took < quickest)
			quickest = reads[i].took;
	}
	for (size_t i = 0; i < READS; i++) {
		if (reads[i].took > quickest + quickest / 4)
			continue;
		tsc += reads[i].tsc - reads[0].tsc;
		count += (reads[0].count - reads[i].count) & (PERIOD - 1);
		kept++;
	}
	return (struct sample){reads[0].tsc + tsc / kept,
			       (PERIOD - reads[0].count) * FRACTION + count * FRACTION / kept};
}

static uint64_t measure(void)
{
	struct sample start = take_sample(), now;
	uint32_t counts;
	unsigned stuck = 0;

	do {
		now = take_sample();
		counts = (now.count - start.count) & (PERIOD * FRACTION - 1);
		if (counts == 0 && ++stuck == STUCK_AFTER)
			return 0;
	} while (counts < MEASURE_COUNTS * FRACTION);
	return (now.tsc - start.tsc) * PIT_HZ * FRACTION / counts;
}

/* Where the host took the CPU away for longer than the counter has numbers, a measurement is far
 * off what it should be: two in a row have to agree. */
uint64_t pit_tsc_hz(void)
{
	uint64_t before, hz, apart;

	io_out8(COMMAND, CHANNEL0_RATE);
	io_out8(CHANNEL0, 0);
	io_out8(CHANNEL0, 0);
	hz = measure();
	for (unsigned i = 0; hz != 0 && i < MEASUREMENTS_MAX; i++) {
		before = hz;
		hz = measure();
		apart = hz > before ? hz - before : before - hz;
		if (apart <= before / AGREE)
			return (before + hz) / 2;
	}
	return hz;
}
