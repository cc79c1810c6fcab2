/* SPDX-License-Identifier: MIT */
/* unitop on a terminal, its screen read by libvterm; the guests are those of fake_guest.h. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/tui/fake_guest.h"
#include "tests/tui/terminal.h"

#define ENTER "\r"
#define ESCAPE "\033"
#define DOWN "\033OB"
#define END "\033OF"
#define F1 "\033OP"

static char runtime[] = "/tmp/uni-tui-XXXXXX";
static struct terminal terminal;
static pid_t fakes;

static void start_guests(void)
{
	static const char *const names[] = {"alpha", "bravo", "crowd", "edge", NULL};

	cr_assert_not_null(mkdtemp(runtime));
	setenv("XDG_RUNTIME_DIR", runtime, 1);
	setenv("TERM", "xterm-256color", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	unsetenv("NO_COLOR");
	unsetenv("COLUMNS");
	unsetenv("LINES");
	fakes = fake_guests_start(names);
	cr_assert_gt(fakes, 0);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	return remove(path);
}

static void stop_guests(void)
{
	terminal_fini(&terminal);
	if (fakes > 0)
		fake_guests_stop(fakes);
	nftw(runtime, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(unitop, .init = start_guests, .fini = stop_guests, .timeout = 60);

static void start_with(int columns, int rows, const char *argument)
{
	static char path[4096];
	const char *build = getenv("UNI_BUILD");
	char *argv[] = {path, (char *)argument, NULL};

	snprintf(path, sizeof(path), "%s/tui/unitop", build ? build : "build");
	cr_assert(terminal_start(&terminal, argv, columns, rows));
}

#define expect(text)                                                              \
	cr_assert(terminal_await(&terminal, text, true), "no '%s' on:\n%s", text, \
		  terminal_text(&terminal))
#define expect_not(text)                                                              \
	cr_assert(terminal_await(&terminal, text, false), "still '%s' on:\n%s", text, \
		  terminal_text(&terminal))

static void start(int columns, int rows)
{
	start_with(columns, rows, NULL);
	expect("edge");
	expect("55.0");
}

static void open_alpha(int columns, int rows)
{
	start_with(columns, rows, "alpha");
	expect("65.0");
}

/* The order of rows that contain these texts. */
static void expect_order(const char *first, const char *second)
{
	for (int tries = 0; tries < 100; tries++) {
		int a = terminal_find(&terminal, first);
		int b = terminal_find(&terminal, second);

		if (a >= 0 && b >= 0 && a < b)
			return;
		terminal_follow(&terminal, 50);
	}
	cr_assert_fail("'%s' is not above '%s' on:\n%s", first, second, terminal_text(&terminal));
}

static void expect_chosen(const char *text)
{
	for (int tries = 0; tries < 100; tries++) {
		int y = terminal_chosen(&terminal);

		if (y >= 0 && strstr(terminal_row(&terminal, y), text))
			return;
		terminal_follow(&terminal, 50);
	}
	cr_assert_fail("'%s' is not chosen on:\n%s", text, terminal_text(&terminal));
}

Test(unitop, lists_guests_with_their_numbers)
{
	const char *row;

	start(120, 30);
	expect("4 guests 3 up 1 crashed");
	/* Starved 2 % of two CPUs. */
	expect(" 55.0     1.0 ");
	row = terminal_row(&terminal, terminal_find(&terminal, " alpha"));
	cr_assert(strstr(row, "running"), "%s", row);
	cr_assert(strstr(row, "55.0"), "half of 30 %% and 80 %%: %s", row);
	row = terminal_row(&terminal, terminal_find(&terminal, " edge"));
	cr_assert(strstr(row, "crashed"), "%s", row);
	cr_assert(strstr(row, "null pointer in"), "%s", row);
}

Test(unitop, opens_a_guest_and_goes_back)
{
	start(120, 30);
	terminal_type(&terminal, ENTER);
	expect("mutex orders, held by worker-2 12 ms");
	expect("vCPU1");
	expect("14.6/16 KiB");
	expect("req/s");
	expect("ready in 41 ms...");
	terminal_type(&terminal, ESCAPE);
	expect("4 guests");
	expect_not("worker-1");
}

Test(unitop, opens_the_guest_that_is_named)
{
	open_alpha(80, 24);
	expect("mutex orders, held by");
}

