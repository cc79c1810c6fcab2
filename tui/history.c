/* SPDX-License-Identifier: MIT */
#include "tui/history.h"

static void push(struct history *history, double value)
{
	history->last_s++;
	history->samples[history->last_s % HISTORY_SECONDS] = value;
	if (history->count < HISTORY_SECONDS)
		history->count++;
}

void history_put(struct history *history, uint64_t now_ns, double value)
{
	uint64_t now_s = now_ns / 1000000000;

	if (history->count > 0 && now_s == history->last_s) {
		history->samples[now_s % HISTORY_SECONDS] = value;
		return;
	}
	if (history->count == 0 || now_s < history->last_s ||
	    now_s - history->last_s > HISTORY_SECONDS) {
		history->count = 0;
		history->last_s = now_s - 1;
	}
	while (history->last_s < now_s)
		push(history, value);
}

bool history_get(const struct history *history, size_t age, double *value)
{
	if (age >= history->count)
		return false;
	*value = history->samples[(history->last_s - age) % HISTORY_SECONDS];
	return true;
}

double history_max(const struct history *history)
{
	double max = 0;

	for (size_t age = 0; age < history->count; age++) {
		double value;

		if (history_get(history, age, &value) && value > max)
			max = value;
	}
	return max;
}

bool history_slope(const struct history *history, double *per_s, double *fit)
{
	double n = (double)history->count;
	double mean_x = (n - 1) / 2, mean_y = 0, xy = 0, xx = 0, yy = 0;

	if (history->count < 2)
		return false;
	for (size_t i = 0; i < history->count; i++) {
		double value = 0;

		history_get(history, i, &value);
		mean_y += value / n;
	}
	for (size_t i = 0; i < history->count; i++) {
		double x = (double)(history->count - 1 - i) - mean_x;
		double value = 0;

		history_get(history, i, &value);
		xy += x * (value - mean_y);
		xx += x * x;
		yy += (value - mean_y) * (value - mean_y);
	}
	*per_s = xy / xx;
	*fit = yy > 0 ? xy * xy / (xx * yy) : 1;
	return true;
}
