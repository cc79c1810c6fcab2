/* SPDX-License-Identifier: MIT */
#pragma once

/* Reads a packet from left to right, never past its end. A function that returns false has taken
 * nothing, but for uni_gdb_take_hex_bytes(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uni_gdb_cursor {
	const uint8_t *at;
	const uint8_t *end;
};

/* What `H`, `T` and vCont name; "Packets", thread-id syntax. There is one process. */
#define UNI_GDB_PROCESS 1
#define UNI_GDB_ALL_THREADS (-1)
#define UNI_GDB_ANY_THREAD 0

size_t uni_gdb_left(const struct uni_gdb_cursor *cursor);

bool uni_gdb_take(struct uni_gdb_cursor *cursor, char character);
bool uni_gdb_take_text(struct uni_gdb_cursor *cursor, const char *text);

/* 1 to 16 digits. */
bool uni_gdb_take_hex(struct uni_gdb_cursor *cursor, uint64_t *value);

/* Two digits for each of len bytes. */
bool uni_gdb_take_hex_bytes(struct uni_gdb_cursor *cursor, void *bytes, size_t len);

/* "-1", or a hexadecimal id up to 0x7fffffff; with a process before it as in "p1.2", or a process
 * alone, which is all of its threads. */
bool uni_gdb_take_thread(struct uni_gdb_cursor *cursor, int32_t *thread);
