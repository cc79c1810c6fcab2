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

struct output {
	uint8_t *piece;
	size_t size;
	size_t len;
	uint8_t sum;
	int error;
	uni_gdb_send_fn send;
	void *context;
};

static void flush(struct output *out)
{
	if (!out->error && out->len)
		out->error = out->send(out->context, out->piece, out->len);
	out->len = 0;
}

static void emit(struct output *out, uint8_t byte)
{
	out->piece[out->len++] = byte;
	out->sum += byte;
	if (out->len == out->size)
		flush(out);
}

#define WORD sizeof(uint64_t)
#define EACH_BYTE(value) ((value) * (uint64_t)0x0101010101010101)

static uint64_t load(const char *at)
{
	uint64_t word;

	__builtin_memcpy(&word, at, WORD);
	return word;
}

/* The sum of a word's bytes, modulo 256. */
static uint8_t sum_of(uint64_t word)
{
	uint64_t lanes = (word & 0x00ff00ff00ff00ff) + (word >> 8 & 0x00ff00ff00ff00ff);

	return (uint8_t)((lanes * 0x0001000100010001) >> 48);
}

static void emit_word(struct output *out, uint64_t word)
{
	__builtin_memcpy(out->piece + out->len, &word, WORD);
	out->len += WORD;
	out->sum += sum_of(word);
	if (out->len == out->size)
		flush(out);
}

/* A run is written as the byte, '*' and a printable character that is 29 above the number of
 * repetitions: at least 3, at most 97, and neither '#' (6) nor '$' (7). */
#define RLE_BIAS 29
#define RLE_MIN 3
#define RLE_MAX 97

/* Bytes behind a word that tell whether a run worth writing begins in it. */
#define LOOK_AHEAD RLE_MIN

/* Whether four equal bytes begin anywhere in the word at `at`. */
static bool begins_run(const char *at)
{
	uint64_t word = load(at);
	uint64_t differs = (word ^ load(at + 1)) | (word ^ load(at + 2)) | (word ^ load(at + 3));

	/* One of its bytes is 0. */
	return (differs - EACH_BYTE(1)) & ~differs & EACH_BYTE(0x80);
}

static size_t repetitions(const char *at, size_t left)
{
	size_t count = 0;

	while (count + WORD <= RLE_MAX && count + 1 + WORD <= left &&
	       load(at + count + 1) == EACH_BYTE((uint8_t)at[0]))
		count += WORD;
	while (count < RLE_MAX && count + 1 < left && at[count + 1] == at[0])
		count++;
	if (count + RLE_BIAS == '#' || count + RLE_BIAS == '$')
		count = '#' - RLE_BIAS - 1;
	return count;
}

/* What may go out as it is, word by word; returns how many bytes that was. */
static size_t emit_plain(struct output *out, const char *at, size_t left, bool rle)
{
	size_t done = 0;

	while (left - done >= WORD + LOOK_AHEAD && out->size - out->len >= WORD && !out->error &&
	       !(rle && begins_run(at + done))) {
		emit_word(out, load(at + done));
		done += WORD;
	}
	return done;
}

int uni_gdb_transmit(char lead, const char *payload, size_t len, bool rle, uint8_t *piece,
		     size_t size, uni_gdb_send_fn send, void *context)
{
	static const char digits[] = "0123456789abcdef";
	struct output out = {.piece = piece, .size = size, .send = send, .context = context};

	emit(&out, (uint8_t)lead);
	out.sum = 0;
	for (size_t i = 0; i < len && !out.error;) {
		size_t repeated;

		i += emit_plain(&out, payload + i, len - i, rle);
		repeated = rle ? repetitions(payload + i, len - i) : 0;
		emit(&out, (uint8_t)payload[i++]);
		if (repeated >= RLE_MIN) {
			emit(&out, '*');
			emit(&out, (uint8_t)(repeated + RLE_BIAS));
			i += repeated;
		}
	}
	uint8_t sum = out.sum;

	emit(&out, '#');
	emit(&out, (uint8_t)digits[sum >> 4]);
	emit(&out, (uint8_t)digits[sum & 15]);
	flush(&out);
	return out.error;
}
