/* SPDX-License-Identifier: MIT */

#include "gdbstub/packet.h"

#define INTERRUPT 0x03
#define ESCAPE '}'
#define ESCAPE_XOR 0x20

void uni_gdb_receiver_reset(struct uni_gdb_receiver *receiver)
{
	receiver->state = UNI_GDB_BETWEEN_FRAMES;
	receiver->len = 0;
}

bool uni_gdb_receiver_in_frame(const struct uni_gdb_receiver *receiver)
{
	return receiver->state != UNI_GDB_BETWEEN_FRAMES;
}

static void start_frame(struct uni_gdb_receiver *receiver)
{
	receiver->state = UNI_GDB_PAYLOAD;
	receiver->len = 0;
	receiver->sum = 0;
	receiver->too_long = false;
	receiver->bad_digit = false;
}

static enum uni_gdb_input between_frames(struct uni_gdb_receiver *receiver, uint8_t byte)
{
	switch (byte) {
	case '$':
		start_frame(receiver);
		return UNI_GDB_INPUT_NONE;
	case '+':
		return UNI_GDB_INPUT_ACK;
	case '-':
		return UNI_GDB_INPUT_NACK;
	case INTERRUPT:
		return UNI_GDB_INPUT_INTERRUPT;
	default:
		return UNI_GDB_INPUT_NONE;
	}
}

static void append(struct uni_gdb_receiver *receiver, uint8_t byte)
{
	if (receiver->len < sizeof(receiver->data))
		receiver->data[receiver->len++] = byte;
	else
		receiver->too_long = true;
}

static void payload(struct uni_gdb_receiver *receiver, uint8_t byte)
{
	if (byte == '$') {
		/* Never part of a payload: a frame was cut off, and this is the next. */
		start_frame(receiver);
		return;
	}
	if (byte == '#') {
		receiver->state = UNI_GDB_CHECKSUM_HIGH;
		return;
	}
	receiver->sum += byte;
	if (receiver->state == UNI_GDB_ESCAPED) {
		append(receiver, byte ^ ESCAPE_XOR);
		receiver->state = UNI_GDB_PAYLOAD;
	} else if (byte == ESCAPE) {
		receiver->state = UNI_GDB_ESCAPED;
	} else {
		append(receiver, byte);
	}
}

static uint8_t checksum_digit(struct uni_gdb_receiver *receiver, uint8_t byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	receiver->bad_digit = true;
	return 0;
}

enum uni_gdb_input uni_gdb_receive(struct uni_gdb_receiver *receiver, uint8_t byte)
{
	switch (receiver->state) {
	case UNI_GDB_BETWEEN_FRAMES:
		return between_frames(receiver, byte);
	case UNI_GDB_PAYLOAD:
	case UNI_GDB_ESCAPED:
		payload(receiver, byte);
		return UNI_GDB_INPUT_NONE;
	case UNI_GDB_CHECKSUM_HIGH:
		receiver->declared = (uint8_t)(checksum_digit(receiver, byte) << 4);
		receiver->state = UNI_GDB_CHECKSUM_LOW;
		return UNI_GDB_INPUT_NONE;
	default:
		receiver->declared |= checksum_digit(receiver, byte);
		receiver->state = UNI_GDB_BETWEEN_FRAMES;
		if (receiver->bad_digit || receiver->declared != receiver->sum)
			return UNI_GDB_INPUT_CORRUPT;
		return receiver->too_long ? UNI_GDB_INPUT_TOO_LONG : UNI_GDB_INPUT_PACKET;
	}
}
