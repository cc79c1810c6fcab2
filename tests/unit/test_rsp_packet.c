/* SPDX-License-Identifier: MIT */

/* Framing of the remote protocol. Checksums are sums worked out by hand from the manual's rule. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdbstub/cursor.h"
#include "gdbstub/packet.h"
#include "gdbstub/text.h"

static struct uni_gdb_receiver receiver;
static char sent[4096];
static size_t sent_len;

static int send_to_buffer(void *context, const void *bytes, size_t len)
{
	cr_assert_leq(len, *(size_t *)context, "a piece is no longer than asked for");
	memcpy(sent + sent_len, bytes, len);
	sent_len += len;
	return 0;
}

/* The last input that was not NONE. */
static enum uni_gdb_input feed(const char *bytes, size_t len)
{
	enum uni_gdb_input last = UNI_GDB_INPUT_NONE;

	for (size_t i = 0; i < len; i++) {
		enum uni_gdb_input input = uni_gdb_receive(&receiver, (uint8_t)bytes[i]);

		if (input != UNI_GDB_INPUT_NONE)
			last = input;
	}
	return last;
}

static const char *transmit(const char *payload, bool rle, size_t piece)
{
	uint8_t buffer[64];

	sent_len = 0;
	memset(sent, 0, sizeof(sent));
	cr_assert_eq(uni_gdb_transmit('$', payload, strlen(payload), rle, buffer, piece,
				      send_to_buffer, &piece),
		     0);
	return sent;
}

static void reset(void)
{
	uni_gdb_receiver_reset(&receiver);
}

TestSuite(rsp_packet, .init = reset);

Test(rsp_packet, takes_a_frame)
{
	/* 'O' + 'K' = 0x4f + 0x4b = 0x9a */
	cr_expect_eq(feed("$OK#9a", 6), UNI_GDB_INPUT_PACKET);
	cr_expect_eq(receiver.len, 2);
	cr_expect_arr_eq(receiver.data, "OK", 2);
}

Test(rsp_packet, takes_capital_checksum_digits_and_an_empty_frame)
{
	cr_expect_eq(feed("$OK#9A", 6), UNI_GDB_INPUT_PACKET);
	cr_expect_eq(feed("$#00", 4), UNI_GDB_INPUT_PACKET);
	cr_expect_eq(receiver.len, 0);
}

Test(rsp_packet, finds_a_wrong_checksum_and_a_bad_digit)
{
	cr_expect_eq(feed("$OK#9b", 6), UNI_GDB_INPUT_CORRUPT);
	cr_expect_eq(feed("$OK#9x", 6), UNI_GDB_INPUT_CORRUPT);
	cr_expect_eq(feed("$OK#9a", 6), UNI_GDB_INPUT_PACKET, "the next one is fine");
}

Test(rsp_packet, sums_all_eight_bits)
{
	cr_expect_eq(feed("$\x80#80", 5), UNI_GDB_INPUT_PACKET);
}

Test(rsp_packet, unescapes)
{
	/* '}' ']' is '}', '}' 0x03 is '#', '}' 0x04 is '$', '}' 0x0a is '*'.
	 * 0x7d*4 + 0x5d + 0x03 + 0x04 + 0x0a = 0x262 */
	cr_expect_eq(feed("$}]}\x03}\x04}\x0a#62", 12), UNI_GDB_INPUT_PACKET);
	cr_expect_eq(receiver.len, 4);
	cr_expect_arr_eq(receiver.data, "}#$*", 4);
}

Test(rsp_packet, an_interrupt_inside_a_frame_is_data)
{
	/* 'X' + 3 = 0x5b */
	cr_expect_eq(uni_gdb_receive(&receiver, 3), UNI_GDB_INPUT_INTERRUPT);
	cr_expect_eq(feed("$X\x03", 3), UNI_GDB_INPUT_NONE);
	cr_expect_eq(feed("#5b", 3), UNI_GDB_INPUT_PACKET);
	cr_expect_arr_eq(receiver.data, "X\x03", 2);
	cr_expect_eq(uni_gdb_receive(&receiver, 3), UNI_GDB_INPUT_INTERRUPT);
}

