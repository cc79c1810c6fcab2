/* SPDX-License-Identifier: MIT */

#include "kernel/cpu.h"
#include "kernel/trace_internal.h"

static inline struct uni_ring *uni_platform_pin(void)
{
	preempt_disable();
	return trace_rings[cpu_id()];
}

static inline void uni_platform_unpin(void)
{
	preempt_enable();
}

#define UNI_TRACEPOINT_DEFINE
#include "kernel/tracepoints.h"
