/* SPDX-License-Identifier: MIT */
#include "tui/screen.h"

#include <stdarg.h>
#include <stdlib.h>
#include <wchar.h>

#include "tracing/errno.h"

#define ELLIPSIS 0x2026

int screen_resize(struct screen *screen, int width, int height)
{
	struct cell *cells;

	width = width < 1 ? 1 : width;
	height = height < 1 ? 1 : height;
	cells = calloc((size_t)width * (size_t)height, sizeof(*cells));
	if (!cells)
		return -UNI_ENOMEM;
	free(screen->cells);
	*screen = (struct screen){.width = width, .height = height, .cells = cells};
	screen_clear(screen);
	return 0;
}

void screen_clear(struct screen *screen)
{
	size_t count = (size_t)screen->width * (size_t)screen->height;

	for (size_t i = 0; i < count; i++)
		screen->cells[i] = (struct cell){.glyph = ' ', .style = STYLE_NORMAL};
}

void screen_fini(struct screen *screen)
{
	free(screen->cells);
	*screen = (struct screen){0};
}

/* Takes one character off the text; '?' for a byte that begins none. */
static uint32_t next_glyph(const char **text)
{
	const unsigned char *s = (const unsigned char *)*text;
	unsigned more = s[0] < 0x80   ? 0
			: s[0] < 0xc2 ? 9
			: s[0] < 0xe0 ? 1
			: s[0] < 0xf0 ? 2
			: s[0] < 0xf5 ? 3
				      : 9;
	uint32_t glyph;

	if (more == 0 || more == 9) {
		(*text)++;
		return more || s[0] < 0x20 || s[0] == 0x7f ? '?' : s[0];
	}
	glyph = s[0] & (0x3fu >> more);
	for (unsigned i = 1; i <= more; i++) {
		if ((s[i] & 0xc0) != 0x80) {
			(*text)++;
			return '?';
		}
		glyph = glyph << 6 | (s[i] & 0x3f);
	}
	*text += more + 1;
	return glyph;
}

/* Columns of a character, 0 for one that stands on another. In a locale without the character
 * wcwidth() knows nothing: those that the layouts draw take one column everywhere. */
static int glyph_width(uint32_t glyph)
{
	int width;

	if (glyph < 0x80)
		return 1;
	if (glyph < 0xa0)
		return 0;
	width = wcwidth((wchar_t)glyph);
	return width < 0 ? 1 : width;
}

int screen_text_width(const char *text)
{
	int width = 0;

	while (*text)
		width += glyph_width(next_glyph(&text));
	return width;
}

static struct cell *cell_at(struct screen *screen, int x, int y)
{
	if (x < 0 || y < 0 || x >= screen->width || y >= screen->height)
		return NULL;
	return &screen->cells[(size_t)y * (size_t)screen->width + (size_t)x];
}

void screen_put_glyph(struct screen *screen, int x, int y, enum style style, uint32_t glyph)
{
	struct cell *cell = cell_at(screen, x, y);

	if (cell)
		*cell = (struct cell){.glyph = glyph, .style = (uint8_t)style};
}

int screen_put(struct screen *screen, int x, int y, int width, enum style style, const char *text)
{
	int end = width < 0 || width > screen->width - x ? screen->width : x + width;
	bool cut = x + screen_text_width(text) > end;

	if (x >= end)
		return x;
	while (*text) {
		uint32_t glyph = next_glyph(&text);
		int columns = glyph_width(glyph);

		if (columns == 0)
			continue;
		if (cut && x + columns > end - 1) {
			screen_put_glyph(screen, x++, y, style, ELLIPSIS);
			return x;
		}
		screen_put_glyph(screen, x, y, style, glyph);
		if (columns == 2)
			screen_put_glyph(screen, x + 1, y, style, 0);
		x += columns;
	}
	return x;
}

int screen_printf(struct screen *screen, int x, int y, enum style style, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return screen_put(screen, x, y, -1, style, text);
}

void screen_style_row(struct screen *screen, int y, enum style style)
{
	for (int x = 0; x < screen->width; x++) {
		struct cell *cell = cell_at(screen, x, y);

		if (cell)
			cell->style = (uint8_t)style;
	}
}

char screen_ascii(uint32_t glyph)
{
	static const char levels[] = ".:-=+*##";

	if (glyph < 0x80)
		return (char)glyph;
	if (glyph >= 0x2581 && glyph <= 0x2588)
		return levels[glyph - 0x2581];
	switch (glyph) {
	case ELLIPSIS:
		return '~';
	case 0x25b2: /* a triangle upwards */
		return '^';
	case 0x25bc: /* and downwards */
		return 'v';
	default:
		return '?';
	}
}

static void print_glyph(uint32_t glyph, FILE *out)
{
	if (glyph < 0x80) {
		fputc((int)glyph, out);
	} else if (glyph < 0x800) {
		fputc((int)(0xc0 | glyph >> 6), out);
		fputc((int)(0x80 | (glyph & 0x3f)), out);
	} else if (glyph < 0x10000) {
		fputc((int)(0xe0 | glyph >> 12), out);
		fputc((int)(0x80 | (glyph >> 6 & 0x3f)), out);
		fputc((int)(0x80 | (glyph & 0x3f)), out);
	} else {
		fputc((int)(0xf0 | glyph >> 18), out);
		fputc((int)(0x80 | (glyph >> 12 & 0x3f)), out);
		fputc((int)(0x80 | (glyph >> 6 & 0x3f)), out);
		fputc((int)(0x80 | (glyph & 0x3f)), out);
	}
}

static int row_length(const struct screen *screen, int y)
{
	const struct cell *row = &screen->cells[(size_t)y * (size_t)screen->width];
	int length = screen->width;

	while (length > 0 && row[length - 1].glyph == ' ')
		length--;
	return length;
}

void screen_print(const struct screen *screen, bool ascii, FILE *out)
{
	int height = screen->height;

	while (height > 0 && row_length(screen, height - 1) == 0)
		height--;
	for (int y = 0; y < height; y++) {
		const struct cell *row = &screen->cells[(size_t)y * (size_t)screen->width];
		int length = row_length(screen, y);

		for (int x = 0; x < length; x++) {
			if (row[x].glyph == 0)
				continue;
			if (ascii)
				fputc(screen_ascii(row[x].glyph), out);
			else
				print_glyph(row[x].glyph, out);
		}
		fputc('\n', out);
	}
}
