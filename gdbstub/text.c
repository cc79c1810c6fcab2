/* SPDX-License-Identifier: MIT */

#include "gdbstub/text.h"

static const char digits[] = "0123456789abcdef";

void uni_gdb_text_init(struct uni_gdb_text *text, char *data, size_t size)
{
	text->data = data;
	text->size = size;
	text->len = 0;
	text->cut = false;
}

void uni_gdb_put_char(struct uni_gdb_text *text, char character)
{
	if (text->len < text->size)
		text->data[text->len++] = character;
	else
		text->cut = true;
}

void uni_gdb_put_repeated(struct uni_gdb_text *text, char character, size_t count)
{
	size_t room = text->size - text->len;
	size_t len = count < room ? count : room;

	__builtin_memset(text->data + text->len, character, len);
	text->len += len;
	text->cut |= len < count;
}

void uni_gdb_put(struct uni_gdb_text *text, const char *string)
{
	while (*string)
		uni_gdb_put_char(text, *string++);
}

void uni_gdb_put_raw(struct uni_gdb_text *text, const void *bytes, size_t len)
{
	const char *from = bytes;

	for (size_t i = 0; i < len; i++)
		uni_gdb_put_char(text, from[i]);
}

void uni_gdb_put_hex(struct uni_gdb_text *text, uint64_t value)
{
	unsigned shift = 60;

	while (shift && !(value >> shift))
		shift -= 4;
	for (;; shift -= 4) {
		uni_gdb_put_char(text, digits[value >> shift & 15]);
		if (!shift)
			return;
	}
}

void uni_gdb_put_decimal(struct uni_gdb_text *text, uint64_t value)
{
	char reversed[20];
	unsigned count = 0;

	do {
		reversed[count++] = digits[value % 10];
		value /= 10;
	} while (value);
	while (count)
		uni_gdb_put_char(text, reversed[--count]);
}

void uni_gdb_put_hex_bytes(struct uni_gdb_text *text, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;
	size_t i = 0;

	for (; len - i >= 4 && text->size - text->len >= 8; i += 4) {
		uint32_t four;
		uint64_t eight;

		__builtin_memcpy(&four, from + i, sizeof(four));
		eight = uni_gdb_hex_of_four(four);
		__builtin_memcpy(text->data + text->len, &eight, sizeof(eight));
		text->len += sizeof(eight);
	}
	for (; i < len; i++) {
		uni_gdb_put_char(text, digits[from[i] >> 4]);
		uni_gdb_put_char(text, digits[from[i] & 15]);
	}
}

void uni_gdb_put_escaped(struct uni_gdb_text *text, const void *bytes, size_t len)
{
	const char *from = bytes;

	for (size_t i = 0; i < len; i++) {
		bool special = from[i] == '#' || from[i] == '$' || from[i] == '}' || from[i] == '*';

		if (special)
			uni_gdb_put_char(text, '}');
		uni_gdb_put_char(text, special ? from[i] ^ 0x20 : from[i]);
	}
}

/* The length of the well-formed UTF-8 sequence at `at` (Unicode 15, table 3-7), 0 if there is none.
 */
static unsigned utf8_length(const uint8_t *at)
{
	uint8_t low = 0x80, high = 0xbf;
	unsigned length;

	if (at[0] < 0x80)
		return 1;
	if (at[0] >= 0xc2 && at[0] <= 0xdf)
		length = 2;
	else if (at[0] >= 0xe0 && at[0] <= 0xef)
		length = 3;
	else if (at[0] >= 0xf0 && at[0] <= 0xf4)
		length = 4;
	else
		return 0;
	if (at[0] == 0xe0)
		low = 0xa0; /* overlong */
	else if (at[0] == 0xed)
		high = 0x9f; /* surrogates */
	else if (at[0] == 0xf0)
		low = 0x90;
	else if (at[0] == 0xf4)
		high = 0x8f; /* beyond U+10FFFF */
	if (at[1] < low || at[1] > high)
		return 0;
	for (unsigned i = 2; i < length; i++)
		if (at[i] < 0x80 || at[i] > 0xbf)
			return 0;
	return length;
}

/* U+FFFE and U+FFFF are well-formed UTF-8 and no characters of XML. */
static bool is_noncharacter(const uint8_t *at)
{
	return at[0] == 0xef && at[1] == 0xbf && at[2] >= 0xbe;
}

static const char *xml_entity(uint8_t character)
{
	switch (character) {
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '&':
		return "&amp;";
	case '"':
		return "&quot;";
	case '\'':
		return "&apos;";
	default:
		return NULL;
	}
}

void uni_gdb_put_xml(struct uni_gdb_text *text, const char *string)
{
	const uint8_t *at = (const uint8_t *)string;

	while (*at) {
		unsigned length = utf8_length(at);
		const char *entity = xml_entity(*at);

		if (entity) {
			uni_gdb_put(text, entity);
			at++;
		} else if (!length || *at < 0x20 || (length == 3 && is_noncharacter(at))) {
			uni_gdb_put_char(text, '?');
			at++;
		} else {
			uni_gdb_put_raw(text, at, length);
			at += length;
		}
	}
}
