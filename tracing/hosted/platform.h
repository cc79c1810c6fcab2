/* SPDX-License-Identifier: MIT */
/*
 * Tracing in a process: a thread is a CPU, its signal handlers are interrupts and NMIs. For unit
 * tests and benchmarks. Include it before the header of the tracepoints that the file defines.
 */
#pragma once

#include <stddef.h>

#include "tracing/platform.h"
#include "tracing/ring.h"

/* The calling thread's ring; NULL: it records nothing. */
extern _Thread_local struct uni_ring *uni_hosted_ring;

/* Text by mprotect(2), sync by membarrier(2): for uni_points_init(). The process needs a handler of
 * SIGTRAP that asks uni_points_trap() when threads run through sites meanwhile. */
extern const struct uni_text_ops uni_hosted_text;

static inline struct uni_ring *uni_platform_pin(void)
{
	return uni_hosted_ring;
}

static inline void uni_platform_unpin(void)
{
}
