/* SPDX-License-Identifier: MIT */
/* A program on a terminal that is not there: a pty, read by libvterm. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>
#include <vterm.h>

#define TERMINAL_TEXT_SIZE (256 * 128 * 4)

struct terminal {
	int fd;
	pid_t pid;
	int rows, columns;
	VTerm *vterm;
	VTermScreen *screen;
	struct termios settings; /* before the program ran */
	bool alternate;		 /* the program is on the alternate screen */
	bool cursor_visible;
	bool title_changed;
	unsigned bells;
	char text[TERMINAL_TEXT_SIZE]; /* of terminal_text() */
};

/* Runs argv with a terminal of this size; environ is the program's. False: it could not. */
bool terminal_start(struct terminal *terminal, char *const argv[], int columns, int rows);

/* The screen as UTF-8 lines without trailing blanks. */
const char *terminal_text(struct terminal *terminal);

/* One row of it; valid until the next call. */
const char *terminal_row(struct terminal *terminal, int y);

/* Follows the output until the screen contains the text (`wanted`) or no longer does, for at most
 * ten seconds. */
bool terminal_await(struct terminal *terminal, const char *text, bool wanted);

/* Follows the output for this long. */
void terminal_follow(struct terminal *terminal, int ms);

void terminal_type(struct terminal *terminal, const char *keys);
void terminal_resize(struct terminal *terminal, int columns, int rows);

/* The row that contains the text, -1: none. */
int terminal_find(struct terminal *terminal, const char *text);

/* The row that is shown as chosen (reversed all over), -1: none. */
int terminal_chosen(struct terminal *terminal);

/* Follows the program to its end; its status as waitpid() gives it. */
int terminal_wait(struct terminal *terminal);

/* The line settings are as they were before the program ran. */
bool terminal_is_restored(const struct terminal *terminal);

/* Ends the program if it runs still. */
void terminal_fini(struct terminal *terminal);
