/* SPDX-License-Identifier: MIT */
/*
 * The one way in which bytes of a guest, a wire or a file are read: little-endian, bounds-checked.
 *
 * A cursor that was asked for more than it has fails for good: that read and all after it give zero
 * (or NULL), so a parser reads a whole structure and asks uni_cursor_failed() once. Loops over
 * counts taken from the input must ask in each round. A cursor does not own its bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host-tools/lib/error.h"

struct uni_cursor {
	const uint8_t *next;
	size_t left;	  /* bytes */
	size_t offset;	  /* of `next` from the start of the outermost cursor */
	const char *what; /* for errors: "THREADS frame", "note of shop.core"; outlives it */
	bool failed;
	size_t failed_offset; /* where a read did not fit */
	size_t failed_wanted; /* bytes */
};

void uni_cursor_init(struct uni_cursor *cursor, const void *data, size_t len, const char *what);

uint8_t uni_cursor_u8(struct uni_cursor *cursor);
uint16_t uni_cursor_u16(struct uni_cursor *cursor);
uint32_t uni_cursor_u32(struct uni_cursor *cursor);
uint64_t uni_cursor_u64(struct uni_cursor *cursor);

/* The next len bytes in place, valid as long as the cursor's data; NULL on failure. */
const void *uni_cursor_bytes(struct uni_cursor *cursor, size_t len);

void uni_cursor_skip(struct uni_cursor *cursor, size_t len);

/* Skips to the next multiple of `alignment` (a power of two), counted from the outermost start. */
void uni_cursor_align(struct uni_cursor *cursor, size_t alignment);

/*
 * A fixed field of size bytes, padded with NULs and perhaps without any: copied to out, which holds
 * size + 1 bytes, always terminated. Not sanitized: it may be compared as it is.
 */
void uni_cursor_string(struct uni_cursor *cursor, size_t size, char *out);

/*
 * A structure that may be shorter or longer in the input than the one known here: takes wire_size
 * bytes, copies what fits into out, and leaves the rest of out zero.
 */
void uni_cursor_struct(struct uni_cursor *cursor, size_t wire_size, void *out, size_t out_size);

/* A cursor over the next len bytes, which this one skips. Failed when they are not there. */
struct uni_cursor uni_cursor_sub(struct uni_cursor *cursor, size_t len, const char *what);

/* Declares the input wrong at this place for a reason of the caller's. */
void uni_cursor_fail(struct uni_cursor *cursor);

static inline bool uni_cursor_failed(const struct uni_cursor *cursor)
{
	return cursor->failed;
}

/* 0, or -UNI_EINVAL with an error that names the place. */
int uni_cursor_check(const struct uni_cursor *cursor, struct uni_error *error);