Test(rsp_packet, acks_and_noise_between_frames)
{
	cr_expect_eq(uni_gdb_receive(&receiver, '+'), UNI_GDB_INPUT_ACK);
	cr_expect_eq(uni_gdb_receive(&receiver, '-'), UNI_GDB_INPUT_NACK);
	cr_expect_eq(feed("hello#9a", 8), UNI_GDB_INPUT_NONE);
	cr_expect_not(uni_gdb_receiver_in_frame(&receiver));
}

Test(rsp_packet, a_frame_that_was_cut_off_gives_way_to_the_next)
{
	cr_expect_eq(feed("$m1234$OK#9a", 12), UNI_GDB_INPUT_PACKET);
	cr_expect_eq(receiver.len, 2);
}

Test(rsp_packet, a_payload_that_does_not_fit_is_told_and_costs_nothing_else)
{
	uint8_t sum = 0;
	char tail[4];

	cr_expect_eq(uni_gdb_receive(&receiver, '$'), UNI_GDB_INPUT_NONE);
	for (size_t i = 0; i < UNI_GDB_PACKET_SIZE + 1; i++) {
		cr_expect_eq(uni_gdb_receive(&receiver, 'a'), UNI_GDB_INPUT_NONE);
		sum += 'a';
	}
	snprintf(tail, sizeof(tail), "#%02x", sum);
	cr_expect_eq(feed(tail, 3), UNI_GDB_INPUT_TOO_LONG);
	cr_expect_eq(feed("$OK#9a", 6), UNI_GDB_INPUT_PACKET);
}

Test(rsp_packet, sends_a_frame_in_pieces)
{
	cr_expect_str_eq(transmit("OK", true, 64), "$OK#9a");
	cr_expect_str_eq(transmit("OK", true, 1), "$OK#9a");
	cr_expect_str_eq(transmit("", true, 64), "$#00");
}

Test(rsp_packet, encodes_runs)
{
	/* Four '0': one and three more, 3 + 29 = ' '. 0x30 + 0x2a + 0x20 = 0x7a */
	cr_expect_str_eq(transmit("0000", true, 64), "$0* #7a");
	cr_expect_str_eq(transmit("000", true, 64), "$000#90", "too short to gain");
	cr_expect_str_eq(transmit("0000", false, 64), "$0000#c0");
}

Test(rsp_packet, no_run_length_is_a_framing_character)
{
	/* 6 + 29 = '#', 7 + 29 = '$': five instead, 5 + 29 = '"', and the rest plain. */
	cr_expect_eq(strncmp(transmit("0000000", true, 64), "$0*\"0#", 6), 0);
	cr_expect_eq(strncmp(transmit("00000000", true, 64), "$0*\"00#", 7), 0);
	cr_expect_eq(strncmp(transmit("000000000", true, 64), "$0*%#", 5), 0);
}

Test(rsp_packet, long_runs_decode_to_what_they_were)
{
	static char payload[1000];
	char decoded[1100];

	for (size_t len = 1; len < sizeof(payload); len++) {
		size_t at = 0;

		memset(payload, 'x', len);
		payload[len] = 0;
		transmit(payload, true, 64);
		for (char *in = sent + 1; *in != '#'; in++) {
			if (*in != '*') {
				decoded[at++] = *in;
				continue;
			}
			in++;
			cr_assert(*in >= 32 && *in <= 126 && *in != '#' && *in != '$');
			for (int n = *in - 29; n > 0; n--, at++)
				decoded[at] = decoded[at - 1];
		}
		cr_assert_eq(at, len);
		cr_assert_arr_eq(decoded, payload, len);
	}
}

