/* SPDX-License-Identifier: MIT */
#include "tui/layout.h"

static const struct {
	const char *keys;
	const char *text;
} lines[] = {
	{"Up Down j k", "move; PgUp PgDn Home End too, or the mouse"},
	{"Enter, Esc", "open the guest under the cursor, go back"},
	{"g", "gdb on the guest; it goes on when you leave gdb"},
	{"t", "trace it for a second, and show the report"},
	{"F3 / n", "search a name, the next one"},
	{"F4 \\", "show only rows that contain a text, in any column"},
	{"F6 > <", "sort by the next column, the one before"},
	{"P M T N I", "sort by CPU, memory, time, name; invert"},
	{"Z z Space", "pause: the screen stands still, the guests do not"},
	{"d", "seconds between two looks"},
	{"F1 h ?", "this text"},
	{"q F10", "quit"},
	{"", ""},
	{"CPU%", "of a guest: of all its vCPUs; of a thread: of one vCPU"},
	{"STEAL%", "of its vCPUs' time: ready, but the host ran something else"},
	{"MEM HEAP+/s", "heap in use of what it can grow to; its growth"},
	{"THR UP", "threads; time since it booted"},
	{"LOST", "log lines, trace events and frames that did not get here"},
	{"WAITS FOR", "what a thread waits for, who holds it, for how long"},
	{"SW/s STACK", "switches to the thread; the most of its stack it ever used"},
	{"PRI CPU", "priority (higher runs first); where it ran last, ! if pinned"},
};

void layout_help(struct screen *screen)
{
	int y = 1;

	screen_style_row(screen, 0, STYLE_BAR);
	screen_put(screen, 1, 0, -1, STYLE_BAR, "unitop: keys and columns; any key goes back");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++, y++) {
		screen_put(screen, 1, y, -1, STYLE_BOLD, lines[i].keys);
		screen_put(screen, 14, y, -1, STYLE_NORMAL, lines[i].text);
	}
}
