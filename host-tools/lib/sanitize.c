/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/sanitize.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

/* The longest escape is \uNNNN, and a character has at most 4 bytes. */
#define PIECE_MAX 6

enum { BROKEN = -1, UNFINISHED = 0 };

static bool is_continuation(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

/*
 * Length of the UTF-8 character at the start of text, by Unicode 15 table 3-7 (no overlong forms,
 * no surrogates, nothing above U+10FFFF); UNFINISHED when text may be the start of one; or BROKEN.
 */
static int decode(const uint8_t *text, size_t len, uint32_t *code_point)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = text[0];
	int need;
	uint32_t value;

	if (first < 0x80) {
		*code_point = first;
		return 1;
	}
	if (first >= 0xc2 && first <= 0xdf)
		need = 2;
	else if (first >= 0xe0 && first <= 0xef)
		need = 3;
	else if (first >= 0xf0 && first <= 0xf4)
		need = 4;
	else
		return BROKEN;

	value = first & (0x7f >> need);
	for (int i = 1; i < need; i++) {
		if ((size_t)i >= len)
			return UNFINISHED;
		if (!is_continuation(text[i]))
			return BROKEN;
		value = value << 6 | (text[i] & 0x3f);
	}
	if (value < smallest[need] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return BROKEN;
	*code_point = value;
	return need;
}

/* Characters that are valid but hide, reorder or control what is shown around them. */
static bool is_deceptive(uint32_t c)
{
	return (c >= 0x80 && c <= 0x9f) || c == 0xad || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb);
}

/*
 * One character or one broken byte: writes its printable form to piece, returns its length, and
 * tells how many bytes of the input it stands for (0: unfinished, ask again with more).
 */
static size_t print_one(char piece[PIECE_MAX + 1], const uint8_t *text, size_t len, bool finished,
			bool keep_layout, size_t *used)
{
	uint32_t c;
	int got = decode(text, len, &c);

	*used = 0;
	if (got == UNFINISHED && !finished)
		return 0;
	*used = got > 0 ? (size_t)got : 1;
	if (got <= 0 || c == 0x7f ||
	    (c < 0x20 && !(keep_layout && (c == '\n' || c == '\r' || c == '\t'))))
		return (size_t)snprintf(piece, PIECE_MAX + 1, "\\x%02x", text[0]);
	if (is_deceptive(c))
		return (size_t)snprintf(piece, PIECE_MAX + 1, "\\u%04x", c);
	memcpy(piece, text, *used);
	return *used;
}

size_t uni_sanitize(char *out, size_t size, const char *text, size_t len)
{
	const uint8_t *next = (const uint8_t *)text;
	size_t written = 0;

	while (len > 0) {
		char piece[PIECE_MAX + 1];
		size_t used;
		size_t piece_len = print_one(piece, next, len, true, false, &used);

		if (piece_len >= size - written)
			break;
		memcpy(out + written, piece, piece_len);
		written += piece_len;
		next += used;
		len -= used;
	}
	out[written] = '\0';
	return written;
}

size_t uni_sanitizer_feed(struct uni_sanitizer *sanitizer, char *out, const uint8_t *text,
			  size_t len)
{
	size_t written = 0;

	while (sanitizer->pending_len > 0 || len > 0) {
		uint8_t window[4];
		size_t pending = sanitizer->pending_len;
		size_t fresh = len < sizeof(window) - pending ? len : sizeof(window) - pending;
		size_t used;

		memcpy(window, sanitizer->pending, pending);
		if (fresh > 0)
			memcpy(window + pending, text, fresh);
		written += print_one(out + written, window, pending + fresh, false, true, &used);
		if (used == 0) {
			/* decode() is only ever short of bytes when there are no more. */
			memcpy(sanitizer->pending, window, pending + fresh);
			sanitizer->pending_len = (uint8_t)(pending + fresh);
			break;
		}
		if (used < pending) {
			memmove(sanitizer->pending, sanitizer->pending + used, pending - used);
			sanitizer->pending_len = (uint8_t)(pending - used);
			continue;
		}
		sanitizer->pending_len = 0;
		text += used - pending;
		len -= used - pending;
	}
	return written;
}

size_t uni_sanitize_columns(const char *text)
{
	size_t columns = 0;
	size_t left = strlen(text);

	while (left > 0) {
		uint32_t c;
		int used = decode((const uint8_t *)text, left, &c);
		int width = used > 0 ? wcwidth((wchar_t)c) : 1;

		columns += width > 0 ? (size_t)width : 0;
		text += used > 0 ? used : 1;
		left -= used > 0 ? (size_t)used : 1;
	}
	return columns;
}
