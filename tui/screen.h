/* SPDX-License-Identifier: MIT */
/*
 * A grid of styled characters: what the layouts draw into, and what the terminal and the text
 * output show. It clips everything to its size, so layouts need not know how small a terminal is.
 *
 * Text is UTF-8. Control characters and broken bytes become '?': the grid is the last gate before
 * the terminal, after the sanitizer of the model.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum style {
	STYLE_NORMAL,
	STYLE_DIM,
	STYLE_BOLD,
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
	STYLE_ACCENT,
	STYLE_BAR,	/* the line on top and the names of keys */
	STYLE_TITLE,	/* titles of a table's columns */
	STYLE_SELECTED, /* the row under the cursor */
	STYLE_COUNT,
};

struct cell {
	uint32_t glyph; /* 0: right half of a wide character */
	uint8_t style;	/* enum style */
};

struct screen {
	int width, height;
	struct cell *cells; /* height rows of width cells */
};

/* Empty, at least 1x1. Returns 0 or -UNI_ENOMEM. Zero-initialise a screen before the first time. */
int screen_resize(struct screen *screen, int width, int height) __attribute__((warn_unused_result));
void screen_clear(struct screen *screen);
void screen_fini(struct screen *screen);

/*
 * Writes text from column x on, at most `width` columns (negative: to the edge); a text that is cut
 * ends in an ellipsis. Returns the column after it. Anything outside of the screen is left out.
 */
int screen_put(struct screen *screen, int x, int y, int width, enum style style, const char *text);
int screen_printf(struct screen *screen, int x, int y, enum style style, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* One character of one column. */
void screen_put_glyph(struct screen *screen, int x, int y, enum style style, uint32_t glyph);

/* Gives the whole row one style. */
void screen_style_row(struct screen *screen, int y, enum style style);

/* Columns that a text takes. */
int screen_text_width(const char *text);

/* The nearest character of ASCII. */
char screen_ascii(uint32_t glyph);

/* Writes the screen as lines without trailing blanks, and without empty lines at its end. */
void screen_print(const struct screen *screen, bool ascii, FILE *out);
