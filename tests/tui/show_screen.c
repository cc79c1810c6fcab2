/* SPDX-License-Identifier: MIT */
/*
 * Runs a program on a terminal and prints what its screen shows, for tests that boot guests:
 *
 *	show_screen COLUMNS ROWS TEXT KEYS PROGRAM [ARGUMENTS]
 *
 * Waits for TEXT, types KEYS, follows the output for two more seconds, prints the screen and ends
 * the program. Exits 1 when TEXT does not come.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/tui/terminal.h"

int main(int argc, char **argv)
{
	static struct terminal terminal;
	bool seen;

	if (argc < 6)
		return 2;
	setenv("TERM", "xterm-256color", 1); /* whatever this program itself runs on */
	if (!terminal_start(&terminal, argv + 5, atoi(argv[1]), atoi(argv[2])))
		return 1;
	seen = terminal_await(&terminal, argv[3], true);
	if (seen) {
		terminal_type(&terminal, argv[4]);
		terminal_follow(&terminal, 2000);
	}
	fputs(terminal_text(&terminal), stdout);
	terminal_fini(&terminal);
	return seen ? 0 : 1;
}
