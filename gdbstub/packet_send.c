/* SPDX-License-Identifier: MIT */

/* How packets go out. Replies with memory are the longest by far, so what they take is done by
 * words of eight bytes or sixteen digits. */

#include "gdbstub/packet.h"
#include "gdbstub/text.h"

static const char digit_names[] = "0123456789abcdef";

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

static void begin(struct output *out, char lead)
{
	emit(out, (uint8_t)lead);
	out->sum = 0;
}

static int end(struct output *out)
{
	uint8_t sum = out->sum;

	emit(out, '#');
	emit(out, (uint8_t)digit_names[sum >> 4]);
	emit(out, (uint8_t)digit_names[sum & 15]);
	flush(out);
	return out->error;
}

#define WORD sizeof(uint64_t)
#define EACH_BYTE(value) ((value) * (uint64_t)0x0101010101010101)
#define EVEN_BYTES 0x00ff00ff00ff00ff

static uint64_t load(const void *at)
{
	uint64_t word;

	__builtin_memcpy(&word, at, WORD);
	return word;
}

static void store(void *at, uint64_t word)
{
	__builtin_memcpy(at, &word, WORD);
}

/* Adds the bytes of a word to a sum that is kept in the even bytes, each modulo 256. */
static uint64_t add_bytes(uint64_t sum, uint64_t word)
{
	return (sum + (word & EVEN_BYTES) + (word >> 8 & EVEN_BYTES)) & EVEN_BYTES;
}

/* The sum of a word's even bytes, modulo 256. */
static uint8_t sum_of(uint64_t even)
{
	return (uint8_t)((even * 0x0001000100010001) >> 48);
}

/* A run is written as the byte, '*' and a printable character that is 29 above the number of
 * repetitions: at least 3, at most 97, and neither '#' (6) nor '$' (7). */
#define RLE_BIAS 29
#define RLE_MIN 3
#define RLE_MAX 97

static void emit_run(struct output *out, uint8_t character, size_t count)
{
	while (count > 0 && !out->error) {
		size_t repeated = count - 1 < RLE_MAX ? count - 1 : RLE_MAX;

		if (repeated + RLE_BIAS == '#' || repeated + RLE_BIAS == '$')
			repeated = '#' - RLE_BIAS - 1;
		if (repeated < RLE_MIN)
			repeated = 0;
		emit(out, character);
		if (repeated) {
			emit(out, '*');
			emit(out, (uint8_t)(repeated + RLE_BIAS));
		}
		count -= 1 + repeated;
	}
}

/* --- text --- */

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

/* How many bytes from the first on are the same. */
static size_t same_bytes(const char *at, size_t left)
{
	size_t count = 1;

	while (left - count >= WORD && load(at + count) == EACH_BYTE((uint8_t)at[0]))
		count += WORD;
	while (count < left && at[count] == at[0])
		count++;
	return count;
}

/* What may go out as it is, word by word; returns how many bytes that was. */
static size_t emit_plain(struct output *out, const char *at, size_t left, bool rle)
{
	size_t done = 0;

	while (left - done >= WORD + LOOK_AHEAD && out->size - out->len >= WORD && !out->error &&
	       !(rle && begins_run(at + done))) {
		uint64_t word = load(at + done);

		store(out->piece + out->len, word);
		out->len += WORD;
		out->sum += sum_of(add_bytes(0, word));
		if (out->len == out->size)
			flush(out);
		done += WORD;
	}
	return done;
}

int uni_gdb_transmit(char lead, const char *payload, size_t len, bool rle, uint8_t *piece,
		     size_t size, uni_gdb_send_fn send, void *context)
{
	struct output out = {.piece = piece, .size = size, .send = send, .context = context};

	begin(&out, lead);
	for (size_t i = 0; i < len && !out.error;) {
		size_t same;

		i += emit_plain(&out, payload + i, len - i, rle);
		same = rle ? same_bytes(payload + i, len - i) : 1;
		emit_run(&out, (uint8_t)payload[i], same);
		i += same;
	}
	return end(&out);
}

/* --- bytes as digits --- */

#define DIGITS (2 * WORD) /* of a word */
#define EACH_DIGIT(value) ((value) * (uint64_t)0x1111111111111111)

/* The digits of eight bytes in the order in which they are sent, the first one lowest. */
static uint64_t digits_of(uint64_t bytes)
{
	return (bytes >> 4 & EACH_BYTE(0x0f)) | (bytes & EACH_BYTE(0x0f)) << 4;
}