/* Runs of every length up to 12 between other characters, at each place of a word. */
Test(rsp_packet, runs_among_other_characters_decode_to_what_they_were)
{
	for (size_t run = 1; run <= 12; run++) {
		for (size_t before = 0; before < 24; before++) {
			char payload[64], decoded[64];
			size_t at = 0;
			uint8_t sum = 0;
			char *in;

			memset(payload, 0, sizeof(payload));
			for (size_t i = 0; i < before; i++)
				payload[i] = (char)('a' + i % 3);
			memset(payload + before, 'z', run);
			memcpy(payload + before + run, "0123456789abcdefg", 17);
			transmit(payload, true, 3 + before);
			for (in = sent + 1; *in != '#'; in++) {
				sum += (uint8_t)*in;
				if (*in != '*') {
					decoded[at++] = *in;
					continue;
				}
				sum += (uint8_t) * ++in;
				for (int n = *in - 29; n > 0; n--, at++)
					decoded[at] = decoded[at - 1];
			}
			cr_assert_eq(at, strlen(payload));
			cr_assert_arr_eq(decoded, payload, at);
			cr_assert_eq(strtoul(in + 1, NULL, 16), sum);
			cr_assert_eq(strlen(sent), strlen(payload) + UNI_GDB_FRAMING -
							   (run < 4    ? 0
							    : run == 7 ? 7 - 4
							    : run == 8 ? 8 - 5
								       : run - 3));
		}
	}
}

static const char *transmit_bytes(const void *bytes, size_t len, bool rle, size_t piece)
{
	uint8_t buffer[64];

	sent_len = 0;
	memset(sent, 0, sizeof(sent));
	cr_assert_eq(uni_gdb_transmit_bytes(&(struct uni_gdb_bytes){bytes, len, NULL, 0}, rle,
					    buffer, piece, send_to_buffer, &piece),
		     0);
	return sent;
}

Test(rsp_packet, sends_bytes_as_digits)
{
	/* 0x30 + 0x66 + 0x61 + 0x39 = 0x130 */
	cr_expect_str_eq(transmit_bytes("\x0f\xa9", 2, true, 64), "$0fa9#30");
	cr_expect_str_eq(transmit_bytes("\x0f\xa9", 2, true, 1), "$0fa9#30");
	cr_expect_str_eq(transmit_bytes("\0\0", 2, true, 64), "$0* #7a");
	cr_expect_str_eq(transmit_bytes("\0\0", 2, false, 64), "$0000#c0");
	/* Eight '0': five repetitions, as seven would be '$'. */
	cr_expect_eq(strncmp(transmit_bytes("\0\0\0\0", 4, true, 64), "$0*\"00#", 7), 0);
	/* 98 of them: 97 + 29 = '~'. 0x30 + 0x2a + 0x7e = 0xd8 */
	cr_expect_str_eq(transmit_bytes((char[49]){0}, 49, true, 64), "$0*~#d8");
}

/* What `sent` has between '$' and '#', without run-length encoding; returns its length. */
static size_t decode(char *to, bool rle)
{
	uint8_t sum = 0;
	size_t at = 0;
	char *in;

	cr_assert_eq(sent[0], '$');
	for (in = sent + 1; *in != '#'; in++) {
		sum += (uint8_t)*in;
		if (*in != '*') {
			to[at++] = *in;
			continue;
		}
		cr_assert(rle && at > 0);
		sum += (uint8_t) * ++in;
		cr_assert(*in >= 32 && *in <= 126 && *in != '#' && *in != '$');
		for (int n = *in - 29; n > 0; n--, at++)
			to[at] = to[at - 1];
	}
	cr_assert_eq(strtoul(in + 1, NULL, 16), sum);
	cr_assert_eq(in + 3, sent + sent_len);
	to[at] = 0;
	return at;
}

/* Runs of every length up to 40 digits, and of some more, from each digit of three words on. */
Test(rsp_packet, bytes_with_runs_decode_to_what_they_were)
{
	for (size_t run = 1; run < 420; run += run < 40 ? 1 : 37) {
		for (size_t before = 0; before < 48; before++) {
			char digits[1024], decoded[1024], text[3] = "";
			uint8_t bytes[512];
			size_t count = before + run, piece = 1 + (run + before) % 64;

			for (size_t i = 0; i < before; i++)
				digits[i] = "0123456789abcde"[i % 15];
			memset(digits + before, 'f', run);
			for (size_t i = 0; i < 18 || count % 2; i++)
				digits[count++] = "0123456789"[i % 10];
			digits[count] = 0;
			for (size_t i = 0; i < count / 2; i++) {
				memcpy(text, digits + 2 * i, 2);
				bytes[i] = (uint8_t)strtoul(text, NULL, 16);
			}
			transmit_bytes(bytes, count / 2, true, piece);
			cr_assert_eq(decode(decoded, true), count);
			cr_assert_str_eq(decoded, digits);
			/* Three digits at the end of a word may stay plain. */
			cr_assert(run < 7 ||
				  sent_len <= UNI_GDB_FRAMING + count - run + 8 + run / 30);
			transmit_bytes(bytes, count / 2, false, piece);
			cr_assert_eq(decode(decoded, false), count);
			cr_assert_str_eq(decoded, digits);
		}
	}
}