Test(unitop, sorts_by_cpu_and_by_name_and_inverts)
{
	open_alpha(120, 30);
	expect_order("worker-2 ", "dispatcher");
	expect_order("timer", "idle/0");
	terminal_type(&terminal, "N");
	expect_order("dispatcher", "timer");
	expect_order("timer", "worker-2 ");
	terminal_type(&terminal, "I");
	expect_order("worker-2 ", "timer");
	terminal_type(&terminal, "P");
	expect("CPU%\u25bc");
	expect_order("worker-2 ", "dispatcher");
	expect_order("dispatcher", "idle/0");
}

Test(unitop, the_next_column_sorts)
{
	start(120, 30);
	expect("NAME\u25b2");
	terminal_type(&terminal, ">");
	expect("STATE\u25b2");
	terminal_type(&terminal, ">");
	expect("CPU%\u25bc");
	expect_order(" alpha", " bravo");
	terminal_type(&terminal, "<");
	expect("STATE\u25b2");
}

Test(unitop, the_cursor_stays_on_its_guest)
{
	start(80, 24);
	expect_chosen("alpha");
	terminal_type(&terminal, DOWN);
	expect_chosen("bravo");
	terminal_type(&terminal, "I");
	expect_order(" edge", " alpha");
	expect_chosen("bravo");
}

Test(unitop, the_screen_follows_the_cursor)
{
	start_with(80, 24, "crowd");
	expect("member-1 ");
	cr_assert_lt(terminal_find(&terminal, "member-300"), 0);
	terminal_type(&terminal, END);
	expect_chosen("member-300");
	expect("member-299");
}

Test(unitop, filters_by_any_column)
{
	start(120, 30);
	terminal_type(&terminal, "\\null poi");
	expect_not(" alpha");
	expect(" edge");
	terminal_type(&terminal, ENTER);
	expect("Only rows with 'null poi'");
	terminal_type(&terminal, ESCAPE);
	expect(" alpha");
}

Test(unitop, searches_names)
{
	start(80, 24);
	terminal_type(&terminal, "/row");
	expect_chosen("crowd");
	expect(" alpha");
	terminal_type(&terminal, ENTER "/nobody");
	expect("No row has 'nobody'");
	expect_chosen("crowd");
}

Test(unitop, shows_help)
{
	start(80, 24);
	terminal_type(&terminal, F1);
	expect("any key goes back");
	expect("WAITS FOR");
	terminal_type(&terminal, "x");
	expect("4 guests");
}

Test(unitop, pauses)
{
	open_alpha(120, 30);
	terminal_type(&terminal, "Z");
	expect("PAUSED");
	terminal_type(&terminal, "Z");
	expect_not("PAUSED");
}

Test(unitop, takes_another_delay)
{
	start(80, 24);
	terminal_type(&terminal, "d0.5" ENTER);
	expect("0.5 s");
	terminal_type(&terminal, "dsoon" ENTER);
	expect("'soon' is no delay");
}

/* These guests have no stub: what is tested is the way to gdb and back. */
Test(unitop, steps_aside_for_gdb_and_comes_back)
{
	start(80, 24);
	terminal_type(&terminal, "g");
	expect("(gdb)");
	cr_assert_not(terminal.alternate);
	/* For gdb alone: unitop must not end by it later. */
	terminal_type(&terminal, "\003");
	expect("Quit");
	terminal_type(&terminal, "quit\n");
	expect("4 guests");
	cr_assert(terminal.alternate);
	terminal_type(&terminal, "q");
	cr_assert_eq(terminal_wait(&terminal), 0);
}

/* As xterm reports the first button pressed and released in its SGR mode. */
static void click(int x, int y)
{
	char keys[64];

	snprintf(keys, sizeof(keys), "\033[<0;%d;%dM\033[<0;%d;%dm", x + 1, y + 1, x + 1, y + 1);
	terminal_type(&terminal, keys);
}

Test(unitop, a_click_chooses_and_a_second_one_opens)
{
	start(80, 24);
	click(3, terminal_find(&terminal, " crowd"));
	expect_chosen("crowd");
	click(3, terminal_find(&terminal, " crowd"));
	expect("member-1 ");
}

Test(unitop, follows_the_size_of_the_terminal)
{
	static const int sizes[][2] = {{120, 40}, {40, 10}, {200, 60}, {3, 2}, {1, 1}, {80, 24}};

	start(80, 24);
	cr_assert_lt(terminal_find(&terminal, " UP "), 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		terminal_resize(&terminal, sizes[i][0], sizes[i][1]);
		terminal_follow(&terminal, 150);
		if (sizes[i][0] < 40)
			continue;
		expect("unitop");
		expect(" edge");
		cr_assert_eq(terminal_find(&terminal, " UP ") >= 0, sizes[i][0] >= 120, "%s",
			     terminal_text(&terminal));
	}
	terminal_type(&terminal, "q");
	cr_assert_eq(terminal_wait(&terminal), 0);
}

