/* SPDX-License-Identifier: MIT */
/* Frames as docs/formats/frames.md has them, written down byte by byte. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host-tools/lib/frame_stream.h"

/* A PING (72) with the sequence 5 and no payload. */
static const uint8_t ping[] = {'U', 'N', 'I', 'F', 72, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0};

/* An INTERVAL (65), sequence 6: 250 ms. */
static const uint8_t interval[] = {'U', 'N', 'I', 'F', 65,  0, 0, 0, 8, 0, 0, 0,
				   6,	0,   0,	  0,   250, 0, 0, 0, 0, 0, 0, 0};

static void feed(struct uni_frame_decoder *decoder, const void *data, size_t len)
{
	const uint8_t *next = data;

	while (len > 0) {
		uint8_t *room;
		size_t size;

		cr_assert_eq(uni_frame_decoder_room(decoder, &room, &size), 0);
		size = size < len ? size : len;
		memcpy(room, next, size);
		uni_frame_decoder_fill(decoder, size);
		next += size;
		len -= size;
	}
}

static void expect(struct uni_frame_decoder *decoder, uint16_t type, uint32_t sequence,
		   const void *payload, uint32_t len)
{
	const uint8_t *data;
	struct uni_frame frame;

	cr_assert(uni_frame_decoder_next(decoder, &frame, &data));
	cr_assert_eq(frame.type, type);
	cr_assert_eq(frame.sequence, sequence);
	cr_assert_eq(frame.length, len);
	cr_assert(len == 0 || memcmp(data, payload, len) == 0);
}

static void expect_none(struct uni_frame_decoder *decoder)
{
	const uint8_t *data;
	struct uni_frame frame;

	cr_assert_not(uni_frame_decoder_next(decoder, &frame, &data));
}

Test(frame_stream, two_frames_in_one_piece)
{
	struct uni_frame_decoder decoder;

	uni_frame_decoder_init(&decoder);
	feed(&decoder, ping, sizeof(ping));
	feed(&decoder, interval, sizeof(interval));
	expect(&decoder, UNI_FRAME_PING, 5, NULL, 0);
	expect(&decoder, UNI_FRAME_INTERVAL, 6, "\372\0\0\0\0\0\0\0", 8);
	expect_none(&decoder);
	cr_assert_eq(decoder.skipped_bytes, 0);
	uni_frame_decoder_fini(&decoder);
}

Test(frame_stream, byte_by_byte)
{
	struct uni_frame_decoder decoder;

	uni_frame_decoder_init(&decoder);
	for (size_t i = 0; i < sizeof(interval); i++) {
		expect_none(&decoder);
		feed(&decoder, &interval[i], 1);
	}
	expect(&decoder, UNI_FRAME_INTERVAL, 6, "\372\0\0\0\0\0\0\0", 8);
	uni_frame_decoder_fini(&decoder);
}

Test(frame_stream, joins_midway_and_counts_what_it_skipped)
{
	struct uni_frame_decoder decoder;

	uni_frame_decoder_init(&decoder);
	feed(&decoder, "end of a frame UNI", 18);
	expect_none(&decoder);
	feed(&decoder, ping, sizeof(ping));
	expect(&decoder, UNI_FRAME_PING, 5, NULL, 0);
	cr_assert_eq(decoder.skipped_bytes, 18);
	cr_assert_eq(decoder.skipped_runs, 1);
	feed(&decoder, "x", 1);
	feed(&decoder, ping, sizeof(ping));
	expect(&decoder, UNI_FRAME_PING, 5, NULL, 0);
	cr_assert_eq(decoder.skipped_bytes, 19);
	cr_assert_eq(decoder.skipped_runs, 2);
	uni_frame_decoder_fini(&decoder);
}

Test(frame_stream, a_length_beyond_the_limit_is_no_frame)
{
	uint8_t wrong[sizeof(ping)];
	struct uni_frame_decoder decoder;

	uni_frame_decoder_init(&decoder);
	memcpy(wrong, ping, sizeof(wrong));
	wrong[8] = 1; /* 0x100001 */
	wrong[10] = 0x10;
	feed(&decoder, wrong, sizeof(wrong));
	feed(&decoder, ping, sizeof(ping));
	expect(&decoder, UNI_FRAME_PING, 5, NULL, 0);
	cr_assert_eq(decoder.skipped_bytes, sizeof(wrong));
	uni_frame_decoder_fini(&decoder);
}

Test(frame_stream, holds_the_largest_frame_and_not_more)
{
	uint8_t header[16];
	uint8_t *payload = malloc(UNI_FRAME_PAYLOAD_MAX);
	struct uni_frame_decoder decoder;

	memset(payload, 'U', UNI_FRAME_PAYLOAD_MAX);
	memcpy(header, ping, sizeof(header));
	header[10] = 0x10; /* 0x100000 */
	uni_frame_decoder_init(&decoder);
	for (int i = 0; i < 3; i++) {
		feed(&decoder, header, sizeof(header));
		feed(&decoder, payload, UNI_FRAME_PAYLOAD_MAX);
		expect(&decoder, UNI_FRAME_PING, 5, payload, UNI_FRAME_PAYLOAD_MAX);
	}
	cr_assert_leq(decoder.capacity, 4 * UNI_FRAME_PAYLOAD_MAX);
	uni_frame_decoder_fini(&decoder);
	free(payload);
}

Test(frame_stream, noise_is_skipped_in_bounded_memory)
{
	struct uni_frame_decoder decoder;
	uint8_t noise[4096];
	uint64_t fed = 0;
	uint32_t state = 1;

	uni_frame_decoder_init(&decoder);
	for (int round = 0; round < 2000; round++) {
		const uint8_t *data;
		struct uni_frame frame;

		for (size_t i = 0; i < sizeof(noise); i++) {
			state = state * 1664525 + 1013904223;
			/* Mostly letters of the magic, so that parts of it come up often. */
			noise[i] = (uint8_t) "UNIFUNIF"[state >> 29] ^ (state >> 20 & 63 ? 0 : 1);
		}
		feed(&decoder, noise, sizeof(noise));
		fed += sizeof(noise);
		while (uni_frame_decoder_next(&decoder, &frame, &data))
			fed -= sizeof(frame) + frame.length;
	}
	cr_assert_leq(decoder.skipped_bytes, fed);
	cr_assert_geq(decoder.skipped_bytes + decoder.end - decoder.start, fed);
	cr_assert_leq(decoder.capacity, 4 * UNI_FRAME_PAYLOAD_MAX);
	uni_frame_decoder_fini(&decoder);
}

Test(frame_stream, writes_the_bytes_of_the_format)
{
	uint8_t got[sizeof(interval)];
	int ends[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	cr_assert_eq(uni_frame_write(ends[0], UNI_FRAME_INTERVAL, 6, "\372\0\0\0\0\0\0\0", 8), 0);
	cr_assert_eq(read(ends[1], got, sizeof(got)), sizeof(got));
	cr_assert_eq(memcmp(got, interval, sizeof(got)), 0);
	close(ends[1]);
	cr_assert_lt(uni_frame_write(ends[0], UNI_FRAME_PING, 0, NULL, 0), 0);
	close(ends[0]);
}