Test(rsp_packet, writes_every_byte_as_two_digits)
{
	char data[600], expected[3];
	uint8_t bytes[257];
	struct uni_gdb_text text;

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	uni_gdb_text_init(&text, data, sizeof(data));
	uni_gdb_put_hex_bytes(&text, bytes, sizeof(bytes));
	cr_assert_eq(text.len, 2 * sizeof(bytes));
	for (unsigned i = 0; i < sizeof(bytes); i++) {
		snprintf(expected, sizeof(expected), "%02x", bytes[i]);
		cr_assert_arr_eq(data + 2 * i, expected, 2, "%u", i);
	}
	uni_gdb_text_init(&text, data, 9);
	uni_gdb_put_hex_bytes(&text, bytes + 1, 5);
	cr_expect(text.cut);
	cr_expect_arr_eq(data, "010203040", 9);
}

Test(rsp_text, a_character_is_repeated_as_far_as_there_is_room)
{
	char data[8] = "........";
	struct uni_gdb_text text;

	uni_gdb_text_init(&text, data, 7);
	uni_gdb_put_char(&text, '=');
	uni_gdb_put_repeated(&text, 'x', 6);
	cr_expect_not(text.cut);
	uni_gdb_put_repeated(&text, 'y', 0);
	cr_expect_not(text.cut);
	uni_gdb_put_repeated(&text, 'y', 1);
	cr_expect(text.cut);
	cr_expect_eq(text.len, 7);
	cr_expect_arr_eq(data, "=xxxxxx.", 8);
}

static int refuse(void *context, const void *bytes, size_t len)
{
	(void)bytes;
	(void)len;
	++*(int *)context;
	return -5;
}

Test(rsp_packet, stops_sending_at_the_first_error)
{
	const struct uni_gdb_bytes bytes = {.data = (const uint8_t *)"0123456789", .len = 10};
	uint8_t piece[4];
	int calls = 0;

	cr_expect_eq(uni_gdb_transmit('$', "0123456789", 10, false, piece, sizeof(piece), refuse,
				      &calls),
		     -5);
	cr_expect_eq(calls, 1);
	cr_expect_eq(uni_gdb_transmit_bytes(&bytes, true, piece, sizeof(piece), refuse, &calls),
		     -5);
	cr_expect_eq(calls, 2);
}

static struct uni_gdb_cursor cursor_on(const char *text)
{
	return (struct uni_gdb_cursor){
		(const uint8_t *)text,
		(const uint8_t *)text + strlen(text),
	};
}

Test(rsp_cursor, takes_hex_up_to_16_digits)
{
	struct uni_gdb_cursor cursor = cursor_on("ffffffffffffffff,1ffffffffffffffff");
	uint64_t value = 7;

	cr_expect(uni_gdb_take_hex(&cursor, &value));
	cr_expect_eq(value, UINT64_MAX);
	cr_expect_not(uni_gdb_take_hex(&cursor, &value), "a comma is no digit");
	cr_expect(uni_gdb_take(&cursor, ','));
	cr_expect_not(uni_gdb_take_hex(&cursor, &value), "17 digits");
}

Test(rsp_cursor, takes_threads)
{
	struct uni_gdb_cursor cursor = cursor_on("-1 7fffffff 80000000");
	int32_t thread = 5;

	cr_expect(uni_gdb_take_thread(&cursor, &thread));
	cr_expect_eq(thread, UNI_GDB_ALL_THREADS);
	cr_expect(uni_gdb_take(&cursor, ' '));
	cr_expect(uni_gdb_take_thread(&cursor, &thread));
	cr_expect_eq(thread, INT32_MAX);
	cr_expect(uni_gdb_take(&cursor, ' '));
	cr_expect_not(uni_gdb_take_thread(&cursor, &thread));
	cr_expect_eq(uni_gdb_left(&cursor), 8, "what is refused is not taken");
}

