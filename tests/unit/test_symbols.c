/* SPDX-License-Identifier: MIT */
/* Looks up every address of a small program (fixtures/symbols_fixture.c), compiled with and without
 * debug information. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host-tools/lib/symbols.h"

#define CODE_LOW 0x400000
#define CODE_HIGH 0x420000
#define MAX 16

static struct uni_symbols *open_fixture(const char *path)
{
	struct uni_symbols *symbols = NULL;
	struct uni_error error = {0};

	cr_assert_eq(uni_symbols_open(path, &symbols, &error), 0, "%s", error.text);
	return symbols;
}

/* The first address whose innermost function has this name; 0: none. */
static uint64_t find(const struct uni_symbols *symbols, const char *function)
{
	struct uni_symbol_frame frames[MAX];

	for (uint64_t address = CODE_LOW; address < CODE_HIGH; address++) {
		if (uni_symbols_lookup(symbols, address, frames, MAX) &&
		    !strcmp(frames[0].function, function))
			return address;
	}
	return 0;
}

static void expect(const struct uni_symbol_frame *frame, const char *function, const char *file,
		   uint32_t line, bool inlined)
{
	cr_expect_str_eq(frame->function, function);
	cr_expect_str_eq(uni_symbol_file_name(frame), file);
	cr_expect_eq(frame->line, line, "%s: line %u, not %u", function, frame->line, line);
	cr_expect_eq(frame->inlined, inlined, "%s", function);
}

Test(symbols, shows_the_whole_chain_of_inlined_calls)
{
	struct uni_symbols *symbols = open_fixture(SYMBOLS_FIXTURE);
	struct uni_symbol_frame frames[MAX];
	uint64_t address = find(symbols, "leaf");

	cr_assert(address);
	cr_assert_eq(uni_symbols_lookup(symbols, address, frames, MAX), 3);
	expect(&frames[0], "leaf", "leaf.c", 102, true);
	expect(&frames[1], "middle", "middle.c", 203, true);
	expect(&frames[2], "outer", "outer.c", 303, false);
	uni_symbols_close(symbols);
}

Test(symbols, gives_no_more_frames_than_there_is_room)
{
	struct uni_symbols *symbols = open_fixture(SYMBOLS_FIXTURE);
	struct uni_symbol_frame frames[2] = {{.function = NULL}};

	cr_assert_eq(uni_symbols_lookup(symbols, find(symbols, "leaf"), frames, 1), 1);
	cr_expect_str_eq(frames[0].function, "leaf");
	cr_expect_null(frames[1].function);
	uni_symbols_close(symbols);
}

Test(symbols, goes_back_to_the_outer_function_behind_an_inlined_one)
{
	struct uni_symbols *symbols = open_fixture(SYMBOLS_FIXTURE);
	struct uni_symbol_frame frames[MAX];
	bool seen_line_304 = false;

	for (uint64_t a = find(symbols, "leaf"); a < CODE_HIGH; a++) {
		if (uni_symbols_lookup(symbols, a, frames, MAX) == 1 &&
		    !strcmp(frames[0].function, "outer"))
			seen_line_304 |= frames[0].line == 304;
	}
	cr_expect(seen_line_304);
	uni_symbols_close(symbols);
}

Test(symbols, knows_where_a_function_starts)
{
	struct uni_symbols *symbols = open_fixture(SYMBOLS_FIXTURE);
	struct uni_symbol_frame frames[MAX];
	uint64_t start = find(symbols, "plain");

	cr_assert(start);
	cr_assert_eq(uni_symbols_lookup(symbols, start + 2, frames, MAX), 1);
	cr_expect_eq(frames[0].start, start);
	uni_symbols_close(symbols);
}

Test(symbols, falls_back_to_the_symbol_table_for_assembly)
{
	struct uni_symbols *symbols = open_fixture(SYMBOLS_FIXTURE);
	struct uni_symbol_frame frames[MAX];
	uint64_t start = find(symbols, "from_assembly");

	cr_assert(start);
	cr_assert_eq(uni_symbols_lookup(symbols, start + 2, frames, MAX), 1);
	cr_expect_str_eq(frames[0].function, "from_assembly");
	cr_expect_null(frames[0].file);
	/* Three bytes long: what follows is not its. */
	cr_expect(!uni_symbols_lookup(symbols, start + 3, frames, MAX) ||
		  strcmp(frames[0].function, "from_assembly"));
	uni_symbols_close(symbols);
}

Test(symbols, without_debug_information_shows_functions_only)
{
	struct uni_symbols *symbols = open_fixture(SYMBOLS_FIXTURE_BARE);
	struct uni_symbol_frame frames[MAX];
	uint64_t start = find(symbols, "outer");

	cr_assert(start);
	cr_expect_not(uni_symbols_have_lines(symbols));
	cr_assert_eq(uni_symbols_lookup(symbols, start, frames, MAX), 1);
	cr_expect_null(frames[0].file);
	cr_expect_eq(frames[0].line, 0);
	cr_expect_eq(find(symbols, "leaf"), 0);
	uni_symbols_close(symbols);
}

Test(symbols, finds_nothing_outside_of_code)
{
	struct uni_symbols *symbols = open_fixture(SYMBOLS_FIXTURE);
	struct uni_symbol_frame frames[MAX];
	static const uint64_t nowhere[] = {0, 1, 0x1000, CODE_HIGH + 0x100000, UINT64_MAX};

	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		cr_expect_eq(uni_symbols_lookup(symbols, nowhere[i], frames, MAX), 0);
		cr_expect_not(uni_symbols_is_code(symbols, nowhere[i]));
	}
	uni_symbols_close(symbols);
}

Test(symbols, says_why_a_file_has_no_symbols)
{
	struct uni_symbols *symbols = NULL;
	struct uni_error error = {0};

	cr_expect_lt(uni_symbols_open("/nowhere/shop.elf", &symbols, &error), 0);
	cr_expect(strstr(error.text, "/nowhere/shop.elf"));
	cr_expect(strstr(error.text, "No such file"));
	cr_expect_lt(uni_symbols_open("/etc/passwd", &symbols, &error), 0);
	cr_expect(strstr(error.text, "/etc/passwd"));
	cr_expect_null(symbols);
}
