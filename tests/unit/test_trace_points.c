/* SPDX-License-Identifier: MIT */

#include <criterion/criterion.h>
#include <string.h>

#include "host-tools/lib/histogram.h"
#include "host-tools/lib/trace_points.h"
#include "host-tools/lib/trace_text.h"
#include "tracing/errno.h"

Test(trace_points, parses_types_and_names)
{
	struct uni_trace_point point;

	cr_assert_eq(uni_trace_point_parse(&point, 3, "lock:wait", "x64 lock,s16 depth,str name"),
		     0);
	cr_assert_eq(point.id, 3);
	cr_assert_eq(point.field_count, 3);
	cr_assert_eq(point.field[0].kind, UNI_TRACE_HEX);
	cr_assert_eq(point.field[0].size, 8);
	cr_assert_eq(point.field[1].kind, UNI_TRACE_SIGNED);
	cr_assert_eq(point.field[1].size, 2);
	cr_assert_str_eq(point.field[2].name, "name");
	cr_assert_eq(point.field[2].kind, UNI_TRACE_STRING);
}

Test(trace_points, refuses_what_would_break_the_metadata)
{
	static const char *const wrong[][2] = {
		{"lock", "u32 a"},	 {"lock:wait:x", "u32 a"}, {":wait", "u32 a"},
		{"lock:", "u32 a"},	 {"lock:w\"", "u32 a"},	   {"lock:wait", "u31 a"},
		{"lock:wait", "u32"},	 {"lock:wait", "u32 "},	   {"lock:wait", "u32 a b"},
		{"lock:wait", "u32 a,"}, {"lock:wait", ",u32 a"},  {"lock:wait", "u32 a;"},
	};
	struct uni_trace_point point;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_assert_eq(uni_trace_point_parse(&point, 0, wrong[i][0], wrong[i][1]),
			     -UNI_EINVAL, "%s, %s", wrong[i][0], wrong[i][1]);
}

static struct uni_trace_points some(void)
{
	struct uni_trace_points points = {0};

	cr_assert_eq(uni_trace_points_add(&points, "sched:switch", "u32 prev"), 0);
	cr_assert_eq(uni_trace_points_add(&points, "sched:wakeup", "u32 thread"), 0);
	cr_assert_eq(uni_trace_points_add(&points, "lock:wait", "x64 lock"), 0);
	return points;
}

Test(trace_points, matches_globs_and_groups)
{
	struct uni_trace_points points = some();
	struct uni_error error;
	uint8_t bitmap[1];

	cr_assert_eq(uni_trace_points_match(&points, "sched:*", bitmap, &error), 0);
	cr_assert_eq(bitmap[0], 3);
	cr_assert_eq(uni_trace_points_match(&points, "lock", bitmap, &error), 0);
	cr_assert_eq(bitmap[0], 4);
	cr_assert_eq(uni_trace_points_match(&points, "*:w*, sched:switch", bitmap, &error), 0);
	cr_assert_eq(bitmap[0], 7);
	uni_trace_points_fini(&points);
}

Test(trace_points, names_what_is_near_a_glob_that_matches_nothing)
{
	struct uni_trace_points points = some();
	struct uni_error error;
	uint8_t bitmap[1];

	cr_assert_eq(uni_trace_points_match(&points, "sched:swich", bitmap, &error), -UNI_ENOENT);
	cr_assert_not_null(strstr(error.text, "sched:switch"), "%s", error.text);
	cr_assert_eq(uni_trace_points_match(&points, "lock:wait,zzz:*", bitmap, &error),
		     -UNI_ENOENT);
	cr_assert_not_null(strstr(error.text, "zzz:*"), "%s", error.text);
	cr_assert_lt(uni_trace_points_match(&points, " ,", bitmap, &error), 0);
	uni_trace_points_fini(&points);
}

Test(histogram, percentiles_are_at_most_a_sixteenth_too_high)
{
	static struct uni_histogram histogram;

	cr_assert_eq(uni_histogram_permille(&histogram, 500), 0);
	for (uint64_t value = 1; value <= 100000; value++)
		uni_histogram_add(&histogram, value);
	for (unsigned permille = 10; permille <= 1000; permille += 10) {
		uint64_t exact = permille * 100, got = uni_histogram_permille(&histogram, permille);

		cr_assert_geq(got, exact);
		cr_assert_leq(got, exact + exact / 16 + 1);
	}
	cr_assert_eq(histogram.max, 100000);
	uni_histogram_add(&histogram, UINT64_MAX);
	cr_assert_eq(uni_histogram_permille(&histogram, 1000), UINT64_MAX);
}

Test(histogram, a_percentile_is_a_value_that_was_added)
{
	static struct uni_histogram histogram;

	uni_histogram_add(&histogram, 1);
	uni_histogram_add(&histogram, 1000);
	cr_assert_eq(uni_histogram_permille(&histogram, 500), 1);
	cr_assert_eq(uni_histogram_permille(&histogram, 990), 1000);
}

Test(trace_text, counts_have_all_their_digits)
{
	char out[UNI_TRACE_COUNT_SIZE];

	cr_assert_str_eq(uni_trace_count(out, 0), "0");
	cr_assert_str_eq(uni_trace_count(out, 999), "999");
	cr_assert_str_eq(uni_trace_count(out, 1204311), "1 204 311");
	cr_assert_str_eq(uni_trace_count(out, UINT64_MAX), "18 446 744 073 709 551 615");
}
