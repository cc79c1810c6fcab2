/* SPDX-License-Identifier: MIT */
/*
 * Backtraces from a crash dump: the call frame information of the image (through libdwfl) applied
 * to the registers and the memory of the dump, across trap frames, and frame pointers where there
 * is none. Where a thread's pc is no code, as after a call through a null pointer, the caller is
 * taken from the top of its stack.
 *
 * The dump is hostile; the image is the operator's own. One thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host-tools/lib/core_reader.h"
#include "host-tools/lib/error.h"
#include "host-tools/lib/symbols.h"

struct uni_unwinder;

struct uni_unwind_frame {
	uint64_t pc;
	bool is_exact; /* the pc is the instruction itself, not the one after a call */
};

/* `symbols` are those of the image; they and the dump must stay until the unwinder is closed. */
int uni_unwinder_open(const char *image, const struct uni_symbols *symbols,
		      const struct uni_core_reader *core, struct uni_unwinder **out,
		      struct uni_error *error) __attribute__((warn_unused_result));

/* NULL is fine. */
void uni_unwinder_close(struct uni_unwinder *unwinder);

/* The frames of the thread (its place in the dump), innermost first; at most max. Returns how many,
 * at least one for a thread that exists. */
size_t uni_unwinder_walk(struct uni_unwinder *unwinder, size_t thread,
			 struct uni_unwind_frame frames[], size_t max);
