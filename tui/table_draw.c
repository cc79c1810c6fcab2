/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "tui/table.h"

#define TRIANGLE_UP "\xe2\x96\xb2"
#define TRIANGLE_DOWN "\xe2\x96\xbc"

/* Widths of the columns; 0: not shown. */
struct widths {
	int of[TABLE_COLUMNS_MAX];
};

static int needed(const struct table *table, unsigned rank, struct widths *widths)
{
	int sum = 0;

	for (size_t i = 0; i < table->ops->column_count; i++) {
		const struct table_column *column = &table->ops->columns[i];

		widths->of[i] = column->rank <= rank ? column->width : 0;
		sum += widths->of[i] ? widths->of[i] + 1 : 0;
	}
	return sum;
}

static int longest_text(const struct table *table, const void *context, size_t column, size_t from,
			size_t rows)
{
	int longest = 0;

	for (size_t i = from; i < table->count && i < from + rows; i++) {
		struct table_cell cell = {.style = STYLE_NORMAL};
		int width;

		table->ops->cell(context, table->rows[i].row, column, &cell);
		width = screen_text_width(cell.text);
		longest = width > longest ? width : longest;
	}
	return longest;
}

static struct widths choose_widths(const struct table *table, const void *context, int width,
				   size_t from, size_t rows)
{
	struct widths widths;
	unsigned rank = UINT8_MAX;
	int left = width - needed(table, rank, &widths);

	while (left < 0 && rank > 0) {
		unsigned highest = 0;

		for (size_t i = 0; i < table->ops->column_count; i++)
			if (table->ops->columns[i].rank < rank &&
			    table->ops->columns[i].rank > highest)
				highest = table->ops->columns[i].rank;
		rank = highest;
		left = width - needed(table, rank, &widths);
	}
	for (size_t i = 0; i < table->ops->column_count && left > 0; i++) {
		const struct table_column *column = &table->ops->columns[i];
		int more;

		if (widths.of[i] == 0 || column->width_max <= column->width)
			continue;
		more = longest_text(table, context, i, from, rows);
		more = more > column->width_max ? column->width_max : more;
		more -= column->width;
		more = more > left ? left : more;
		if (more > 0) {
			widths.of[i] += more;
			left -= more;
		}
	}
	return widths;
}

static void put_aligned(struct screen *screen, int x, int y, int width, bool right,
			enum style style, const char *text)
{
	int pad = right ? width - screen_text_width(text) : 0;

	screen_put(screen, x + (pad > 0 ? pad : 0), y, pad > 0 ? width - pad : width, style, text);
}

static void draw_titles(const struct table *table, struct screen *screen, int y,
			const struct widths *widths, bool arrow)
{
	screen_style_row(screen, y, STYLE_TITLE);
	for (size_t i = 0; i < table->ops->column_count; i++) {
		const struct table_column *column = &table->ops->columns[i];
		char title[64];

		if (table->column_x[i] < 0)
			continue;
		snprintf(title, sizeof(title), "%s%s", column->title,
			 !arrow || i != table->sort_column     ? ""
			 : column->descends != table->inverted ? TRIANGLE_DOWN
							       : TRIANGLE_UP);
		put_aligned(screen, table->column_x[i], y, widths->of[i], column->right,
			    STYLE_TITLE, title);
	}
}

static void draw_row(const struct table *table, const void *context, size_t row,
		     struct screen *screen, int y, const struct widths *widths)
{
	for (size_t i = 0; i < table->ops->column_count; i++) {
		struct table_cell cell = {.style = STYLE_NORMAL};

		if (table->column_x[i] < 0)
			continue;
		table->ops->cell(context, row, i, &cell);
		put_aligned(screen, table->column_x[i], y, widths->of[i],
			    table->ops->columns[i].right, cell.style, cell.text);
	}
}

/* Rows stay where they are as long as the cursor is in sight. */
static void scroll(struct table *table, bool cursor)
{
	if (!cursor) {
		table->top = 0;
		return;
	}
	if (table->top + table->page > table->count)
		table->top = table->count > table->page ? table->count - table->page : 0;
	if (table->place < table->top)
		table->top = table->place;
	else if (table->page > 0 && table->place >= table->top + table->page)
		table->top = table->place - table->page + 1;
}

void table_draw(struct table *table, const void *context, struct screen *screen, int y, int height,
		bool cursor)
{
	struct widths widths;
	int x = 1;

	table->title_y = y;
	table->page = height > 1 ? (size_t)height - 1 : 0;
	if (height < 1)
		return;
	scroll(table, cursor);
	widths = choose_widths(table, context, screen->width - 1, table->top, table->page);
	for (size_t i = 0; i < table->ops->column_count; i++) {
		table->column_x[i] = widths.of[i] ? x : -1;
		x += widths.of[i] ? widths.of[i] + 1 : 0;
	}
	draw_titles(table, screen, y, &widths, cursor);
	for (size_t i = 0; i < table->page && table->top + i < table->count; i++) {
		int row_y = y + 1 + (int)i;

		draw_row(table, context, table->rows[table->top + i].row, screen, row_y, &widths);
		if (cursor && table->has_cursor && table->top + i == table->place)
			screen_style_row(screen, row_y, STYLE_SELECTED);
	}
}
