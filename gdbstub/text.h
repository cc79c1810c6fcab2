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
void uni_gdb_put_raw(struct uni_gdb_text *text, const void *bytes, size_t len);

/* Without leading zeros, "0" for 0. */
void uni_gdb_put_hex(struct uni_gdb_text *text, uint64_t value);
void uni_gdb_put_decimal(struct uni_gdb_text *text, uint64_t value);

/* Two digits a byte, in the order of memory. */
void uni_gdb_put_hex_bytes(struct uni_gdb_text *text, const void *bytes, size_t len);

/* As binary data of a packet: '#', '$', '}' and '*' escaped (GDB manual, "Binary Data"). At most
 * twice as long. */
void uni_gdb_put_escaped(struct uni_gdb_text *text, const void *bytes, size_t len);

/* As XML text or attribute: markup escaped; what is no UTF-8, and the control characters that XML
 * 1.0 (section 2.2) forbids, each byte as '?'. */
void uni_gdb_put_xml(struct uni_gdb_text *text, const char *string);
