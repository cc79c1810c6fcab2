/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "host-tools/lib/cursor.h"
#include "tracing/errno.h"

static const uint8_t bytes[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
				0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10};

Test(cursor, reads_little_endian_in_order)
{
	struct uni_cursor cursor;

	uni_cursor_init(&cursor, bytes, sizeof(bytes), "test");
	cr_assert_eq(uni_cursor_u8(&cursor), 0x01);
	cr_assert_eq(uni_cursor_u16(&cursor), 0x0302);
	cr_assert_eq(uni_cursor_u32(&cursor), 0x07060504);
	cr_assert_eq(uni_cursor_u64(&cursor), 0x0f0e0d0c0b0a0908);
	cr_assert_eq(cursor.left, 1);
	cr_assert_eq(uni_cursor_check(&cursor, NULL), 0);
}

Test(cursor, fails_for_good_and_names_the_place)
{
	struct uni_cursor cursor;
	struct uni_error error;

	uni_cursor_init(&cursor, bytes, 6, "note of shop.core");
	uni_cursor_u32(&cursor);
	cr_assert_eq(uni_cursor_u32(&cursor), 0);
	/* Two bytes are there, but what comes after a failure is worth nothing. */
	cr_assert_eq(uni_cursor_u8(&cursor), 0);
	cr_assert_null(uni_cursor_bytes(&cursor, 0));
	cr_assert_eq(uni_cursor_check(&cursor, &error), -UNI_EINVAL);
	cr_assert_str_eq(error.text,
			 "note of shop.core is cut short: 4 bytes are missing or wrong at byte 4");
}

Test(cursor, length_near_the_end_of_the_address_space_does_not_wrap)
{
	struct uni_cursor cursor;

	uni_cursor_init(&cursor, bytes, sizeof(bytes), "test");
	uni_cursor_u8(&cursor);
	cr_assert_null(uni_cursor_bytes(&cursor, SIZE_MAX));
	cr_assert(uni_cursor_failed(&cursor));
}

Test(cursor, fixed_string_may_be_full_or_padded)
{
	struct uni_cursor cursor;
	char text[5];

	uni_cursor_init(&cursor, "ab\0\0full", 8, "test");
	uni_cursor_string(&cursor, 4, text);
	cr_assert_str_eq(text, "ab");
	uni_cursor_string(&cursor, 4, text);
	cr_assert_str_eq(text, "full");
	uni_cursor_string(&cursor, 4, text);
	cr_assert_str_eq(text, "");
	cr_assert(uni_cursor_failed(&cursor));
}

Test(cursor, structure_of_an_older_or_newer_peer)
{
	struct uni_cursor cursor;
	struct {
		uint32_t a, b;
	} known = {~0u, ~0u};

	uni_cursor_init(&cursor, bytes, sizeof(bytes), "test");
	uni_cursor_struct(&cursor, 4, &known, sizeof(known));
	cr_assert_eq(known.a, 0x04030201);
	cr_assert_eq(known.b, 0, "a field that the peer does not have is zero");
	uni_cursor_struct(&cursor, 12, &known, sizeof(known));
	cr_assert_eq(known.a, 0x08070605);
	cr_assert_eq(known.b, 0x0c0b0a09);
	cr_assert_eq(cursor.left, 0, "what is not known is skipped");
	cr_assert_not(uni_cursor_failed(&cursor));
}

Test(cursor, sub_cursor_ends_where_it_should)
{
	struct uni_cursor cursor, sub;

	uni_cursor_init(&cursor, bytes, sizeof(bytes), "outer");
	uni_cursor_skip(&cursor, 2);
	sub = uni_cursor_sub(&cursor, 4, "inner");
	cr_assert_eq(uni_cursor_u32(&sub), 0x06050403);
	cr_assert_eq(uni_cursor_u8(&sub), 0);
	cr_assert(uni_cursor_failed(&sub));
	cr_assert_eq(uni_cursor_u8(&cursor), 0x07);
	sub = uni_cursor_sub(&cursor, 100, "too long");
	cr_assert(uni_cursor_failed(&sub));
	cr_assert(uni_cursor_failed(&cursor));
}

Test(cursor, aligns_from_the_start)
{
	struct uni_cursor cursor;

	uni_cursor_init(&cursor, bytes, sizeof(bytes), "test");
	uni_cursor_u8(&cursor);
	uni_cursor_align(&cursor, 8);
	cr_assert_eq(uni_cursor_u8(&cursor), 0x09);
	uni_cursor_align(&cursor, 1);
	cr_assert_eq(uni_cursor_u8(&cursor), 0x0a);
}
