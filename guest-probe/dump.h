/* SPDX-License-Identifier: MIT */
/*
 * The dump of a panic: PANIC, DUMP_BEGIN, DUMP_DATA..., DUMP_END on the probe's port, the core file
 * of core_writer.h inside.
 *
 * Called once, on the panicking CPU, with the world stopped: interrupts off and every other CPU
 * held for good. The probe may have been stopped in the middle of a poll, so of it only the buffer
 * and what never changes is used.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "guest-probe/core_writer.h"
#include "guest-probe/probe.h"

/* The most parts of one frame. */
#define UNI_DUMP_IOV_MAX 2

struct uni_iov {
	const void *base;
	size_t len;
};

struct uni_dump_ops {
	/* One frame, in parts, in a bounded time. Returns 0, or a negative UNI_E* when the host
	 * does not take it: nothing more is sent then. */
	int (*write)(void *context, const struct uni_iov *iov, unsigned count);

	/* As in struct uni_core_ops. */
	uint64_t (*view)(void *context, uint64_t address, size_t len, const void **bytes);
	void (*thread)(void *context, uint32_t index, struct uni_core_thread *thread);
};

/* What the platform knows about the panic; header_size and reason_len of `record` are set here. */
struct uni_dump_panic {
	struct uni_panic_record record;
	const char *reason;
	uint32_t thread_count; /* that `thread` can be asked for; at least 1 */
	uint32_t range_count;
	const struct uni_core_range *ranges; /* RAM; leave page 0 out, so that NULL reads as such */
	uint64_t image_address;
};

/* Storage of one dump, the caller's: larger than a fault stack. */
struct uni_dump {
	struct uni_probe *probe;
	const struct uni_dump_ops *ops;
	void *context;
	const struct uni_dump_panic *panic;
	uint64_t sent; /* bytes of the core file */
	struct uni_core_info info;
	struct uni_core_writer writer;
	uint8_t staging[4096];
};

/* Sends the whole of it. probe's ops for CPUs, threads and log, and its metrics, are called, so
 * they must work in a stopped world. Returns 0, or what stopped it. */
int uni_dump_send(struct uni_dump *dump, struct uni_probe *probe, const struct uni_dump_ops *ops,
		  void *context, const struct uni_dump_panic *panic);
