/* SPDX-License-Identifier: MIT */
/* What is where on a screen. The same for the terminal and for the text output. */
#pragma once

#include "tui/history.h"
#include "tui/model.h"
#include "tui/screen.h"
#include "tui/ui.h"

/* Draws the whole screen, and updates the tables of ui on the way. */
void layout_draw(struct screen *screen, struct ui *ui, const struct model *model, uint64_t now_ns);

/* Rows that layout_draw() needs to show everything: for the text output. */
int layout_height(const struct ui *ui, const struct model *model);

/* One subject each, into the rows from y on; return the row after the last. `bottom` is the first
 * row that is not theirs. */
int layout_guests(struct screen *screen, struct ui *ui, const struct model *model, int y,
		  int bottom, uint64_t now_ns);
int layout_guest(struct screen *screen, struct ui *ui, const struct model *model,
		 const struct guest *guest, int y, int bottom, uint64_t now_ns);
void layout_help(struct screen *screen);

/* A sparkline of the newest samples, `width` columns, where `max` is a full column. Returns the
 * column after it. */
int layout_sparkline(struct screen *screen, int x, int y, int width, enum style style,
		     const struct history *history, double max);

/* A bar of `width` columns of which `share` (0 to 1) is full. */
int layout_bar(struct screen *screen, int x, int y, int width, enum style style, double share);

/* The tables' rows: contexts are struct model and struct guest. */
extern const struct table_ops layout_guests_ops;
extern const struct table_ops layout_threads_ops;

enum layout_guests_column {
	GUESTS_NAME,
	GUESTS_STATE,
	GUESTS_CPU,
	GUESTS_STARVED,
	GUESTS_MEMORY,
	GUESTS_GROWTH,
	GUESTS_REQUESTS,
	GUESTS_LATENCY,
	GUESTS_THREADS,
	GUESTS_UPTIME,
	GUESTS_LOST,
	GUESTS_NOTE,
};

enum layout_threads_column {
	THREADS_NAME,
	THREADS_STATE,
	THREADS_CPU,
	THREADS_WAIT,
	THREADS_SWITCHES,
	THREADS_STACK,
	THREADS_PRIORITY,
	THREADS_WHERE,
	THREADS_TIME,
	THREADS_ID,
};
