/* SPDX-License-Identifier: MIT */
/*
 * Why a guest died, in words, from its panic record and the symbols of its image. The rules are in
 * uniscope-dumps(1), CAUSES.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "host-tools/lib/dump_store.h"
#include "host-tools/lib/symbols.h"
#include "host-tools/lib/unwind.h"

struct uni_crash_cause {
	/* "null pointer + 24 in order_price() order.c:96": for a list. */
	char headline[512];
	/* "order_price() read address 0x18, a null pointer + 24": one sentence without its stop. */
	char sentence[512];
	/* What equal crashes have in common: the kind and the functions that led there. */
	char signature[256];
	/* Where to look: the innermost function that is not the kernel's way of dying; has no
	 * function where nothing is known. */
	struct uni_symbol_frame blame;
};

/* `frames` are those of the thread that crashed, innermost first; `symbols` may be NULL. */
void uni_crash_cause_find(const struct uni_dump_info *info, const struct uni_symbols *symbols,
			  const struct uni_unwind_frame frames[], size_t frame_count,
			  struct uni_crash_cause *out);

/* Says the same of a fault through a null pointer by the names of the source: the variable that was
 * null, and the expression that was read or written through it. */
void uni_crash_cause_name_pointer(struct uni_crash_cause *cause, const struct uni_dump_info *info,
				  const char *variable, const char *expression);

/* The functions at a frame, as uni_symbols_lookup(). */
size_t uni_crash_frame_lookup(const struct uni_symbols *symbols,
			      const struct uni_unwind_frame *frame, struct uni_symbol_frame out[],
			      size_t max);

/* Functions that wait or die for others, as mutex_lock() or panic(): never the ones to look at. */
bool uni_crash_is_machinery(const char *function);
