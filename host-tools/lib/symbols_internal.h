/* SPDX-License-Identifier: MIT */
/*
 * From debug information to intervals, in three steps: symbols_dwarf.c and symbols_elf.c collect
 * spans of scopes and of lines, symbols_flatten.c cuts them to disjoint pieces, symbols.c looks
 * up.
 */
#pragma once

#include <elfutils/libdwfl.h>

#include "host-tools/lib/symbols.h"

#define UNI_SYMBOLS_NONE UINT32_MAX

#define SYMBOLS_ARRAY(type)         \
	struct {                    \
		type *at;           \
		size_t count, room; \
	}

/* A function, or one inlined copy of one. */
struct symbols_scope {
	uint32_t name;	    /* string */
	uint32_t parent;    /* scope that it is inlined into; UNI_SYMBOLS_NONE: not inlined */
	uint32_t call_file; /* string; where it is called from, if inlined */
	uint32_t call_line;
	uint64_t start;
};

/* Addresses that have a scope (of a depth: the deeper one wins), or a file and line. */
struct symbols_span {
	uint64_t start;
	uint64_t end;
	uint32_t what;	 /* scope, or file (a string) */
	uint32_t detail; /* depth, or line */
};

typedef SYMBOLS_ARRAY(struct symbols_span) symbols_spans;

/* What holds from one start to the next. */
struct symbols_piece {
	uint32_t scope; /* UNI_SYMBOLS_NONE: no function */
	uint32_t file;	/* UNI_SYMBOLS_NONE: no line */
	uint32_t line;
};

/* Texts, each once, by number. */
struct symbols_strings {
	char *text;
	size_t len, room;
	uint32_t *slots; /* offsets + 1 into text, hashed; 0: free */
	size_t slot_count, used;
};

struct symbols_segment {
	uint64_t start, end;
};

struct uni_symbols {
	uint64_t *starts; /* piece_count of them, rising */
	struct symbols_piece *pieces;
	size_t piece_count;
	SYMBOLS_ARRAY(struct symbols_scope) scopes;
	SYMBOLS_ARRAY(struct symbols_segment) code; /* executable segments */
	struct symbols_strings strings;
	bool have_lines;

	/* Empty once flattened. */
	symbols_spans functions; /* scopes of the debug information */
	symbols_spans table;	 /* of the symbol table, where the debug information has none */
	symbols_spans lines;
};

/* Room for one more at the end of an array; false when memory is out. */
#define SYMBOLS_GROW(array)                \
	((array)->count < (array)->room || \
	 symbols_grow((void **)&(array)->at, &(array)->room, sizeof(*(array)->at)))

bool symbols_grow(void **at, size_t *room, size_t item_size);

/* The number of a text, UNI_SYMBOLS_NONE for NULL or when memory is out. */
uint32_t symbols_intern(struct symbols_strings *strings, const char *text);
const char *symbols_string(const struct symbols_strings *strings, uint32_t number);

/* Adds a scope and hands out its number. -ENOMEM. */
int symbols_add_scope(struct uni_symbols *symbols, const struct symbols_scope *scope,
		      uint32_t *number);

/* Adds a span to one of the lists, ignored where the image loads no code (what the linker dropped
 * keeps addresses near 0). -ENOMEM. */
int symbols_add_span(struct uni_symbols *symbols, symbols_spans *list,
		     const struct symbols_span *span);

/* Collect; -ENOMEM or 0. Broken debug information gives what could be read of it. */
int symbols_collect_dwarf(struct uni_symbols *symbols, Dwfl_Module *module);
int symbols_collect_table(struct uni_symbols *symbols, Dwfl_Module *module);

/* Turns the spans into pieces, and frees them. */
int symbols_flatten(struct uni_symbols *symbols);
