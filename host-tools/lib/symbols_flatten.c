// SPDX-License-Identifier: MIT
/* Two sweeps: nested ranges of scopes become disjoint ones, then these and the lines are cut at
 * each other's ends. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host-tools/lib/symbols_internal.h"

/* By start; of several with one start the outer first. */
static int compare_scopes(const void *a, const void *b)
{
	const struct symbols_span *left = a, *right = b;

	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	if (left->detail != right->detail)
		return left->detail < right->detail ? -1 : 1;
	if (left->end != right->end)
		return left->end > right->end ? -1 : 1;
	return left->what < right->what ? -1 : left->what > right->what;
}

static int compare_starts(const void *a, const void *b)
{
	const struct symbols_span *left = a, *right = b;

	return left->start < right->start ? -1 : left->start > right->start;
}

static bool put(symbols_spans *flat, uint64_t start, uint64_t end, uint32_t what)
{
	struct symbols_span *last = flat->count ? &flat->at[flat->count - 1] : NULL;

	if (start >= end)
		return true;
	if (last && last->what == what && last->end == start) {
		last->end = end;
		return true;
	}
	if (!SYMBOLS_GROW(flat))
		return false;
	flat->at[flat->count++] = (struct symbols_span){start, end, what, 0};
	return true;
}

/* Closes the open spans that end before `next`, innermost first. */
static bool close_before(symbols_spans *open, uint64_t next, uint64_t *at, symbols_spans *flat)
{
	while (open->count && open->at[open->count - 1].end <= next) {
		const struct symbols_span *top = &open->at[--open->count];

		if (!put(flat, *at, top->end, top->what))
			return false;
		*at = top->end > *at ? top->end : *at;
	}
	return true;
}

/* Opens a span; one that reaches beyond what it lies in is cut there. */
static bool push(symbols_spans *open, struct symbols_span span)
{
	if (open->count && span.end > open->at[open->count - 1].end)
		span.end = open->at[open->count - 1].end;
	if (!SYMBOLS_GROW(open))
		return false;
	open->at[open->count++] = span;
	return true;
}

/* Sorts nested spans and sweeps them with a stack of those that are open. */
static bool flatten(symbols_spans *nested, symbols_spans *flat)
{
	symbols_spans open = {0};
	uint64_t at = 0;
	bool good = true;

	if (nested->count)
		qsort(nested->at, nested->count, sizeof(*nested->at), compare_scopes);
	for (size_t i = 0; good && i < nested->count; i++) {
		const struct symbols_span *span = &nested->at[i];

		good = close_before(&open, span->start, &at, flat);
		if (good && open.count)
			good = put(flat, at, span->start, open.at[open.count - 1].what);
		at = span->start;
		good = good && push(&open, *span);
	}
	good = good && close_before(&open, UINT64_MAX, &at, flat);
	free(open.at);
	return good;
}

/* Of rows that overlap the later one wins. */
static void cut_lines(symbols_spans *lines)
{
	if (lines->count)
		qsort(lines->at, lines->count, sizeof(*lines->at), compare_starts);
	for (size_t i = 0; i + 1 < lines->count; i++) {
		if (lines->at[i].end > lines->at[i + 1].start)
			lines->at[i].end = lines->at[i + 1].start;
	}
}

static bool put_piece(struct uni_symbols *symbols, size_t *room, uint64_t start,
		      struct symbols_piece piece)
{
	size_t count = symbols->piece_count;

	if (count && !memcmp(&symbols->pieces[count - 1], &piece, sizeof(piece)))
		return true;
	if (count == *room) {
		size_t starts_room = *room;

		if (!symbols_grow((void **)&symbols->starts, &starts_room, sizeof(uint64_t)) ||
		    !symbols_grow((void **)&symbols->pieces, room, sizeof(piece)))
			return false;
	}
	symbols->starts[count] = start;
	symbols->pieces[count] = piece;
	symbols->piece_count++;
	return true;
}

/* A list of disjoint spans as the sweep goes over it. */
struct reader {
	const struct symbols_span *next;
	size_t left;
};

/* The span that holds at `at`, NULL if none. Lowers *until to where that changes. */
static const struct symbols_span *span_at(struct reader *reader, uint64_t at, uint64_t *until)
{
	const struct symbols_span *span;
	uint64_t change;

	while (reader->left && reader->next->end <= at) {
		reader->next++;
		reader->left--;
	}
	if (!reader->left)
		return NULL;
	span = reader->next->start <= at ? reader->next : NULL;
	change = span ? span->end : reader->next->start;
	*until = change < *until ? change : *until;
	return span;
}

/* Goes over every address at which one of the lists changes. */
static bool join(struct uni_symbols *symbols, const symbols_spans *functions,
		 const symbols_spans *table, const symbols_spans *lines)
{
	struct reader function_reader = {functions->at, functions->count};
	struct reader table_reader = {table->at, table->count};
	struct reader line_reader = {lines->at, lines->count};
	uint64_t at = 0;
	size_t room = 0;

	while (at != UINT64_MAX) {
		struct symbols_piece piece = {UNI_SYMBOLS_NONE, UNI_SYMBOLS_NONE, 0};
		uint64_t until = UINT64_MAX;
		const struct symbols_span *function = span_at(&function_reader, at, &until);
		const struct symbols_span *symbol = span_at(&table_reader, at, &until);
		const struct symbols_span *line = span_at(&line_reader, at, &until);

		if (function || symbol)
			piece.scope = function ? function->what : symbol->what;
		if (line) {
			piece.file = line->what;
			piece.line = line->detail;
		}
		if (!put_piece(symbols, &room, at, piece))
			return false;
		at = until;
	}
	return true;
}

static void drop(symbols_spans *list)
{
	free(list->at);
	*list = (symbols_spans){0};
}

int symbols_flatten(struct uni_symbols *symbols)
{
	symbols_spans functions = {0}, table = {0};
	bool good;

	cut_lines(&symbols->lines);
	good = flatten(&symbols->functions, &functions) && flatten(&symbols->table, &table) &&
	       join(symbols, &functions, &table, &symbols->lines);
	symbols->have_lines = symbols->lines.count > 0;
	drop(&functions);
	drop(&table);
	drop(&symbols->functions);
	drop(&symbols->table);
	drop(&symbols->lines);
	return good ? 0 : -ENOMEM;
}
