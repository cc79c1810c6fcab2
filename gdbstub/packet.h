/* SPDX-License-Identifier: MIT */
#pragma once

/* Framing: $payload#checksum, acknowledgements, the interrupt byte.
 *
 * GDB manual, "Remote Protocol: Overview" (framing, escapes, run-length encoding), "Packet
 * Acknowledgment", "Interrupts". */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest payload either side sends, as qSupported announces it. */
#define UNI_GDB_PACKET_SIZE 0x10000

/* What a frame has around its payload: '$', '#' and two digits. */
#define UNI_GDB_FRAMING 4

enum uni_gdb_input {
	UNI_GDB_INPUT_NONE,	 /* inside a frame, or noise between frames */
	UNI_GDB_INPUT_PACKET,	 /* data[0 .. len), unescaped */
	UNI_GDB_INPUT_CORRUPT,	 /* the checksum is wrong */
	UNI_GDB_INPUT_TOO_LONG,	 /* the checksum is right, the payload did not fit */
	UNI_GDB_INPUT_INTERRUPT, /* 0x03 outside a frame; inside one it is data */
	UNI_GDB_INPUT_ACK,
	UNI_GDB_INPUT_NACK,
};

struct uni_gdb_receiver {
	enum {
		UNI_GDB_BETWEEN_FRAMES,
		UNI_GDB_PAYLOAD,
		UNI_GDB_ESCAPED,
		UNI_GDB_CHECKSUM_HIGH,
		UNI_GDB_CHECKSUM_LOW,
	} state;
	bool too_long;
	bool bad_digit;
	uint8_t sum;
	uint8_t declared;
	size_t len;
	uint8_t data[UNI_GDB_PACKET_SIZE];
};

void uni_gdb_receiver_reset(struct uni_gdb_receiver *receiver);
bool uni_gdb_receiver_in_frame(const struct uni_gdb_receiver *receiver);

/* Takes one byte. After UNI_GDB_INPUT_PACKET the payload is valid until the next call. */
enum uni_gdb_input uni_gdb_receive(struct uni_gdb_receiver *receiver, uint8_t byte);

/* Sends one piece of a frame; 0 or a negative error that ends the frame. */
typedef int (*uni_gdb_send_fn)(void *context, const void *bytes, size_t len);

/* Frames the payload, `$` or, for a notification, `%` in front, run-length encoded where that is
 * shorter and `rle` allows it, and hands it to `send` in pieces of up to `size` bytes built in
 * `piece`. The payload must have its '#', '$', '}' and '*' escaped. Returns 0 or the error of
 * `send`. */
int uni_gdb_transmit(char lead, const char *payload, size_t len, bool rle, uint8_t *piece,
		     size_t size, uni_gdb_send_fn send, void *context);

/* Bytes that nobody knows: their digits are `x`. */
struct uni_gdb_unknown {
	uint16_t at;
	uint16_t len;
};

struct uni_gdb_bytes {
	const uint8_t *data;
	size_t len;
	const struct uni_gdb_unknown *unknown; /* in their order */
	unsigned unknown_count;
};

/* The same for bytes whose payload is two digits each. Faster by far than to write the digits and
 * then to transmit them. */
int uni_gdb_transmit_bytes(const struct uni_gdb_bytes *bytes, bool rle, uint8_t *piece, size_t size,
			   uni_gdb_send_fn send, void *context);
