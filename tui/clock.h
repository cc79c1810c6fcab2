/* SPDX-License-Identifier: MIT */
/* The one clock of unitop: CLOCK_MONOTONIC in nanoseconds. */
#pragma once

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Milliseconds for poll(2) that do not end before the moment has come. */
static inline int clock_poll_timeout(uint64_t now_ns, uint64_t until_ns)
{
	uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
	uint64_t left_ms = (left_ns + 999999) / 1000000;

	return left_ms > 60000 ? 60000 : (int)left_ms;
}
