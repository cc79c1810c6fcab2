/* SPDX-License-Identifier: MIT */
/* The bytes here are written down from docs/formats/frames.md, not from the encoder. */
#include <criterion/criterion.h>
#include <string.h>

#include "guest-probe/frame.h"
#include "tracing/errno.h"

/* REPLY to request 7: -UNI_EINVAL, "bad". */
static const uint8_t reply_frame[] = {
	'U',  'N',  'I',  'F',	/* 0  magic */
	7,    0,    0,	  0,	/* 4  type, reserved */
	11,   0,    0,	  0,	/* 8  length */
	7,    0,    0,	  0,	/* 12 sequence */
	0xea, 0xff, 0xff, 0xff, /* 16 status -22 */
	3,    0,    0,	  0,	/* 20 text_len */
	'b',  'a',  'd',	/* 24 text */
};

/* PING, request 0x01020304. */
static const uint8_t ping_frame[] = {
	'U', 'N', 'I', 'F', 72, 0, 0, 0, 0, 0, 0, 0, 4, 3, 2, 1,
};

/* CRASH, request 9: a hang. */
static const uint8_t crash_frame[] = {
	'U', 'N', 'I', 'F', 70, 0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0,
};

static _Alignas(8) uint8_t storage[64];

static struct uni_frame_reader new_reader(void)
{
	struct uni_frame_reader reader;

	uni_frame_reader_init(&reader, storage, sizeof(storage));
	return reader;
}

Test(frame_writer, reply_has_the_documented_bytes)
{
	_Alignas(8) uint8_t buffer[64];
	struct uni_frame_writer writer;
	struct uni_reply *reply;
	size_t len;

	memset(buffer, 0x5a, sizeof(buffer));
	uni_frame_begin(&writer, buffer, sizeof(buffer), UNI_FRAME_REPLY, 7);
	reply = uni_frame_reserve(&writer, sizeof(*reply));
	reply->status = -UNI_EINVAL;
	reply->text_len = 3;
	uni_frame_put(&writer, "bad", 3);
	cr_assert_eq(uni_frame_finish(&writer, &len), 0);
	cr_assert_eq(len, sizeof(reply_frame));
	cr_assert_arr_eq(buffer, reply_frame, sizeof(reply_frame));
	cr_assert_eq(buffer[len], 0x5a, "wrote past the frame");
}

Test(frame_writer, table_has_the_documented_bytes)
{
	static const uint8_t expected[] = {
		'U', 'N',  'I',	 'F',  3, 0, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0, /* METRICS, 32 bytes */
		8,   7,	   6,	 5,    4, 3, 2, 1,			    /* tsc */
		0,   0xca, 0x9a, 0x3b, 0, 0, 0, 0,			    /* time_ns: 10^9 */
		0,   0,	   0,	 0,    0, 0, 0, 0,			    /* count, total */
		16,  0,	   0,	 0,    0, 0, 0, 0,			    /* record_size */
	};
	_Alignas(8) uint8_t buffer[64];
	struct uni_frame_writer writer;
	size_t len;

	uni_frame_begin(&writer, buffer, sizeof(buffer), UNI_FRAME_METRICS, 0);
	cr_assert_not_null(uni_frame_put_table(&writer, 0x0102030405060708, 1000000000,
					       sizeof(struct uni_metric_value)));
	cr_assert_eq(uni_frame_finish(&writer, &len), 0);
	cr_assert_eq(len, sizeof(expected));
	cr_assert_arr_eq(buffer, expected, sizeof(expected));
}

Test(frame_writer, says_so_when_it_does_not_fit)
{
	_Alignas(8) uint8_t buffer[24];
	struct uni_frame_writer writer;
	size_t len = 1234;

	uni_frame_begin(&writer, buffer, 20, UNI_FRAME_LOG, 0);
	cr_assert_eq(uni_frame_room(&writer), 4);
	buffer[20] = 0x77;
	uni_frame_put(&writer, "12345", 5);
	uni_frame_put(&writer, "1", 1); /* would fit, but the frame is spoilt */
	cr_assert_eq(uni_frame_finish(&writer, &len), -UNI_ENOSPC);
	cr_assert_eq(len, 1234, "the length was touched");
	cr_assert_eq(buffer[20], 0x77, "wrote past the buffer");
}

Test(frame_writer, takes_payload_back_but_never_the_header)
{
	_Alignas(8) uint8_t buffer[32];
	struct uni_frame_writer writer;
	size_t len;

	uni_frame_begin(&writer, buffer, sizeof(buffer), UNI_FRAME_LOG, 0);
	uni_frame_put(&writer, "1234", 4);
	uni_frame_trim(&writer, 3);
	uni_frame_trim(&writer, 2);
	cr_assert_eq(uni_frame_finish(&writer, &len), 0);
	cr_assert_eq(len, 17);
	cr_assert_eq(buffer[8], 1);
}

Test(frame_writer, fixed_text_is_padded_and_cut)
{
	char field[4];

	uni_frame_text(field, sizeof(field), "ab");
	cr_assert_arr_eq(field, "ab\0\0", 4);
	uni_frame_text(field, sizeof(field), "abcdef");
	cr_assert_arr_eq(field, "abcd", 4);
	uni_frame_text(field, sizeof(field), NULL);
	cr_assert_arr_eq(field, "\0\0\0\0", 4);
}

