/* SPDX-License-Identifier: MIT */

/* The bytes of a packet, derived by hand from the offset tables of docs/formats/trace.md. */

#include <criterion/criterion.h>
#include <string.h>

#include "tracing/hosted/platform.h"
#include "tracing/points.h"

#define UNI_TRACEPOINT_DEFINE
#include "tests/unit/trace_points_under_test.h"

static _Alignas(UNI_RING_DATA_ALIGN) uint8_t data[2 * 4096];
static struct uni_ring_slot slots[2];
static struct uni_ring ring;
static struct uni_points points;

static void start(void)
{
	struct uni_ring_config config = {
		.data = data,
		.slots = slots,
		.subbuffer_size = 4096,
		.subbuffer_count = 2,
		.cpu = 5,
		.boot_id = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	};

	/* What the ring does not write must not show. */
	memset(data, 0xee, sizeof(data));
	cr_assert_eq(uni_ring_init(&ring, &config), 0);
	cr_assert_eq(uni_ring_start(&ring, UNI_RING_STREAM), 0);
	cr_assert_eq(uni_points_init(&points, &uni_hosted_text), 0);
	cr_assert_eq(points.event_count, 3);
	cr_assert_eq(uni_points_set(&points, (const uint8_t[]){0x07}, 3), 0);
	uni_hosted_ring = &ring;
}

static const uint8_t *finish(void)
{
	const struct uni_trace_packet *packet;

	uni_ring_stop(&ring);
	cr_assert_eq(uni_ring_peek(&ring, 0, &packet), 0);
	return (const uint8_t *)packet;
}

static uint64_t u64_at(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, 8);
	return value;
}

static void expect(const uint8_t *bytes, size_t offset, const void *wanted, size_t len)
{
	const uint8_t *want = wanted;

	for (size_t i = 0; i < len; i++)
		cr_assert_eq(bytes[offset + i], want[i], "offset %zu: %02x is not %02x", offset + i,
			     bytes[offset + i], want[i]);
}

/* The linker orders the metadata of one file as it stands there, or backwards: ask. */
static uint16_t id_of(const struct uni_trace_meta *meta)
{
	return (uint16_t)(meta - __start_uni_trace_meta);
}

Test(packet, has_the_bytes_of_the_format)
{
	/* magic, uuid, stream_id, version 1, event_count 2, events_emitted 2, reserved */
	static const uint8_t head[64] = {0xc1, 0x1f, 0xfc, 0xc1, 0,  1,	 2,  3,	 4,  5, 6,
					 7,    8,    9,	   10,	 11, 12, 13, 14, 15, 0, 0,
					 0,    0,    1,	   0,	 0,  0,	 2,  0,	 0,  0, 2};
	/* packet_seq_num 0, events_discarded 0, cpu_id 5, padding */
	static const uint8_t rest[24] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5};
	/* a, b, c, d without padding, then one byte of it. */
	static const uint8_t numbers[16] = {0x11, 0xfe, 0xff, 0x78, 0x56, 0x34, 0x12, 0xef,
					    0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 0x00};
	/* id, then the text with its NUL. */
	static const uint8_t text[10] = {9, 0, 0, 0, 'o', 'r', 'd', 'e', 'r', 0};
	const uint8_t *bytes;
	uint64_t begin, end, first, second;

	start();
	uni_trace_test_numbers(0x11, -2, 0x12345678, 0x0123456789abcdef);
	uni_trace_test_text(9, "order");
	bytes = finish();

	expect(bytes, 0, head, sizeof(head));
	/* content_size 120 + 24 + 18 = 162 bytes in bits, packet_size 168. */
	cr_assert_eq(u64_at(bytes + 80), 1296);
	cr_assert_eq(u64_at(bytes + 88), 1344);
	expect(bytes, 96, rest, sizeof(rest));
	cr_assert_eq(bytes[120] | (bytes[121] & 0x0f) << 8, id_of(&uni_trace_meta_test_numbers));
	expect(bytes, 128, numbers, sizeof(numbers));
	cr_assert_eq(bytes[144] | (bytes[145] & 0x0f) << 8, id_of(&uni_trace_meta_test_text));
	expect(bytes, 152, text, sizeof(text));

	begin = u64_at(bytes + 64);
	end = u64_at(bytes + 72);
	first = u64_at(bytes + 120) >> 12;
	second = u64_at(bytes + 144) >> 12;
	cr_assert_eq(first, begin & 0xfffffffffffff, "the first event opens the packet");
	cr_assert_leq(first, second);
	cr_assert_leq(second, end & 0xfffffffffffff);
}

Test(packet, pads_the_last_event_with_zeroes)
{
	static const uint8_t zeroes[6];
	const uint8_t *bytes;

	start();
	uni_trace_test_text(1, "order");
	bytes = finish();
	cr_assert_eq(u64_at(bytes + 80), (120 + 18) * 8);
	cr_assert_eq(u64_at(bytes + 88), (120 + 24) * 8);
	expect(bytes, 120 + 18, zeroes, sizeof(zeroes));
}

Test(packet, cuts_long_strings_and_takes_null)
{
	char longer[UNI_TRACE_STR_MAX + 10];
	const uint8_t *bytes;

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	start();
	uni_trace_test_text(1, longer);
	uni_trace_test_text(2, NULL);
	bytes = finish();
	cr_assert_eq(strlen((const char *)bytes + 132), UNI_TRACE_STR_MAX - 1);
	/* 8 + 4 + 64 bytes, padded to 80; then 8 + 4 + 1. */
	cr_assert_eq(u64_at(bytes + 80), (120 + 80 + 13) * 8);
	cr_assert_eq(bytes[120 + 80 + 12], 0);
}

Test(packet, metadata_names_types_and_fields)
{
	cr_assert_str_eq(uni_trace_meta_test_numbers.name, "test:numbers");
	cr_assert_str_eq(uni_trace_meta_test_numbers.fields, "u8 a,s16 b,u32 c,x64 d");
	cr_assert_str_eq(uni_trace_meta_test_text.fields, "u32 id,str name");
}
