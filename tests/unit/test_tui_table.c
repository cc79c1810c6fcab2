/* SPDX-License-Identifier: MIT */
/* The table under sorting, filtering and sources that change, without a terminal. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tui/table.h"

struct source {
	size_t count;
	struct {
		uint64_t id;
		const char *name;
		int value;
	} rows[16];
};

static const struct table_column columns[] = {
	{.title = "NAME", .width = 6, .width_max = 20},
	{.title = "VALUE", .width = 6, .right = true, .descends = true},
	{.title = "RARE", .width = 6, .rank = 2},
};

static size_t count(const void *context)
{
	return ((const struct source *)context)->count;
}

static uint64_t identity(const void *context, size_t row)
{
	return ((const struct source *)context)->rows[row].id;
}

static void cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	const struct source *source = context;

	if (column == 1)
		snprintf(out->text, sizeof(out->text), "%d", source->rows[row].value);
	else
		snprintf(out->text, sizeof(out->text), "%s",
			 column == 0 ? source->rows[row].name : "rare");
}

static int compare(const void *context, size_t a, size_t b, size_t column)
{
	const struct source *source = context;

	if (column == 0)
		return strcmp(source->rows[a].name, source->rows[b].name);
	return source->rows[a].value - source->rows[b].value;
}

static const struct table_ops ops = {
	.columns = columns,
	.column_count = 3,
	.count = count,
	.identity = identity,
	.cell = cell,
	.compare = compare,
};

static struct table table;
static struct source source;

static void setup(void)
{
	source = (struct source){
		.count = 4,
		.rows = {{11, "delta", 1}, {12, "alpha", 5}, {13, "charlie", 5}, {14, "bravo", 9}},
	};
	table_init(&table, &ops, 0);
	cr_assert_eq(table_update(&table, &source, 0), 0);
}

static void teardown(void)
{
	table_fini(&table);
}

TestSuite(tui_table, .init = setup, .fini = teardown);

/* Names in order, as "alpha bravo ". */
static void expect(const char *wanted)
{
	char got[256] = "";

	for (size_t i = 0; i < table.count; i++) {
		strcat(got, source.rows[table.rows[i].row].name);
		strcat(got, " ");
	}
	cr_assert_str_eq(got, wanted);
}

static const char *cursor(void)
{
	return source.rows[table.rows[table.place].row].name;
}

Test(tui_table, sorts_as_the_column_prefers)
{
	expect("alpha bravo charlie delta ");
	table_sort_by(&table, 1);
	cr_assert_eq(table_update(&table, &source, 0), 0);
	expect("bravo alpha charlie delta ");
	table.inverted = true;
	cr_assert_eq(table_update(&table, &source, 0), 0);
	expect("delta alpha charlie bravo ");
}

Test(tui_table, the_cursor_follows_its_row)
{
	table_move(&table, 1, 0);
	cr_assert_str_eq(cursor(), "bravo");
	table_sort_by(&table, 1);
	source.rows[3].value = -5;
	cr_assert_eq(table_update(&table, &source, TABLE_HOLD_NS), 0);
	cr_assert_eq(table.place, 3);
	cr_assert_str_eq(cursor(), "bravo");
}

Test(tui_table, the_order_stands_still_after_a_move)
{
	table_sort_by(&table, 1);
	cr_assert_eq(table_update(&table, &source, 0), 0);
	table_move(&table, 1, 100);
	source.rows[0].value = 100;
	cr_assert_eq(table_update(&table, &source, 200), 0);
	expect("bravo alpha charlie delta ");
	/* A row that is new comes last as long as the others stand. */
	source.rows[4] = source.rows[0];
	source.rows[4].id = 15;
	source.rows[4].name = "echo";
	source.count = 5;
	cr_assert_eq(table_update(&table, &source, 300), 0);
	expect("bravo alpha charlie delta echo ");
	cr_assert_eq(table_update(&table, &source, 100 + TABLE_HOLD_NS), 0);
	expect("delta echo bravo alpha charlie ");
}