/* How many digits come before the first run that is worth writing. DIGITS: there is none, or it
 * begins in the last three and cannot be told from this word alone; the rest of it is the next
 * word's. */
static unsigned digits_before_run(uint64_t digits)
{
	uint64_t differs = digits ^ digits >> 4;
	uint64_t same;

	differs |= differs >> 4 | differs >> 8 | (uint64_t)0xfff << 52;
	same = (differs - EACH_DIGIT(1)) & ~differs & EACH_DIGIT(8);
	return same ? (unsigned)__builtin_ctzll(same) / 4 : DIGITS;
}

/* Only the first `count` of them. */
static uint64_t first_characters(uint64_t characters, unsigned count)
{
	return count < WORD ? characters & (((uint64_t)1 << 8 * count) - 1) : characters;
}

/* What may go out as it is, up to a run; returns how many digits that was. */
static size_t emit_plain_digits(struct output *out, const uint8_t *bytes, size_t len, bool rle)
{
	uint8_t *to = out->piece + out->len;
	size_t words = (out->size - out->len) / DIGITS;
	size_t done;
	uint64_t sum = 0;
	unsigned plain = DIGITS;

	if (words > len / WORD)
		words = len / WORD;
	for (; words > 0 && plain == DIGITS; words--, bytes += WORD) {
		uint64_t word = load(bytes);
		uint64_t low = uni_gdb_hex_of_four((uint32_t)word);
		uint64_t high = uni_gdb_hex_of_four((uint32_t)(word >> 32));

		if (rle)
			plain = digits_before_run(digits_of(word));
		if (plain < DIGITS) {
			low = first_characters(low, plain);
			high = first_characters(high, plain > WORD ? plain - WORD : 0);
		}
		store(to, low);
		store(to + WORD, high);
		to += plain;
		/* No byte of it overflows: no character is above 'f'. */
		sum = add_bytes(sum, low + high);
	}
	done = (size_t)(to - out->piece) - out->len;
	out->len += done;
	out->sum += sum_of(sum);
	if (out->len == out->size)
		flush(out);
	return done;
}

static unsigned digit_at(const uint8_t *bytes, size_t at)
{
	return at % 2 ? bytes[at / 2] & 15 : bytes[at / 2] >> 4;
}

/* How many of the digits from `at` up to `count` are the same. */
static size_t same_digits(const uint8_t *bytes, size_t at, size_t count)
{
	unsigned digit = digit_at(bytes, at);
	size_t to = at + at % 2;

	for (; count - to >= DIGITS; to += DIGITS) {
		uint64_t differs = load(bytes + to / 2) ^ EACH_DIGIT(digit);

		if (differs)
			return to + (size_t)__builtin_ctzll(digits_of(differs)) / 4 - at;
	}
	while (to < count && digit_at(bytes, to) == digit)
		to++;
	return to - at;
}

static void put_digits(struct output *out, const uint8_t *bytes, size_t len, bool rle)
{
	size_t count = 2 * len;
	size_t same;

	for (size_t at = 0; at < count && !out->error; at += same) {
		if (at % 2 == 0)
			at += emit_plain_digits(out, bytes + at / 2, len - at / 2, rle);
		same = 0;
		if (at == count)
			break;
		same = rle ? same_digits(bytes, at, count) : 1;
		emit_run(out, (uint8_t)digit_names[digit_at(bytes, at)], same);
	}
}

static void put_unknown(struct output *out, size_t len, bool rle)
{
	size_t same = rle ? 2 * len : 1;

	for (size_t at = 0; at < 2 * len; at += same)
		emit_run(out, 'x', same);
}

int uni_gdb_transmit_bytes(const struct uni_gdb_bytes *bytes, bool rle, uint8_t *piece, size_t size,
			   uni_gdb_send_fn send, void *context)
{
	struct output out = {.piece = piece, .size = size, .send = send, .context = context};
	size_t at = 0;

	begin(&out, '$');
	for (unsigned i = 0; i < bytes->unknown_count; i++) {
		const struct uni_gdb_unknown *unknown = &bytes->unknown[i];

		put_digits(&out, bytes->data + at, unknown->at - at, rle);
		put_unknown(&out, unknown->len, rle);
		at = (size_t)unknown->at + unknown->len;
	}
	put_digits(&out, bytes->data + at, bytes->len - at, rle);
	return end(&out);
}
