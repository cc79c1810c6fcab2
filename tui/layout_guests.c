/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host-tools/lib/quantity.h"
#include "tui/layout.h"

static const struct table_column columns[] = {
	[GUESTS_NAME] = {.title = "NAME", .width = 10, .width_max = 32},
	[GUESTS_STATE] = {.title = "STATE", .width = 8},
	[GUESTS_CPU] = {.title = "CPU%", .width = 6, .right = true, .descends = true},
	[GUESTS_STARVED] =
		{.title = "STEAL%", .width = 7, .rank = 4, .right = true, .descends = true},
	[GUESTS_MEMORY] = {.title = "MEM", .width = 5, .rank = 2, .right = true, .descends = true},
	[GUESTS_GROWTH] =
		{.title = "HEAP+/s", .width = 9, .rank = 3, .right = true, .descends = true},
	[GUESTS_REQUESTS] =
		{.title = "REQ/s", .width = 7, .rank = 5, .right = true, .descends = true},
	[GUESTS_LATENCY] = {.title = "p99", .width = 7, .rank = 5, .right = true, .descends = true},
	[GUESTS_THREADS] = {.title = "THR", .width = 4, .rank = 6, .right = true, .descends = true},
	[GUESTS_UPTIME] = {.title = "UP", .width = 11, .rank = 7, .right = true, .descends = true},
	[GUESTS_LOST] = {.title = "LOST", .width = 5, .rank = 3, .right = true, .descends = true},
	[GUESTS_NOTE] = {.title = "NOTE", .width = 21, .width_max = 255, .rank = 1},
};

static size_t count(const void *context)
{
	return ((const struct model *)context)->count;
}

static uint64_t identity(const void *context, size_t row)
{
	return ((const struct model *)context)->guests[row]->id;
}

static enum style state_style(uint32_t state)
{
	switch (state) {
	case UNI_GUEST_RUNNING:
		return STYLE_GOOD;
	case UNI_GUEST_CRASHED:
	case UNI_GUEST_DUMPING:
		return STYLE_BAD;
	case UNI_GUEST_EXITED:
		return STYLE_DIM;
	default:
		return STYLE_WARN;
	}
}

static bool metric_value(const struct guest *guest, const char *name, double *value)
{
	const struct uni_model_metric *metric = uni_model_metric(&guest->model, name);

	if (!metric || !metric->has_value)
		return false;
	if (metric->kind == UNI_METRIC_COUNTER && !metric->rate.known)
		return false;
	*value = metric->kind == UNI_METRIC_COUNTER ? metric->rate.per_s : (double)metric->value;
	return true;
}

/* The number behind a column, for sorting; false: not known, which sorts as the least. */
static bool number(const struct guest *guest, size_t column, double *value)
{
	uint64_t used, limit;
	bool steady;

	switch (column) {
	case GUESTS_CPU:
		return uni_model_cpu_share(&guest->model, value);
	case GUESTS_STARVED:
		return guest_starved(guest, value);
	case GUESTS_MEMORY:
		if (!uni_model_heap(&guest->model, &used, &limit))
			return false;
		*value = (double)used / (double)limit;
		return true;
	case GUESTS_GROWTH:
		return guest_heap_growth(guest, value, &steady);
	case GUESTS_REQUESTS:
		return metric_value(guest, "app.requests", value);
	case GUESTS_LATENCY:
		return metric_value(guest, "app.latency_p99_ns", value);
	case GUESTS_THREADS:
		*value = guest->model.thread_total;
		return guest->model.snapshots > 0;
	case GUESTS_UPTIME:
		*value = (double)guest->model.time_ns;
		return guest->model.time_ns > 0;
	case GUESTS_LOST:
		*value = (double)guest_lost(guest);
		return true;
	default:
		return false;
	}
}

static void put_percent(struct table_cell *cell, double share, double warn)
{
	snprintf(cell->text, sizeof(cell->text), "%.1f", share * 100);
	if (share >= warn)
		cell->style = STYLE_WARN;
}

static uint64_t whole_of(double value)
{
	return value > 0 && value < 1.8e19 ? (uint64_t)value : 0;
}

static void put_number(const struct guest *guest, size_t column, double value,
		       struct table_cell *cell)
{
	char rate[UNI_QUANTITY_SIZE];
	uint64_t whole = whole_of(value);
	bool steady;

	switch (column) {
	case GUESTS_CPU:
		put_percent(cell, value, 0.9);
		break;
	case GUESTS_STARVED:
		put_percent(cell, value, 0.05);
		break;
	case GUESTS_MEMORY:
		snprintf(cell->text, sizeof(cell->text), "%.0f %%", value * 100);
		cell->style = value >= 0.9 ? STYLE_WARN : STYLE_NORMAL;
		break;
	case GUESTS_GROWTH:
		snprintf(cell->text, sizeof(cell->text), "%c%s", value < 0 ? '-' : '+',
			 uni_quantity_bytes(rate, sizeof(rate),
					    whole_of(value < 0 ? -value : value)));
		guest_heap_growth(guest, &value, &steady);
		cell->style = steady ? STYLE_WARN : STYLE_NORMAL;
		break;
	case GUESTS_LATENCY:
	case GUESTS_UPTIME:
		uni_quantity_duration(cell->text, sizeof(cell->text), whole);
		break;
	case GUESTS_LOST:
		uni_quantity_count(cell->text, sizeof(cell->text), value);
		cell->style = value > 0 ? STYLE_WARN : STYLE_DIM;
		break;
	case GUESTS_THREADS:
		snprintf(cell->text, sizeof(cell->text), "%.0f", value);
		break;
	default:
		uni_quantity_count(cell->text, sizeof(cell->text), value);
		break;
	}
}

