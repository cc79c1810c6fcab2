/* SPDX-License-Identifier: MIT */
/*
 * A table that an operator walks through: sorted, filtered, with a cursor.
 *
 * The cursor stays on what it points to (an identity: a guest, a thread), wherever sorting puts it.
 * Equal rows keep their order, and while the cursor is being moved the order stands still.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/screen.h"

#define TABLE_COLUMNS_MAX 16
#define TABLE_FILTER_SIZE 64

/* How long the order stands still after the cursor was moved. */
#define TABLE_HOLD_NS 3000000000ull

struct table_cell {
	char text[256];
	enum style style; /* STYLE_NORMAL unless set */
};

struct table_column {
	const char *title;
	uint8_t width;	   /* columns it needs at least */
	uint8_t width_max; /* takes more up to this while there is room and text for it */
	uint8_t rank;	   /* 0: always there; in narrow screens the highest goes first */
	bool right;	   /* aligned */
	bool descends;	   /* the large values are what one looks for */
};

struct table_ops {
	const struct table_column *columns;
	size_t column_count;
	size_t (*count)(const void *context);
	uint64_t (*identity)(const void *context, size_t row);
	void (*cell)(const void *context, size_t row, size_t column, struct table_cell *cell);
	int (*compare)(const void *context, size_t a, size_t b, size_t column);
};

struct table_row {
	uint64_t identity;
	uint32_t row;  /* of the source */
	uint32_t rank; /* place in the order before */
};

struct table {
	const struct table_ops *ops;
	size_t sort_column;
	bool inverted; /* against what the column prefers */
	char filter[TABLE_FILTER_SIZE];

	struct table_row *rows; /* what is shown, in order */
	size_t count;
	bool has_cursor;
	uint64_t cursor; /* identity */
	size_t place;	 /* of the cursor in rows */
	size_t top;	 /* first row on the screen */
	size_t page;	 /* rows that the screen showed */
	uint64_t hold_until_ns;

	int title_y;			 /* where it was drawn, for the mouse */
	int column_x[TABLE_COLUMNS_MAX]; /* -1: not shown */
};

void table_init(struct table *table, const struct table_ops *ops, size_t sort_column);
void table_fini(struct table *table);

/* Takes the source's rows in anew; before each drawing. -UNI_ENOMEM: the table is empty. */
int table_update(struct table *table, const void *context, uint64_t now_ns);

/* Draws titles and rows into rows y to y + height - 1. With `cursor` the selected row is marked and
 * kept in sight; without it the table is drawn from its first row on. */
void table_draw(struct table *table, const void *context, struct screen *screen, int y, int height,
		bool cursor);

/* All of these act on the rows of the last table_update(). */
void table_move(struct table *table, int rows, uint64_t now_ns);
void table_move_page(struct table *table, int pages, uint64_t now_ns);
void table_move_to(struct table *table, size_t place, uint64_t now_ns);

/* The next column that is shown, in the direction; a new column sorts as it prefers. */
void table_sort_next(struct table *table, int direction);
void table_sort_by(struct table *table, size_t column);

/* Moves to the next row whose first column contains text, from the cursor on (`again`: after it).
 * False: there is none. */
bool table_search(struct table *table, const void *context, const char *text, bool again,
		  uint64_t now_ns);

/* A click: on a title sorts by it, on a row moves there. True: it was on the row of the cursor. */
bool table_click(struct table *table, int x, int y, uint64_t now_ns);
