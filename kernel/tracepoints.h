/* SPDX-License-Identifier: MIT */
#pragma once

/* Every tracepoint of the kernel and of the applications, each a function uni_trace_SYMBOL(). Names
 * are "group:event"; the fields are what docs/formats/trace.md and `uniscope report` know them by.
 * Thread fields are thread ids, `site` fields are code addresses. */

#include "tracing/tracepoint.h"

/* prev_state is an enum thread_state: why it left the CPU. */
UNI_TRACEPOINT(sched_switch, "sched:switch", (u32, prev), (u32, next), (u8, prev_state))
UNI_TRACEPOINT(sched_wakeup, "sched:wakeup", (u32, thread), (u32, target_cpu))
UNI_TRACEPOINT(sched_migrate, "sched:migrate", (u32, thread), (u32, from_cpu), (u32, to_cpu))
UNI_TRACEPOINT(sched_thread_start, "sched:thread_start", (u32, thread), (str, name))
UNI_TRACEPOINT(sched_thread_exit, "sched:thread_exit", (u32, thread), (s32, code))

UNI_TRACEPOINT(irq_enter, "irq:enter", (u32, vector))
UNI_TRACEPOINT(irq_exit, "irq:exit", (u32, vector))

/* late_ns: how long after its deadline it fired. */
UNI_TRACEPOINT(timer_arm, "timer:arm", (x64, timer), (u64, deadline_ns))
UNI_TRACEPOINT(timer_fire, "timer:fire", (x64, timer), (u64, late_ns))

/* Contended locks only: a thread begins to wait, got the lock after that, gave up a lock that
 * somebody waits for. */
UNI_TRACEPOINT(lock_wait, "lock:wait", (x64, lock), (u32, owner), (x64, site), (str, name))
UNI_TRACEPOINT(lock_acquired, "lock:acquired", (x64, lock), (u64, waited_ns))
UNI_TRACEPOINT(lock_release, "lock:release", (x64, lock), (u64, held_ns))

UNI_TRACEPOINT(heap_alloc, "heap:alloc", (x64, block), (u64, size), (x64, site))
UNI_TRACEPOINT(heap_free, "heap:free", (x64, block), (x64, site))

/* Ports in shared use only: the stub and the dump send with the world stopped, perhaps in the
 * middle of switching a site. buffers: given to the device since boot; lent: that it gave back just
 * now. */
UNI_TRACEPOINT(virtio_kick, "virtio:kick", (str, port), (u64, buffers))
UNI_TRACEPOINT(virtio_used, "virtio:used", (str, port), (u32, lent))

/* For applications: `kind` is the application's own number for a kind of request. */
UNI_TRACEPOINT(app_request_begin, "app:request_begin", (u64, id), (u32, kind))
UNI_TRACEPOINT(app_request_end, "app:request_end", (u64, id), (u32, kind))
UNI_TRACEPOINT(app_phase, "app:phase", (str, name))
