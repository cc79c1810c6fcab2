/* SPDX-License-Identifier: MIT */
#pragma once

/* Between trace.c (sessions, switching), trace_send.c (the thread "trace") and tracepoints.c. */

#include <stdbool.h>
#include <stdint.h>

#include "guest-probe/probe_abi.h"
#include "kernel/cpu.h"
#include "tracing/ring.h"

/* NULL where there is no memory for them; never changed after trace_init(). */
extern struct uni_ring *trace_rings[CPU_MAX];

/* Prepares the sender and starts its thread. subbuffer_count: of each ring. Once. */
void trace_send_init(unsigned subbuffer_count);

/* Whether the host can be sent anything. */
bool trace_send_possible(void);

/* True until everything of the last session is out. Any context. */
bool trace_send_busy(void);

/* A session began: packets go out as they fill (stream) or when it ends (overwrite). */
void trace_send_begin(enum uni_trace_mode mode);

/* Every ring has been stopped: the rest goes out, then the statistics. */
void trace_send_end(void);