static void put_note(const struct model *model, const struct guest *guest, struct table_cell *cell)
{
	static const enum style styles[] = {STYLE_DIM, STYLE_WARN, STYLE_BAD};
	int severity;

	guest_note(guest, model->interval_ns, model->now_ns, cell->text, sizeof(cell->text),
		   &severity);
	cell->style = styles[severity];
}

static void cell(const void *context, size_t row, size_t column, struct table_cell *cell)
{
	const struct model *model = context;
	const struct guest *guest = model->guests[row];
	double value;

	switch (column) {
	case GUESTS_NAME:
		snprintf(cell->text, sizeof(cell->text), "%s", guest->name);
		cell->style = guest->client ? STYLE_BOLD : STYLE_DIM;
		break;
	case GUESTS_STATE:
		snprintf(cell->text, sizeof(cell->text), "%s",
			 uni_model_run_state_name(guest_state(guest)));
		cell->style = state_style(guest_state(guest));
		break;
	case GUESTS_NOTE:
		put_note(model, guest, cell);
		break;
	default:
		/* Numbers of one that is gone would look as if it still ran. */
		if (guest->client && number(guest, column, &value)) {
			put_number(guest, column, value, cell);
			break;
		}
		snprintf(cell->text, sizeof(cell->text), "-");
		cell->style = STYLE_DIM;
		break;
	}
}

static int compare(const void *context, size_t a, size_t b, size_t column)
{
	const struct model *model = context;
	const struct guest *left = model->guests[a];
	const struct guest *right = model->guests[b];
	double x = -1, y = -1;
	struct table_cell left_note = {.style = STYLE_NORMAL};
	struct table_cell right_note = {.style = STYLE_NORMAL};

	switch (column) {
	case GUESTS_NAME:
		return strverscmp(left->name, right->name);
	case GUESTS_STATE:
		return (int)guest_state(left) - (int)guest_state(right);
	case GUESTS_NOTE:
		put_note(model, left, &left_note);
		put_note(model, right, &right_note);
		return strcmp(left_note.text, right_note.text);
	default:
		if (!left->client || !number(left, column, &x))
			x = -1e300;
		if (!right->client || !number(right, column, &y))
			y = -1e300;
		/* Whole percents: rows do not change places over less. */
		if (column == GUESTS_CPU || column == GUESTS_STARVED) {
			x = x < 0 ? x : (double)(int64_t)(x * 100);
			y = y < 0 ? y : (double)(int64_t)(y * 100);
		}
		return (x > y) - (x < y);
	}
}

const struct table_ops layout_guests_ops = {
	.columns = columns,
	.column_count = sizeof(columns) / sizeof(columns[0]),
	.count = count,
	.identity = identity,
	.cell = cell,
	.compare = compare,
};

static void draw_empty(struct screen *screen, const struct model *model, int y)
{
	if (model->trouble[0]) {
		screen_put(screen, 1, y, -1, STYLE_BAD, model->trouble);
		return;
	}
	screen_put(screen, 1, y, -1, STYLE_NORMAL, "No guest runs here. Start one:");
	screen_put(screen, 1, y + 1, -1, STYLE_ACCENT, "uniscope run --detach shop.elf");
}

/* The work of all guests as a line of two minutes, below the rows. */
static void draw_sum(struct screen *screen, const struct model *model, int y)
{
	int width = screen->width - 44;
	double cpus = 0;

	if (width > HISTORY_SECONDS)
		width = HISTORY_SECONDS;
	if (width < 10)
		return;
	history_get(&model->cpu, 0, &cpus);
	layout_sparkline(screen, 1, y, width, STYLE_ACCENT, &model->cpu,
			 model->host.cpus > 0 ? model->host.cpus : 1);
	screen_printf(screen, width + 2, y, STYLE_NORMAL, "%.2f of %u CPUs, all guests, last 2 min",
		      cpus, model->host.cpus);
}

int layout_guests(struct screen *screen, struct ui *ui, const struct model *model, int y,
		  int bottom, uint64_t now_ns)
{
	bool sum = !ui->plain && bottom - y > 8;
	int height = bottom - y - (sum ? 1 : 0);

	if (model->count == 0) {
		draw_empty(screen, model, y + 1);
		return bottom;
	}
	if (table_update(&ui->guests, model, now_ns) < 0)
		return y;
	table_draw(&ui->guests, model, screen, y, height, !ui->plain);
	if (ui->guests.count == 0)
		screen_put(screen, 1, y + 1, -1, STYLE_DIM, "No guest passes the filter.");
	if (sum)
		draw_sum(screen, model, bottom - 1);
	return bottom;
}
