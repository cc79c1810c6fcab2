// SPDX-License-Identifier: MIT
/* One walk over the debugging entries and line rows of each compilation unit. */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host-tools/lib/symbols_internal.h"

/* Deeper entries than any compiler writes end the walk: a cycle in broken data would not. */
#define DEPTH_MAX 256

struct unit {
	struct uni_symbols *symbols;
	const char *folder; /* what its relative paths start from; "" if not told */
	Dwarf_Files *files;
	size_t file_count;
};

/* Where an entry stands: the innermost scope around it. */
struct place {
	uint32_t scope;
	uint32_t depth;
};

/* Removes "." and "x/.." from an absolute path, in place: how it was spelt depends on the build. */
static void normalise(char *path)
{
	char *out = path, *next = path;

	while (*next) {
		size_t len = strcspn(next, "/");

		if (len == 2 && next[0] == '.' && next[1] == '.' && out > path + 1) {
			for (out--; out > path && out[-1] != '/'; out--)
				;
		} else if (len && !(len == 1 && next[0] == '.')) {
			memmove(out, next, len);
			out += len;
			if (next[len])
				*out++ = '/';
		} else if (out == path && !len) {
			*out++ = '/';
		}
		next += len + (next[len] == '/');
	}
	*out = '\0';
}

static uint32_t intern_path(const struct unit *unit, const char *path)
{
	uint32_t number = UNI_SYMBOLS_NONE;
	char *full;

	if (!path)
		return number;
	if (asprintf(&full, "%s%s%s", path[0] == '/' ? "" : unit->folder,
		     path[0] == '/' || !unit->folder[0] ? "" : "/", path) < 0)
		return number;
	if (full[0] == '/')
		normalise(full);
	number = symbols_intern(&unit->symbols->strings, full);
	free(full);
	return number;
}

static const char *folder_of(Dwarf_Die *cu)
{
	Dwarf_Attribute attribute;
	const char *folder = dwarf_formstring(dwarf_attr(cu, DW_AT_comp_dir, &attribute));

	return folder ? folder : "";
}

static Dwarf_Word number_of(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (dwarf_formudata(dwarf_attr(die, name, &attribute), &value))
		return 0;
	return value;
}

static const char *name_of(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	const char *name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_name, &attribute));

	return name ? name : "??";
}

static uint64_t start_of(Dwarf_Die *die)
{
	Dwarf_Addr start;

	return dwarf_entrypc(die, &start) ? 0 : start;
}

static int add_ranges(struct unit *unit, Dwarf_Die *die, const struct place *place)
{
	struct uni_symbols *symbols = unit->symbols;
	struct symbols_span span = {.what = place->scope, .detail = place->depth};
	Dwarf_Addr base;
	ptrdiff_t offset = 0;
	int err = 0;

	while (!err && (offset = dwarf_ranges(die, offset, &base, &span.start, &span.end)) > 0)
		err = symbols_add_span(symbols, &symbols->functions, &span);
	return err;
}

/* A function with code, or an inlined copy of one: a scope of its own. */
static int add_scope(struct unit *unit, Dwarf_Die *die, bool inlined, struct place *place)
{
	struct symbols_scope scope = {
		.name = symbols_intern(&unit->symbols->strings, name_of(die)),
		.parent = inlined ? place->scope : UNI_SYMBOLS_NONE,
		.call_file = UNI_SYMBOLS_NONE,
		.start = start_of(die),
	};
	int err;

	if (inlined) {
		Dwarf_Word file = number_of(die, DW_AT_call_file);

		if (file < unit->file_count)
			scope.call_file =
				intern_path(unit, dwarf_filesrc(unit->files, file, NULL, NULL));
		scope.call_line = (uint32_t)number_of(die, DW_AT_call_line);
	}
	err = symbols_add_scope(unit->symbols, &scope, &place->scope);
	place->depth++;
	return err ? err : add_ranges(unit, die, place);
}

static bool has_code(Dwarf_Die *die)
{
	return dwarf_hasattr(die, DW_AT_low_pc) || dwarf_hasattr(die, DW_AT_ranges);
}

static int walk(struct unit *unit, Dwarf_Die *parent, struct place outer, int level)
{
	Dwarf_Die die;
	int err = 0;

	if (level > DEPTH_MAX || dwarf_child(parent, &die))
		return 0;
	do {
		struct place place = outer;

		switch (dwarf_tag(&die)) {
		case DW_TAG_subprogram:
			if (!has_code(&die))
				continue;
			err = add_scope(unit, &die, false, &place);
			break;
		case DW_TAG_inlined_subroutine:
			if (!has_code(&die))
				continue;
			err = add_scope(unit, &die, outer.scope != UNI_SYMBOLS_NONE, &place);
			break;
		case DW_TAG_lexical_block:
		case DW_TAG_namespace:
		case DW_TAG_class_type:
		case DW_TAG_structure_type:
			break;
		default:
			continue;
		}
		if (!err)
			err = walk(unit, &die, place, level + 1);
	} while (!err && dwarf_siblingof(&die, &die) == 0);
	return err;
}

/* A row holds until the next; an end of sequence holds nothing. */
static int add_lines(const struct unit *unit, Dwarf_Die *cu)
{
	struct symbols_span span = {.what = UNI_SYMBOLS_NONE};
	const char *last_path = NULL;
	Dwarf_Lines *lines;
	size_t count;
	int err = 0;

	if (dwarf_getsrclines(cu, &lines, &count))
		return 0;
	for (size_t i = 0; !err && i + 1 < count; i++) {
		Dwarf_Line *row = dwarf_onesrcline(lines, i);
		const char *path;
		bool ends = true;
		int number = 0;

		if (dwarf_lineendsequence(row, &ends) || ends || dwarf_lineno(row, &number) ||
		    dwarf_lineaddr(row, &span.start) ||
		    dwarf_lineaddr(dwarf_onesrcline(lines, i + 1), &span.end))
			continue;
		/* libdw hands out the same pointer for the same file. */
		path = dwarf_linesrc(row, NULL, NULL);
		if (path != last_path)
			span.what = intern_path(unit, path);
		last_path = path;
		span.detail = (uint32_t)number;
		err = symbols_add_span(unit->symbols, &unit->symbols->lines, &span);
	}
	return err;
}

int symbols_collect_dwarf(struct uni_symbols *symbols, Dwfl_Module *module)
{
	Dwarf_Die *cu = NULL;
	Dwarf_Addr bias;
	int err = 0;

	while (!err && (cu = dwfl_module_nextcu(module, cu, &bias))) {
		struct unit unit = {.symbols = symbols, .folder = folder_of(cu)};

		if (dwarf_getsrcfiles(cu, &unit.files, &unit.file_count))
			unit.file_count = 0;
		err = walk(&unit, cu, (struct place){.scope = UNI_SYMBOLS_NONE}, 0);
		if (!err)
			err = add_lines(&unit, cu);
	}
	return err;
}
