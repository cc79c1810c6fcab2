/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "guest-probe/probe_abi.h"
#include "host-tools/lib/quantity.h"

static char text[UNI_QUANTITY_SIZE];

#define expect(call, wanted) cr_assert_str_eq(call, wanted)

Test(quantity, bytes)
{
	expect(uni_quantity_bytes(text, sizeof(text), 0), "0 B");
	expect(uni_quantity_bytes(text, sizeof(text), 1023), "1023 B");
	expect(uni_quantity_bytes(text, sizeof(text), 1024), "1.0 KiB");
	expect(uni_quantity_bytes(text, sizeof(text), 64 << 20), "64.0 MiB");
	expect(uni_quantity_bytes(text, sizeof(text), (1ull << 30) - 1), "1.0 GiB");
	expect(uni_quantity_bytes(text, sizeof(text), UINT64_MAX), "16.0 EiB");
}

Test(quantity, durations)
{
	const uint64_t second = 1000000000;

	expect(uni_quantity_duration(text, sizeof(text), 999), "999 ns");
	expect(uni_quantity_duration(text, sizeof(text), 12000), "12 us");
	expect(uni_quantity_duration(text, sizeof(text), 999900), "1.0 ms");
	expect(uni_quantity_duration(text, sizeof(text), 3100000), "3.1 ms");
	expect(uni_quantity_duration(text, sizeof(text), 59 * second), "59 s");
	expect(uni_quantity_duration(text, sizeof(text), 372 * second), "6 min 12 s");
	expect(uni_quantity_duration(text, sizeof(text), 6 * 3600 * second), "6 h 00 min");
	expect(uni_quantity_duration(text, sizeof(text), 86400 * 3 * second), "3 d 00 h");
	expect(uni_quantity_duration(text, sizeof(text), UINT64_MAX), "213503 d 23 h");
}

Test(quantity, counts_and_rates)
{
	expect(uni_quantity_count(text, sizeof(text), 0), "0");
	expect(uni_quantity_count(text, sizeof(text), 9.81), "9.8");
	expect(uni_quantity_count(text, sizeof(text), 1840.4), "1840");
	expect(uni_quantity_count(text, sizeof(text), 123456), "123 k");
	expect(uni_quantity_count(text, sizeof(text), 1e28), "1e+28");
	expect(uni_quantity_rate(text, sizeof(text), 912 * 1024, UNI_UNIT_BYTES), "912 KiB/s");
	expect(uni_quantity_rate(text, sizeof(text), 1e30, UNI_UNIT_NS), "213503 d 23 h/s");
	expect(uni_quantity_value(text, sizeof(text), 125, UNI_UNIT_PERMILLE), "12 %");
	expect(uni_quantity_value(text, sizeof(text), 42, 200), "42");
}
