/* SPDX-License-Identifier: MIT */
#include "tui/table.h"

#include <stdlib.h>
#include <string.h>

#include "tracing/errno.h"

#define RANK_NEW UINT32_MAX

void table_init(struct table *table, const struct table_ops *ops, size_t sort_column)
{
	*table = (struct table){.ops = ops, .sort_column = sort_column};
}

void table_fini(struct table *table)
{
	free(table->rows);
	*table = (struct table){.ops = table->ops};
}

struct order {
	const struct table *table;
	const void *context;
	bool hold;
};

static int compare_rows(const void *left, const void *right, void *argument)
{
	const struct table_row *a = left;
	const struct table_row *b = right;
	const struct order *order = argument;
	const struct table *table = order->table;
	size_t column = table->sort_column;
	int result;

	if (order->hold && a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	result = table->ops->compare(order->context, a->row, b->row, column);
	if (table->ops->columns[column].descends != table->inverted)
		result = -result;
	if (result == 0)
		result = (a->identity > b->identity) - (a->identity < b->identity);
	return result;
}

static int compare_identities(const void *left, const void *right)
{
	const struct table_row *a = left;
	const struct table_row *b = right;

	return (a->identity > b->identity) - (a->identity < b->identity);
}

static bool passes_filter(const struct table *table, const void *context, size_t row)
{
	if (table->filter[0] == '\0')
		return true;
	for (size_t column = 0; column < table->ops->column_count; column++) {
		struct table_cell cell = {.style = STYLE_NORMAL};

		table->ops->cell(context, row, column, &cell);
		if (strcasestr(cell.text, table->filter))
			return true;
	}
	return false;
}

/* Writes the places of the rows before into the new ones. The old rows end up out of order. */
static void rank_rows(struct table *table, struct table_row *rows, size_t count)
{
	for (size_t i = 0; i < table->count; i++)
		table->rows[i].rank = (uint32_t)i;
	if (table->count > 0)
		qsort(table->rows, table->count, sizeof(*table->rows), compare_identities);
	for (size_t i = 0; i < count; i++) {
		const struct table_row *old = NULL;

		if (table->count > 0)
			old = bsearch(&rows[i], table->rows, table->count, sizeof(*rows),
				      compare_identities);
		rows[i].rank = old ? old->rank : RANK_NEW;
	}
}

/* Finds the cursor's row again; where it is gone the cursor falls on the row in its place. */
static void find_cursor(struct table *table)
{
	for (size_t i = 0; i < table->count && table->has_cursor; i++) {
		if (table->rows[i].identity == table->cursor) {
			table->place = i;
			return;
		}
	}
	if (table->place >= table->count)
		table->place = table->count > 0 ? table->count - 1 : 0;
	table->has_cursor = table->count > 0;
	if (table->has_cursor)
		table->cursor = table->rows[table->place].identity;
}

int table_update(struct table *table, const void *context, uint64_t now_ns)
{
	size_t count = table->ops->count(context);
	struct table_row *rows = calloc(count ? count : 1, sizeof(*rows));
	struct order order = {
		.table = table,
		.context = context,
		.hold = now_ns < table->hold_until_ns,
	};
	size_t kept = 0;

	if (!rows) {
		table->count = 0;
		return -UNI_ENOMEM;
	}
	for (size_t row = 0; row < count; row++)
		if (passes_filter(table, context, row))
			rows[kept++] = (struct table_row){
				.identity = table->ops->identity(context, row),
				.row = (uint32_t)row,
			};
	rank_rows(table, rows, kept);
	qsort_r(rows, kept, sizeof(*rows), compare_rows, &order);
	free(table->rows);
	table->rows = rows;
	table->count = kept;
	find_cursor(table);
	return 0;
}

void table_move_to(struct table *table, size_t place, uint64_t now_ns)
{
	if (table->count == 0)
		return;
	table->place = place < table->count ? place : table->count - 1;
	table->cursor = table->rows[table->place].identity;
	table->has_cursor = true;
	table->hold_until_ns = now_ns + TABLE_HOLD_NS;
}

void table_move(struct table *table, int rows, uint64_t now_ns)
{
	size_t up = rows < 0 ? (size_t) - (int64_t)rows : 0;

	if (rows < 0)
		table_move_to(table, up < table->place ? table->place - up : 0, now_ns);
	else
		table_move_to(table, table->place + (size_t)rows, now_ns);
}

void table_move_page(struct table *table, int pages, uint64_t now_ns)
{
	int page = table->page > 1 ? (int)table->page - 1 : 1;

	table_move(table, pages * page, now_ns);
}

void table_sort_by(struct table *table, size_t column)
{
	table->sort_column = column;
	table->inverted = false;
	table->hold_until_ns = 0;
}

void table_sort_next(struct table *table, int direction)
{
	size_t count = table->ops->column_count;
	size_t column = table->sort_column;

	for (size_t i = 0; i < count; i++) {
		column = (column + (direction > 0 ? 1 : count - 1)) % count;
		if (table->column_x[column] >= 0)
			break;
	}
	table_sort_by(table, column);
}

bool table_search(struct table *table, const void *context, const char *text, bool again,
		  uint64_t now_ns)
{
	for (size_t i = 0; i < table->count; i++) {
		size_t place = (table->place + i + (again ? 1 : 0)) % table->count;
		struct table_cell cell = {.style = STYLE_NORMAL};

		table->ops->cell(context, table->rows[place].row, 0, &cell);
		if (strcasestr(cell.text, text)) {
			table_move_to(table, place, now_ns);
			return true;
		}
	}
	return false;
}

bool table_click(struct table *table, int x, int y, uint64_t now_ns)
{
	size_t place;

	if (y == table->title_y) {
		for (size_t column = table->ops->column_count; column-- > 0;)
			if (table->column_x[column] >= 0 && x >= table->column_x[column]) {
				table_sort_by(table, column);
				return false;
			}
		return false;
	}
	if (y < table->title_y || (size_t)(y - table->title_y) > table->page)
		return false;
	place = table->top + (size_t)(y - table->title_y) - 1;
	if (place >= table->count)
		return false;
	if (place == table->place)
		return true;
	table_move_to(table, place, now_ns);
	return false;
}
