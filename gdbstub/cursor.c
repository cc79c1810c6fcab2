/* SPDX-License-Identifier: MIT */

#include "gdbstub/cursor.h"

static int digit(uint8_t character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	if (character >= 'A' && character <= 'F')
		return character - 'A' + 10;
	return -1;
}

size_t uni_gdb_left(const struct uni_gdb_cursor *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

bool uni_gdb_take(struct uni_gdb_cursor *cursor, char character)
{
	if (cursor->at == cursor->end || *cursor->at != (uint8_t)character)
		return false;
	cursor->at++;
	return true;
}

bool uni_gdb_take_text(struct uni_gdb_cursor *cursor, const char *text)
{
	struct uni_gdb_cursor ahead = *cursor;

	while (*text)
		if (!uni_gdb_take(&ahead, *text++))
			return false;
	*cursor = ahead;
	return true;
}

bool uni_gdb_take_hex(struct uni_gdb_cursor *cursor, uint64_t *value)
{
	const uint8_t *at = cursor->at;
	uint64_t sum = 0;

	for (; at != cursor->end && digit(*at) >= 0; at++) {
		if (at - cursor->at == 16)
			return false;
		sum = sum << 4 | (unsigned)digit(*at);
	}
	if (at == cursor->at)
		return false;
	cursor->at = at;
	*value = sum;
	return true;
}

bool uni_gdb_take_hex_bytes(struct uni_gdb_cursor *cursor, void *bytes, size_t len)
{
	uint8_t *to = bytes;

	if (uni_gdb_left(cursor) / 2 < len)
		return false;
	for (size_t i = 0; i < len; i++, cursor->at += 2) {
		int high = digit(cursor->at[0]), low = digit(cursor->at[1]);

		if (high < 0 || low < 0)
			return false;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* "p" and one that there is: ours, any, all. */
static bool take_process(struct uni_gdb_cursor *cursor)
{
	uint64_t value;

	return uni_gdb_take_text(cursor, "-1") ||
	       (uni_gdb_take_hex(cursor, &value) && value <= UNI_GDB_PROCESS);
}

bool uni_gdb_take_thread(struct uni_gdb_cursor *cursor, int32_t *thread)
{
	struct uni_gdb_cursor ahead = *cursor;
	bool has_process = uni_gdb_take(&ahead, 'p');
	uint64_t value;

	if (has_process && !take_process(&ahead))
		return false;
	if ((has_process && !uni_gdb_take(&ahead, '.')) || uni_gdb_take_text(&ahead, "-1")) {
		*thread = UNI_GDB_ALL_THREADS;
	} else if (uni_gdb_take_hex(&ahead, &value) && value <= INT32_MAX) {
		*thread = (int32_t)value;
	} else {
		return false;
	}
	*cursor = ahead;
	return true;
}
