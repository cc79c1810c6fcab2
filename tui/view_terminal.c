/* SPDX-License-Identifier: MIT */
#include "tui/view_terminal.h"

#include <curses.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tracing/errno.h"
#include "tui/terminal_rescue.h"
#include "tui/ui.h"

/* Last: it defines macros of very plain names. */
#include <term.h>

static bool ascii;
static attr_t attributes[STYLE_COUNT];
static short pairs[STYLE_COUNT];

static void set_monochrome(void)
{
	static const attr_t plain[STYLE_COUNT] = {
		[STYLE_BOLD] = A_BOLD,	 [STYLE_WARN] = A_BOLD,	      [STYLE_BAD] = A_BOLD,
		[STYLE_BAR] = A_REVERSE, [STYLE_TITLE] = A_UNDERLINE, [STYLE_SELECTED] = A_REVERSE,
	};

	memcpy(attributes, plain, sizeof(attributes));
	memset(pairs, 0, sizeof(pairs));
}

static void set_colour(enum style style, short foreground, short background, attr_t attribute)
{
	pairs[style] = (short)style;
	init_pair(pairs[style], foreground, background);
	attributes[style] = attribute;
}

/* See no-color.org: any value but the empty one. */
static bool colours_wanted(void)
{
	const char *no_color = getenv("NO_COLOR");

	return has_colors() && !(no_color && *no_color);
}

static void set_styles(void)
{
	set_monochrome();
	if (!colours_wanted())
		return;
	start_color();
	use_default_colors();
	set_colour(STYLE_DIM, -1, -1, A_DIM);
	set_colour(STYLE_GOOD, COLOR_GREEN, -1, 0);
	set_colour(STYLE_WARN, COLOR_YELLOW, -1, 0);
	set_colour(STYLE_BAD, COLOR_RED, -1, A_BOLD);
	set_colour(STYLE_ACCENT, COLOR_CYAN, -1, 0);
	set_colour(STYLE_BAR, COLOR_BLACK, COLOR_CYAN, 0);
	set_colour(STYLE_TITLE, COLOR_BLACK, COLOR_GREEN, 0);
}

/* Keys after those that ncurses should know at once; Esc itself is a key. */
#define ESCAPE_WAIT_MS 25

int view_open(struct uni_error *error)
{
	const char *name = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return uni_error_set(error, -UNI_ENOTSUP,
				     "cannot draw: stdin or stdout is no terminal; "
				     "unitop -b prints text");
	rescue_save_terminal();
	if (!newterm(NULL, stdout, stdin))
		return uni_error_set(error, -UNI_ENOTSUP,
				     "cannot draw on a terminal of type '%s'; set TERM to one that "
				     "is known here, or use unitop -b",
				     name ? name : "");
	if (!cursor_address) {
		endwin();
		return uni_error_set(error, -UNI_ENOTSUP,
				     "cannot draw on a terminal of type '%s', which cannot move "
				     "its cursor; use unitop -b",
				     name ? name : "");
	}
	ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	set_escdelay(ESCAPE_WAIT_MS);
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	mouseinterval(0);
	mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	set_styles();
	rescue_arm();
	return 0;
}

void view_close(void)
{
	endwin();
	rescue_disarm();
}

void view_suspend(void)
{
	endwin();
}

void view_resume(void)
{
	clearok(stdscr, TRUE);
	refresh();
}

void view_resize(int *width, int *height)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0)
		resizeterm(size.ws_row, size.ws_col);
	getmaxyx(stdscr, *height, *width);
}

static void show_cell(const struct cell *cell)
{
	wchar_t text[2] = {(wchar_t)cell->glyph, L'\0'};
	cchar_t character;

	if (cell->glyph < 0x80 || ascii) {
		addch((chtype)(unsigned char)screen_ascii(cell->glyph) | attributes[cell->style] |
		      (chtype)COLOR_PAIR(pairs[cell->style]));
		return;
	}
	setcchar(&character, text, attributes[cell->style], pairs[cell->style], NULL);
	add_wch(&character);
}

void view_show(const struct screen *screen)
{
	int width, height;

	getmaxyx(stdscr, height, width);
	for (int y = 0; y < screen->height && y < height; y++) {
		move(y, 0);
		for (int x = 0; x < screen->width && x < width; x++) {
			const struct cell *cell =
				&screen->cells[(size_t)y * (size_t)screen->width + (size_t)x];

			if (cell->glyph != 0)
				show_cell(cell);
		}
	}
	refresh();
}

static int map_key(int key)
{
	switch (key) {
	case KEY_UP:
		return UI_KEY_UP;
	case KEY_DOWN:
		return UI_KEY_DOWN;
	case KEY_LEFT:
		return UI_KEY_LEFT;
	case KEY_RIGHT:
		return UI_KEY_RIGHT;
	case KEY_PPAGE:
		return UI_KEY_PAGE_UP;
	case KEY_NPAGE:
		return UI_KEY_PAGE_DOWN;
	case KEY_HOME:
		return UI_KEY_HOME;
	case KEY_END:
		return UI_KEY_END;
	case KEY_ENTER:
	case '\n':
		return UI_KEY_ENTER;
	case KEY_BACKSPACE:
	case 0x7f:
		return UI_KEY_BACKSPACE;
	default:
		break;
	}
	if (key >= KEY_F(1) && key <= KEY_F(10))
		return UI_KEY_F1 + key - KEY_F(1);
	return key < 0x80 ? key : 0;
}

static bool mouse_event(struct view_event *event)
{
	MEVENT mouse;

	if (getmouse(&mouse) != OK)
		return false;
	if (mouse.bstate & BUTTON4_PRESSED)
		event->key = UI_KEY_UP;
	else if (mouse.bstate & BUTTON5_PRESSED)
		event->key = UI_KEY_DOWN;
	else if (mouse.bstate & BUTTON1_PRESSED)
		*event = (struct view_event){.is_click = true, .x = mouse.x, .y = mouse.y};
	else
		return false;
	return true;
}

bool view_event(struct view_event *event)
{
	for (;;) {
		int key = getch();

		*event = (struct view_event){0};
		if (key == ERR)
			return false;
		if (key == KEY_MOUSE) {
			if (mouse_event(event))
				return true;
			continue;
		}
		event->key = map_key(key);
		if (event->key != 0)
			return true;
	}
}