Test(tui_table, a_cursor_whose_row_is_gone_falls_on_its_place)
{
	table_move_to(&table, SIZE_MAX, 0);
	cr_assert_str_eq(cursor(), "delta");
	source.rows[0] = source.rows[3];
	source.count = 3;
	cr_assert_eq(table_update(&table, &source, TABLE_HOLD_NS), 0);
	cr_assert_str_eq(cursor(), "charlie");
	source.count = 0;
	cr_assert_eq(table_update(&table, &source, TABLE_HOLD_NS), 0);
	cr_assert_not(table.has_cursor);
	table_move(&table, 1, 0);
	table_move_page(&table, -1, 0);
	cr_assert_eq(table.place, 0);
}

Test(tui_table, filters_by_any_column_whatever_the_case)
{
	strcpy(table.filter, "ALPHA");
	cr_assert_eq(table_update(&table, &source, 0), 0);
	expect("alpha ");
	strcpy(table.filter, "5");
	cr_assert_eq(table_update(&table, &source, 0), 0);
	expect("alpha charlie ");
	strcpy(table.filter, "nothing");
	cr_assert_eq(table_update(&table, &source, 0), 0);
	expect("");
	table.filter[0] = '\0';
	cr_assert_eq(table_update(&table, &source, 0), 0);
	expect("alpha bravo charlie delta ");
}

Test(tui_table, searches_from_the_cursor_on)
{
	cr_assert(table_search(&table, &source, "a", true, 0));
	cr_assert_str_eq(cursor(), "bravo");
	cr_assert(table_search(&table, &source, "LI", false, 0));
	cr_assert_str_eq(cursor(), "charlie");
	cr_assert(table_search(&table, &source, "alp", true, 0), "around the end");
	cr_assert_str_eq(cursor(), "alpha");
	cr_assert_not(table_search(&table, &source, "9", false, 0), "names only");
	cr_assert_str_eq(cursor(), "alpha");
}

Test(tui_table, narrow_screens_drop_what_matters_least)
{
	struct screen screen = {0};

	cr_assert_eq(screen_resize(&screen, 40, 6), 0);
	table_draw(&table, &source, &screen, 0, 6, true);
	cr_assert_geq(table.column_x[2], 0);
	cr_assert_eq(screen_resize(&screen, 16, 6), 0);
	table_draw(&table, &source, &screen, 0, 6, true);
	cr_assert_lt(table.column_x[2], 0);
	cr_assert_geq(table.column_x[1], 0);
	table_sort_by(&table, 1);
	table_sort_next(&table, 1);
	cr_assert_eq(table.sort_column, 0, "a column that is not shown is passed over");
	screen_fini(&screen);
}

Test(tui_table, scrolls_no_more_than_it_must)
{
	struct screen screen = {0};

	cr_assert_eq(screen_resize(&screen, 40, 3), 0);
	table_move_to(&table, 3, 0);
	table_draw(&table, &source, &screen, 0, 3, true);
	cr_assert_eq(table.top, 2);
	table_move(&table, -1, 0);
	table_draw(&table, &source, &screen, 0, 3, true);
	cr_assert_eq(table.top, 2, "the cursor is in sight");
	table_move(&table, -1, 0);
	table_draw(&table, &source, &screen, 0, 3, true);
	cr_assert_eq(table.top, 1);
	screen_fini(&screen);
}

Test(tui_table, clicks_choose_and_open_and_sort)
{
	struct screen screen = {0};

	cr_assert_eq(screen_resize(&screen, 40, 6), 0);
	table_draw(&table, &source, &screen, 0, 6, true);
	cr_assert_not(table_click(&table, 3, 3, 0));
	cr_assert_str_eq(cursor(), "charlie");
	cr_assert(table_click(&table, 3, 3, 0), "the second click opens");
	cr_assert_not(table_click(&table, 3, 5, 0), "below the rows");
	cr_assert_not(table_click(&table, table.column_x[1] + 1, 0, 0));
	cr_assert_eq(table.sort_column, 1);
	screen_fini(&screen);
}