static void expect_reply(const struct uni_frame_reader *reader)
{
	cr_assert_eq(reader->header.type, UNI_FRAME_REPLY);
	cr_assert_eq(reader->header.sequence, 7);
	cr_assert_eq(reader->header.length, 11);
	cr_assert_arr_eq(reader->payload, reply_frame + 16, 11);
}

Test(frame_reader, reads_a_frame_byte_by_byte)
{
	struct uni_frame_reader reader = new_reader();

	for (size_t i = 0; i < sizeof(reply_frame); i++) {
		const uint8_t *at = &reply_frame[i];
		size_t len = 1;

		cr_assert_eq(uni_frame_read(&reader, &at, &len), i == sizeof(reply_frame) - 1);
		cr_assert_eq(len, 0);
	}
	expect_reply(&reader);
	cr_assert_eq(reader.skipped_bytes, 0);
}

Test(frame_reader, reads_frames_that_follow_each_other)
{
	struct uni_frame_reader reader = new_reader();
	uint8_t bytes[sizeof(ping_frame) + sizeof(crash_frame) + sizeof(reply_frame)];
	const uint8_t *at = bytes;
	size_t len = sizeof(bytes);

	memcpy(bytes, ping_frame, sizeof(ping_frame));
	memcpy(bytes + 16, crash_frame, sizeof(crash_frame));
	memcpy(bytes + 40, reply_frame, sizeof(reply_frame));

	cr_assert(uni_frame_read(&reader, &at, &len));
	cr_assert_eq(reader.header.type, UNI_FRAME_PING);
	cr_assert_eq(reader.header.length, 0);
	cr_assert_eq(reader.header.sequence, 0x01020304);
	cr_assert(uni_frame_read(&reader, &at, &len));
	cr_assert_eq(reader.header.type, UNI_FRAME_CRASH);
	cr_assert_eq(((struct uni_crash_request *)reader.payload)->kind, UNI_PANIC_HANG);
	cr_assert(uni_frame_read(&reader, &at, &len));
	expect_reply(&reader);
	cr_assert_not(uni_frame_read(&reader, &at, &len));
	cr_assert_eq(len, 0);
}

static void expect_reply_after(const void *garbage, size_t garbage_len)
{
	struct uni_frame_reader reader = new_reader();
	uint8_t bytes[256];
	const uint8_t *at = bytes;
	size_t len = garbage_len + sizeof(reply_frame);

	memcpy(bytes, garbage, garbage_len);
	memcpy(bytes + garbage_len, reply_frame, sizeof(reply_frame));
	cr_assert(uni_frame_read(&reader, &at, &len), "no frame after %zu bytes", garbage_len);
	expect_reply(&reader);
	cr_assert_eq(reader.skipped_bytes, garbage_len);
}

Test(frame_reader, finds_the_next_frame_after_garbage)
{
	/* The last: a length above UNI_FRAME_PAYLOAD_MAX. */
	static const uint8_t too_long[16] = {'U', 'N', 'I', 'F', 7, 0, 0, 0, 1, 0, 0x10};

	expect_reply_after("x", 1);
	expect_reply_after("some text of a console", 22);
	expect_reply_after("U", 1);
	expect_reply_after("UNUNIUUNI", 9);
	expect_reply_after(too_long, sizeof(too_long));
	/* A frame that begins inside what looked like a header. */
	expect_reply_after("UNIFxxxx\xff\xff\xff\xff", 12);
}

Test(frame_reader, accepts_the_longest_payload)
{
	static uint8_t payload[UNI_FRAME_PAYLOAD_MAX];
	static uint8_t frame[16 + UNI_FRAME_PAYLOAD_MAX] = {'U', 'N', 'I', 'F', 13,  0,
							    0,	 0,   0,   0,	0x10};
	struct uni_frame_reader reader;
	const uint8_t *at = frame;
	size_t len = sizeof(frame);

	frame[sizeof(frame) - 1] = 0xab;
	uni_frame_reader_init(&reader, payload, sizeof(payload));
	cr_assert(uni_frame_read(&reader, &at, &len));
	cr_assert_eq(reader.header.length, UNI_FRAME_PAYLOAD_MAX);
	cr_assert_eq(payload[UNI_FRAME_PAYLOAD_MAX - 1], 0xab);
}

Test(frame_reader, skips_and_counts_what_its_storage_cannot_hold)
{
	struct uni_frame_reader reader = new_reader();
	uint8_t bytes[16 + 65 + sizeof(reply_frame)] = {'U', 'N', 'I', 'F', 13, 0, 0, 0, 65};
	const uint8_t *at = bytes;
	size_t len = sizeof(bytes);

	memset(storage, 0x5a, sizeof(storage));
	memcpy(bytes + 16 + 65, reply_frame, sizeof(reply_frame));
	cr_assert(uni_frame_read(&reader, &at, &len));
	expect_reply(&reader);
	cr_assert_eq(reader.skipped_frames, 1);
	cr_assert_eq(reader.skipped_bytes, 0);
}

Test(frame_reader, forgets_half_a_frame_on_reset)
{
	struct uni_frame_reader reader = new_reader();
	const uint8_t *at = crash_frame;
	size_t len = 20;

	cr_assert_not(uni_frame_read(&reader, &at, &len));
	uni_frame_reader_reset(&reader);
	at = reply_frame;
	len = sizeof(reply_frame);
	cr_assert(uni_frame_read(&reader, &at, &len));
	expect_reply(&reader);
}
