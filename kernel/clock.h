/* SPDX-License-Identifier: MIT */
#pragma once

/* Time: the TSC, taken to be constant and the same on every CPU (what QEMU gives with TCG and with
 * KVM), and a one-shot interrupt per CPU. */

#include <stdint.h>

#define CLOCK_NEVER UINT64_MAX

#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull
#define NS_PER_US 1000ull

enum clock_method {
	CLOCK_CPUID,	/* leaf 0x15, or the hypervisor's 0x40000010: exact */
	CLOCK_KVMCLOCK, /* the scale that KVM states: exact */
	CLOCK_PIT,	/* measured against the i8254: to some 50 ppm */
	CLOCK_ASSUMED,	/* nothing to measure with: 1 GHz, so durations are wrong by a factor */
};

/* Finds the rate; boot only, once, before anything asks for the time. */
void clock_init(void);

enum clock_method clock_get_method(void);
const char *clock_method_name(void); /* "cpuid", "kvmclock", "pit", "assumed" */
uint64_t clock_tsc_hz(void);

/* Nanoseconds since clock_init(); any context, NMI included. 0 before clock_init(). */
uint64_t clock_ns(void);
uint64_t clock_tsc(void);
uint64_t clock_tsc_to_ns(uint64_t tsc); /* of a moment after clock_init() */
uint64_t clock_ns_to_tsc(uint64_t ns);	/* rounded up */

/* clock_ns() + duration_ns, CLOCK_NEVER where that would pass it. */
uint64_t clock_deadline(uint64_t duration_ns);

/* Spins. Any context, after clock_init(). */
void clock_delay_ns(uint64_t duration_ns);
