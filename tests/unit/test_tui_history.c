/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "tui/history.h"

#define SECOND 1000000000ull

static double sample(const struct history *history, size_t age)
{
	double value = -1;

	cr_assert(history_get(history, age, &value), "no sample of age %zu", age);
	return value;
}

Test(tui_history, is_empty_at_first)
{
	struct history history = {0};
	double value, fit;

	cr_assert_not(history_get(&history, 0, &value));
	cr_assert_not(history_slope(&history, &value, &fit));
	cr_assert_eq(history_max(&history), 0);
}

Test(tui_history, the_last_value_of_a_second_counts)
{
	struct history history = {0};

	history_put(&history, 5 * SECOND, 1);
	history_put(&history, 5 * SECOND + 900000000, 2);
	cr_assert_eq(history.count, 1);
	cr_assert_eq(sample(&history, 0), 2);
}

Test(tui_history, seconds_left_out_get_the_value_that_ended_them)
{
	struct history history = {0};

	history_put(&history, 5 * SECOND, 1);
	history_put(&history, 8 * SECOND, 4);
	cr_assert_eq(history.count, 4);
	cr_assert_eq(sample(&history, 0), 4);
	cr_assert_eq(sample(&history, 2), 4);
	cr_assert_eq(sample(&history, 3), 1);
}

Test(tui_history, holds_two_minutes)
{
	struct history history = {0};
	double value;

	for (uint64_t s = 0; s < 1000; s++)
		history_put(&history, s * SECOND, (double)s);
	cr_assert_eq(history.count, HISTORY_SECONDS);
	cr_assert_eq(sample(&history, 0), 999);
	cr_assert_eq(sample(&history, HISTORY_SECONDS - 1), 1000 - HISTORY_SECONDS);
	cr_assert_not(history_get(&history, HISTORY_SECONDS, &value));
	cr_assert_eq(history_max(&history), 999);
}

Test(tui_history, a_long_gap_and_a_clock_that_goes_back_begin_anew)
{
	struct history history = {0};

	history_put(&history, 10 * SECOND, 1);
	history_put(&history, 1000000 * SECOND, 2);
	cr_assert_eq(history.count, 1);
	history_put(&history, 3 * SECOND, 7);
	cr_assert_eq(history.count, 1);
	cr_assert_eq(sample(&history, 0), 7);
}

Test(tui_history, a_straight_line_is_a_slope_that_fits)
{
	struct history history = {0};
	double per_s, fit;

	for (uint64_t s = 0; s < 30; s++)
		history_put(&history, s * SECOND, 1000 + 64 * (double)s);
	cr_assert(history_slope(&history, &per_s, &fit));
	cr_assert_float_eq(per_s, 64, 1e-9);
	cr_assert_float_eq(fit, 1, 1e-9);
}

Test(tui_history, a_saw_tooth_does_not_fit)
{
	struct history history = {0};
	double per_s, fit;

	for (uint64_t s = 0; s < 60; s++)
		history_put(&history, s * SECOND, (double)(s % 10));
	cr_assert(history_slope(&history, &per_s, &fit));
	cr_assert_lt(fit, 0.5);
}
