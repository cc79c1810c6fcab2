/* SPDX-License-Identifier: MIT */
/*
 * Text of a guest, made fit for a terminal: well-formed printable UTF-8 passes, everything else
 * becomes visible. Bytes of broken UTF-8 and control characters are written \xNN; the C1 controls
 * and the characters that reorder or hide text (bidirectional controls, zero-width) \uNNNN.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes len bytes of text to out (size bytes, at least 1), always terminated and never ending
 * within a character or an escape. Line breaks and tabs are escaped too: the result is one line.
 * Returns the bytes written, the terminator not counted.
 */
size_t uni_sanitize(char *out, size_t size, const char *text, size_t len);

/* The most bytes that one byte of input turns into; a buffer of len * this + 1 cuts nothing. */
#define UNI_SANITIZE_GROWTH 4

/* The same for a stream that arrives in pieces. Zero-initialise it. */
struct uni_sanitizer {
	uint8_t pending[4]; /* start of a character whose end has not come yet */
	uint8_t pending_len;
};

/*
 * Feeds len bytes; line feeds, carriage returns and tabs pass. Writes to out, which has room for
 * (len + 4) * UNI_SANITIZE_GROWTH bytes, not terminated. Returns the bytes written.
 */
size_t uni_sanitizer_feed(struct uni_sanitizer *sanitizer, char *out, const uint8_t *text,
			  size_t len);

/* Terminal columns of sanitized text, wide and combining characters counted by wcwidth(3). */
size_t uni_sanitize_columns(const char *text);
