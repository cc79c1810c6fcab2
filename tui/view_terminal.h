/* SPDX-License-Identifier: MIT */
/*
 * The terminal, by ncurses: shows a screen, gives keys. One at a time.
 *
 * The terminal is given back by view_close(), and also when the program dies of a fault. The caller
 * blocks SIGWINCH and calls view_resize() when it comes.
 */
#pragma once

#include <stdbool.h>

#include "host-tools/lib/error.h"
#include "tui/screen.h"

struct view_event {
	bool is_click;
	int key; /* a character or an enum ui_key */
	int x, y;
};

/* Takes the terminal of stdin and stdout. Fails where there is none that can be drawn on. */
int view_open(struct uni_error *error) __attribute__((warn_unused_result));
void view_close(void);

/* Gives the terminal to another program, and takes it back. */
void view_suspend(void);
void view_resume(void);

/* Asks the terminal for its size. */
void view_resize(int *width, int *height);

void view_show(const struct screen *screen);

/* The next key or click, without waiting; false: there is none. */
bool view_event(struct view_event *event);
