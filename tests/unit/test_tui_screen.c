/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "tui/screen.h"

static struct screen screen;

static void setup(void)
{
	setlocale(LC_ALL, "C.UTF-8");
	cr_assert_eq(screen_resize(&screen, 10, 3), 0);
}

static void teardown(void)
{
	screen_fini(&screen);
}

TestSuite(tui_screen, .init = setup, .fini = teardown);

static void expect(bool ascii, const char *wanted)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	screen_print(&screen, ascii, out);
	fclose(out);
	cr_assert_str_eq(text, wanted);
	free(text);
}

Test(tui_screen, prints_without_trailing_blanks_and_lines)
{
	screen_put(&screen, 1, 0, -1, STYLE_BOLD, "ab  ");
	expect(false, " ab\n");
	screen_put(&screen, 0, 1, -1, STYLE_NORMAL, "c");
	expect(false, " ab\nc\n");
}

Test(tui_screen, marks_what_it_cuts)
{
	cr_assert_eq(screen_put(&screen, 0, 0, 4, STYLE_NORMAL, "abcdef"), 4);
	screen_put(&screen, 0, 1, 4, STYLE_NORMAL, "abcd");
	screen_put(&screen, 7, 2, -1, STYLE_NORMAL, "abcd");
	expect(false, "abc\u2026\nabcd\n       ab\u2026\n");
	expect(true, "abc~\nabcd\n       ab~\n");
}

Test(tui_screen, nothing_is_drawn_outside)
{
	screen_put(&screen, -3, 0, -1, STYLE_NORMAL, "abcde");
	screen_put(&screen, 50, 0, -1, STYLE_NORMAL, "x");
	screen_put(&screen, 0, 3, -1, STYLE_NORMAL, "x");
	screen_put(&screen, 0, -1, -1, STYLE_NORMAL, "x");
	screen_put_glyph(&screen, 10, 0, STYLE_NORMAL, 'x');
	screen_style_row(&screen, 7, STYLE_BAR);
	expect(false, "de\n");
}

Test(tui_screen, wide_characters_take_two_columns)
{
	cr_assert_eq(screen_text_width("\u65e5a"), 3);
	screen_put(&screen, 0, 0, 3, STYLE_NORMAL, "\u65e5\u672c");
	screen_put(&screen, 0, 1, 3, STYLE_NORMAL, "a\u65e5\u672c");
	expect(false, "\u65e5\u2026\na\u2026\n");
}

Test(tui_screen, control_characters_and_broken_bytes_are_shown_as_such)
{
	screen_put(&screen, 0, 0, -1, STYLE_NORMAL, "a\033[b\177\377\xe2\x82");
	expect(false, "a?[b????\n");
}

Test(tui_screen, the_smallest_screen_is_one_cell)
{
	cr_assert_eq(screen_resize(&screen, 0, -5), 0);
	cr_assert_eq(screen.width, 1);
	cr_assert_eq(screen.height, 1);
	screen_put(&screen, 0, 0, -1, STYLE_NORMAL, "abc");
	expect(true, "~\n");
}
