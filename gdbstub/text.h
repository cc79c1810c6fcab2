/* SPDX-License-Identifier: MIT */
#pragma once

/* Text that grows in the caller's buffer: replies, names, XML. What does not fit is cut, and `cut`
 * says so. Never terminated by a 0. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uni_gdb_text {
	char *data;
	size_t size;
	size_t len;
	bool cut;
};

void uni_gdb_text_init(struct uni_gdb_text *text, char *data, size_t size);

void uni_gdb_put_char(struct uni_gdb_text *text, char character);
void uni_gdb_put(struct uni_gdb_text *text, const char *string);
void uni_gdb_put_repeated(struct uni_gdb_text *text, char character, size_t count);
void uni_gdb_put_raw(struct uni_gdb_text *text, const void *bytes, size_t len);

/* Without leading zeros, "0" for 0. */
void uni_gdb_put_hex(struct uni_gdb_text *text, uint64_t value);
void uni_gdb_put_decimal(struct uni_gdb_text *text, uint64_t value);

/* The digits of four bytes, each in a byte; the first of them is the lowest, here and there. */
static inline uint64_t uni_gdb_hex_of_four(uint32_t bytes)
{
	uint64_t value = (bytes | (uint64_t)bytes << 16) & 0x0000ffff0000ffff;
	uint64_t letters;

	_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are stored as they are");
	value = (value | value << 8) & 0x00ff00ff00ff00ff;
	value = (value >> 4 | value << 8) & 0x0f0f0f0f0f0f0f0f;
	letters = (value + 0x0606060606060606) >> 4 & 0x0101010101010101;
	return value + 0x3030303030303030 + letters * ('a' - '0' - 10);
}

/* Two digits a byte, in the order of memory. */
void uni_gdb_put_hex_bytes(struct uni_gdb_text *text, const void *bytes, size_t len);

/* As binary data of a packet: '#', '$', '}' and '*' escaped (GDB manual, "Binary Data"). At most
 * twice as long. */
void uni_gdb_put_escaped(struct uni_gdb_text *text, const void *bytes, size_t len);

/* As XML text or attribute: markup escaped; what is no UTF-8, and the control characters that XML
 * 1.0 (section 2.2) forbids, each byte as '?'. */
void uni_gdb_put_xml(struct uni_gdb_text *text, const char *string);
