/* SPDX-License-Identifier: MIT */
/*
 * Addresses of an image in words: functions, inlined calls, files and lines.
 *
 * elfutils is asked once, at opening: debug information and symbol table are flattened to disjoint
 * sorted intervals, each with its chain of inlined calls and its line. A lookup is one binary
 * search: no allocation, no lock, any number of threads.
 *
 * Where the image has no debug information (nor a separate file of it that elfutils finds by
 * build-id or .gnu_debuglink) only the symbol table is shown: functions without files and lines.
 * The image is the operator's own file, not a guest's word.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host-tools/lib/error.h"

struct uni_symbols;

/* One function at an address. Texts live as long as the symbols. */
struct uni_symbol_frame {
	const char *function;
	const char *file; /* full path, normalised; NULL: not known */
	uint32_t line;	  /* 0: not known */
	bool inlined;	  /* its code stands within the next frame's function */
	uint64_t start;	  /* first address of the function; of this inlined copy if inlined */
};

/* Reads the image's debug information and symbols. The error says why a file cannot be read; an
 * image without any symbols opens, and finds nothing. */
int uni_symbols_open(const char *image, struct uni_symbols **out, struct uni_error *error)
	__attribute__((warn_unused_result));

/* NULL is fine. */
void uni_symbols_close(struct uni_symbols *symbols);

/* The functions at an address, innermost first; at most max. Returns how many, 0 where nothing is
 * known. For a return address ask for the byte before it, which belongs to the call. */
size_t uni_symbols_lookup(const struct uni_symbols *symbols, uint64_t address,
			  struct uni_symbol_frame frames[], size_t max);

/* False: lookups give names of the symbol table only; tell the user. */
bool uni_symbols_have_lines(const struct uni_symbols *symbols);

/* Whether an address lies in code that the image loads. */
bool uni_symbols_is_code(const struct uni_symbols *symbols, uint64_t address);

/* The last part of a frame's file, for display; "" where there is none. */
const char *uni_symbol_file_name(const struct uni_symbol_frame *frame);
