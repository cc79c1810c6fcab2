/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/cursor.h"

#include <string.h>

#include "tracing/errno.h"

void uni_cursor_init(struct uni_cursor *cursor, const void *data, size_t len, const char *what)
{
	*cursor = (struct uni_cursor){.next = data, .left = len, .what = what};
}

static void fail(struct uni_cursor *cursor, size_t wanted)
{
	if (cursor->failed)
		return;
	cursor->failed = true;
	cursor->failed_offset = cursor->offset;
	cursor->failed_wanted = wanted;
}

const void *uni_cursor_bytes(struct uni_cursor *cursor, size_t len)
{
	const uint8_t *data = cursor->next;

	if (cursor->failed || len > cursor->left) {
		fail(cursor, len);
		return NULL;
	}
	/* NULL + 0 is undefined, and an empty cursor may stand on NULL. */
	if (len == 0)
		return data ? data : (const uint8_t *)"";
	cursor->next += len;
	cursor->left -= len;
	cursor->offset += len;
	return data;
}

static uint64_t little_endian(struct uni_cursor *cursor, size_t len)
{
	const uint8_t *data = uni_cursor_bytes(cursor, len);
	uint64_t value = 0;

	for (size_t i = len; data && i > 0; i--)
		value = value << 8 | data[i - 1];
	return value;
}

uint8_t uni_cursor_u8(struct uni_cursor *cursor)
{
	return (uint8_t)little_endian(cursor, 1);
}

uint16_t uni_cursor_u16(struct uni_cursor *cursor)
{
	return (uint16_t)little_endian(cursor, 2);
}

uint32_t uni_cursor_u32(struct uni_cursor *cursor)
{
	return (uint32_t)little_endian(cursor, 4);
}

uint64_t uni_cursor_u64(struct uni_cursor *cursor)
{
	return little_endian(cursor, 8);
}

void uni_cursor_skip(struct uni_cursor *cursor, size_t len)
{
	(void)uni_cursor_bytes(cursor, len);
}

void uni_cursor_align(struct uni_cursor *cursor, size_t alignment)
{
	uni_cursor_skip(cursor, -cursor->offset & (alignment - 1));
}

void uni_cursor_string(struct uni_cursor *cursor, size_t size, char *out)
{
	const char *text = uni_cursor_bytes(cursor, size);
	size_t len = text ? strnlen(text, size) : 0;

	if (len > 0)
		memcpy(out, text, len);
	out[len] = '\0';
}

void uni_cursor_struct(struct uni_cursor *cursor, size_t wire_size, void *out, size_t out_size)
{
	const void *data = uni_cursor_bytes(cursor, wire_size);

	memset(out, 0, out_size);
	if (data)
		memcpy(out, data, wire_size < out_size ? wire_size : out_size);
}

struct uni_cursor uni_cursor_sub(struct uni_cursor *cursor, size_t len, const char *what)
{
	struct uni_cursor sub = *cursor;

	sub.what = what;
	sub.left = len;
	if (!uni_cursor_bytes(cursor, len)) {
		sub.left = 0;
		fail(&sub, len);
	}
	return sub;
}

void uni_cursor_fail(struct uni_cursor *cursor)
{
	fail(cursor, 0);
}

int uni_cursor_check(const struct uni_cursor *cursor, struct uni_error *error)
{
	if (!cursor->failed)
		return 0;
	if (cursor->failed_wanted == 0)
		return uni_error_set(error, -UNI_EINVAL, "%s is malformed at byte %zu",
				     cursor->what, cursor->failed_offset);
	return uni_error_set(error, -UNI_EINVAL,
			     "%s is cut short: %zu bytes are missing or wrong at byte %zu",
			     cursor->what, cursor->failed_wanted, cursor->failed_offset);
}
