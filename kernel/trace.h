/* SPDX-License-Identifier: MIT */
#pragma once

/* The kernel's side of tracing: a ring for each CPU, the thread "trace" that sends full sub-buffers
 * to PORT_NAME_TRACE, and what the control channel asks of it.
 *
 * A session runs from trace_start() to trace_stop(); its counters begin at 0. Tracepoints may be
 * switched at any time and record only while a session runs.
 *
 * Functions without another word: thread context, interrupts on, no spinlock held; calls from
 * several threads take turns. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest-probe/probe_abi.h"
#include "tracing/ring.h"

/* Brings the tracing up. In thread "main", after port_init(), before app_main(). */
void trace_init(void);

/* The boot id, UNI_BOOT_ID_SIZE bytes, which is the UUID of the trace; before the first session. */
void trace_set_boot_id(const uint8_t *boot_id);

/* Begins a session. Returns 0; -UNI_EINVAL (unknown mode); -UNI_EBUSY (a session runs, or its end
 * is still being sent); -UNI_ENOTSUP (stream mode without a trace port); -UNI_ENOMEM (there was no
 * memory for rings at boot). */
int trace_start(enum uni_trace_mode mode);

/* Turns every tracepoint off and ends the session. What the rings hold and then a
 * UNI_FRAME_TRACE_STATS go out on the trace port after the return. Returns 0, or -UNI_ENOENT (no
 * session). */
int trace_stop(void);

/* Tracepoints that there are, and their state: bit n % 8 of byte n / 8 is the one with the id n.
 * Any context. */
uint32_t trace_point_count(void);

/* Switches so that exactly those in the bitmap are on; ids beyond `count` are off. Returns 0;
 * -UNI_EINVAL (count is more than trace_point_count()); -UNI_EBUSY (some sites are covered by a
 * breakpoint of the debugger and stayed as they were). */
int trace_points_set(const uint8_t *bitmap, uint32_t count);

/* Copies the bitmap, (trace_point_count() + 7) / 8 bytes at most `size`. Any context. */
void trace_points_get(uint8_t *bitmap, size_t size);

/* Bytes of a sub-buffer; 0 when there is no memory for rings. Any context. */
uint32_t trace_packet_size(void);

/* The ring of a CPU, NULL when there is none; for the dump and for metrics. Any context. */
const struct uni_ring *trace_ring(unsigned cpu);

/* Whether code in [address, address + len) is changed where tracepoints are switched. Any context.
 */
bool trace_switches(uintptr_t address, size_t len);

/* Asked by the trap handler on #BP that is not the debugger's, with the address after the
 * breakpoint. True: it was that of a site being switched, and the code goes on at *resume. Any
 * context. */
bool trace_breakpoint(uintptr_t after, uintptr_t *resume);