Test(unitop, tiny_terminals_do_not_break_one_guest)
{
	static const int sizes[][2] = {{40, 10}, {20, 5}, {1, 1}, {2, 30}, {200, 2}};

	open_alpha(80, 24);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		terminal_resize(&terminal, sizes[i][0], sizes[i][1]);
		terminal_follow(&terminal, 150);
	}
	terminal_resize(&terminal, 80, 24);
	expect("worker-1");
}

Test(unitop, quits_and_gives_the_terminal_back)
{
	start(80, 24);
	cr_assert(terminal.alternate);
	cr_assert_not(terminal.cursor_visible);
	cr_assert_not(terminal_is_restored(&terminal));
	terminal_type(&terminal, "q");
	cr_assert_eq(terminal_wait(&terminal), 0);
	cr_assert_not(terminal.alternate);
	cr_assert(terminal.cursor_visible);
	cr_assert(terminal_is_restored(&terminal));
}

/* However it ends. */
static void expect_restored_after(int number)
{
	int status;

	start(80, 24);
	kill(terminal.pid, number);
	status = terminal_wait(&terminal);
	cr_assert(WIFSIGNALED(status) ? WTERMSIG(status) == number
				      : WEXITSTATUS(status) == 128 + number,
		  "status %x", status);
	cr_assert_not(terminal.alternate);
	cr_assert(terminal.cursor_visible);
	cr_assert(terminal_is_restored(&terminal));
}

Test(unitop, gives_the_terminal_back_when_told_to_end)
{
	expect_restored_after(SIGTERM);
}

Test(unitop, gives_the_terminal_back_at_a_hang_up)
{
	expect_restored_after(SIGHUP);
}

Test(unitop, gives_the_terminal_back_when_it_crashes)
{
	expect_restored_after(SIGSEGV);
}

Test(unitop, ends_by_control_c)
{
	start(80, 24);
	terminal_type(&terminal, "\003");
	cr_assert_eq(WEXITSTATUS(terminal_wait(&terminal)), 130);
	cr_assert(terminal_is_restored(&terminal));
}

Test(unitop, control_sequences_of_a_guest_stay_text)
{
	start_with(120, 30, "bravo");
	expect("\\x1b[2J\\x1b]0;x\\x07evil");
	expect("\\x1b[31mred");
	cr_assert_not(terminal.title_changed);
	cr_assert_eq(terminal.bells, 0);
}

Test(unitop, a_guest_that_goes_stays_listed_with_its_end)
{
	start(80, 24);
	fake_guests_stop(fakes);
	fakes = 0;
	expect("exited");
	expect(" alpha");
	expect("0 up");
	cr_assert_geq(terminal_find(&terminal, "null pointer in"), 0, "a death stays a death");
}

Test(unitop, a_guest_that_starts_is_found)
{
	static const char *const names[] = {"delta", NULL};
	pid_t other;

	start(80, 24);
	other = fake_guests_start(names);
	cr_assert_gt(other, 0);
	expect(" delta");
	expect("5 guests");
	fake_guests_stop(other);
}

static bool has_colour(void)
{
	for (int y = 0; y < terminal.rows; y++) {
		for (int x = 0; x < terminal.columns; x++) {
			VTermScreenCell cell;

			vterm_screen_get_cell(terminal.screen, (VTermPos){.row = y, .col = x},
					      &cell);
			if (!VTERM_COLOR_IS_DEFAULT_FG(&cell.fg) ||
			    !VTERM_COLOR_IS_DEFAULT_BG(&cell.bg))
				return true;
		}
	}
	return false;
}

Test(unitop, is_coloured)
{
	start(80, 24);
	cr_assert(has_colour());
}

Test(unitop, no_color_means_none)
{
	setenv("NO_COLOR", "1", 1);
	start(80, 24);
	cr_assert_not(has_colour());
	expect_chosen("alpha");
}

Test(unitop, is_ascii_where_the_terminal_is)
{
	setenv("LC_ALL", "C", 1);
	open_alpha(120, 30);
	expect("###");
	for (const char *c = terminal_text(&terminal); *c; c++)
		cr_assert(isascii((unsigned char)*c), "%s", terminal.text);
}