Test(rsp_cursor, takes_threads_with_their_process)
{
	static const struct {
		const char *text;
		int32_t thread;
	} good[] = {
		{"p1.2", 2},
		{"p1.-1", UNI_GDB_ALL_THREADS},
		{"p1", UNI_GDB_ALL_THREADS},
		{"p-1.-1", UNI_GDB_ALL_THREADS},
		{"p0.0", UNI_GDB_ANY_THREAD},
		{"p1.7fffffff", INT32_MAX},
	};
	static const char *const bad[] = {"p", "p1.", "p2.1", "p-2.1", "p1.80000000", "pp1.1"};
	int32_t thread;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct uni_gdb_cursor cursor = cursor_on(good[i].text);

		cr_expect(uni_gdb_take_thread(&cursor, &thread), "%s", good[i].text);
		cr_expect_eq(thread, good[i].thread, "%s", good[i].text);
		cr_expect_eq(uni_gdb_left(&cursor), 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct uni_gdb_cursor cursor = cursor_on(bad[i]);

		cr_expect_not(uni_gdb_take_thread(&cursor, &thread), "%s", bad[i]);
	}
}

Test(rsp_cursor, hex_bytes_need_all_their_digits)
{
	struct uni_gdb_cursor cursor = cursor_on("0a1");
	uint8_t bytes[2];

	cr_expect_not(uni_gdb_take_hex_bytes(&cursor, bytes, 2));
	cr_expect(uni_gdb_take_hex_bytes(&cursor, bytes, 1));
	cr_expect_eq(bytes[0], 10);
}

static const char *xml_of(const char *string)
{
	static char buffer[256];
	struct uni_gdb_text text;

	uni_gdb_text_init(&text, buffer, sizeof(buffer) - 1);
	uni_gdb_put_xml(&text, string);
	buffer[text.len] = 0;
	return buffer;
}

Test(rsp_text, xml_is_escaped_and_well_formed)
{
	cr_expect_str_eq(xml_of("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&apos;");
	cr_expect_str_eq(xml_of("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7"),
			 "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7");
	cr_expect_str_eq(xml_of("\x01\x1f\n"), "???");
	cr_expect_str_eq(xml_of("\xc3"), "?", "cut off");
	cr_expect_str_eq(xml_of("\x80\xff\xfe"), "???");
	cr_expect_str_eq(xml_of("\xc0\xaf"), "??", "overlong");
	cr_expect_str_eq(xml_of("\xe0\x9f\xbf"), "???", "overlong");
	cr_expect_str_eq(xml_of("\xf0\x8f\xbf\xbf"), "????", "overlong");
	cr_expect_str_eq(xml_of("\xed\xa0\x80"), "???", "a surrogate");
	cr_expect_str_eq(xml_of("\xf4\x90\x80\x80"), "????", "beyond U+10FFFF");
	cr_expect_str_eq(xml_of("\xef\xbf\xbf"), "???", "no character of XML");
}

Test(rsp_text, says_when_it_was_cut)
{
	char buffer[3];
	struct uni_gdb_text text;

	uni_gdb_text_init(&text, buffer, sizeof(buffer));
	uni_gdb_put_hex(&text, 0x123);
	cr_expect_not(text.cut);
	uni_gdb_put_char(&text, '4');
	cr_expect(text.cut);
	cr_expect_arr_eq(buffer, "123", 3);
}

Test(rsp_text, numbers)
{
	char buffer[64];
	struct uni_gdb_text text;

	uni_gdb_text_init(&text, buffer, sizeof(buffer));
	uni_gdb_put_hex(&text, 0);
	uni_gdb_put_hex(&text, UINT64_MAX);
	uni_gdb_put_char(&text, ' ');
	uni_gdb_put_decimal(&text, 0);
	uni_gdb_put_decimal(&text, UINT64_MAX);
	cr_expect_eq(text.len, 1 + 16 + 1 + 1 + 20);
	cr_expect_arr_eq(buffer, "0ffffffffffffffff 018446744073709551615", text.len);
}
