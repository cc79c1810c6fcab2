// SPDX-License-Identifier: MIT
/* The symbol table: functions that debug information does not know (assembly, or all of them). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host-tools/lib/symbols_internal.h"

struct symbol {
	uint64_t start, end; /* end 0: its size is not told */
	const char *name;
	bool is_function, is_global;
};

typedef SYMBOLS_ARRAY(struct symbol) symbol_list;

static bool is_code_symbol(const GElf_Sym *sym, const char *name)
{
	unsigned type = GELF_ST_TYPE(sym->st_info);

	return name && name[0] && name[0] != '$' && sym->st_shndx != SHN_UNDEF &&
	       sym->st_shndx != SHN_ABS && (type == STT_FUNC || type == STT_NOTYPE);
}

/* By address; of several at one the best name first. */
static int compare(const void *a, const void *b)
{
	const struct symbol *left = a, *right = b;

	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	if (left->is_function != right->is_function)
		return left->is_function ? -1 : 1;
	if (left->is_global != right->is_global)
		return left->is_global ? -1 : 1;
	return strcmp(left->name, right->name);
}

static uint64_t segment_end(const struct uni_symbols *symbols, uint64_t address)
{
	for (size_t i = 0; i < symbols->code.count; i++) {
		if (address >= symbols->code.at[i].start && address < symbols->code.at[i].end)
			return symbols->code.at[i].end;
	}
	return address;
}

static int add_symbol(struct uni_symbols *symbols, const struct symbol *symbol, uint64_t next)
{
	struct symbols_scope scope = {
		.name = symbols_intern(&symbols->strings, symbol->name),
		.parent = UNI_SYMBOLS_NONE,
		.call_file = UNI_SYMBOLS_NONE,
		.start = symbol->start,
	};
	struct symbols_span span = {
		.start = symbol->start,
		.end = symbol->end ? symbol->end : next,
	};
	int err = symbols_add_scope(symbols, &scope, &span.what);

	return err ? err : symbols_add_span(symbols, &symbols->table, &span);
}

/* A symbol without a size reaches to the next one. */
static int add_symbols(struct uni_symbols *symbols, const symbol_list *list)
{
	uint64_t next = 0;
	int err = 0;

	for (size_t i = list->count; !err && i-- > 0;) {
		const struct symbol *symbol = &list->at[i];
		bool is_last = i + 1 == list->count || symbol[1].start != symbol->start;

		if (is_last)
			next = i + 1 < list->count ? symbol[1].start : UINT64_MAX;
		if (i && symbol[-1].start == symbol->start)
			continue;
		if (next > segment_end(symbols, symbol->start))
			next = segment_end(symbols, symbol->start);
		err = add_symbol(symbols, symbol, next);
	}
	return err;
}

int symbols_collect_table(struct uni_symbols *symbols, Dwfl_Module *module)
{
	int count = dwfl_module_getsymtab(module);
	symbol_list list = {0};
	GElf_Addr bias = 0;
	int err = 0;

	dwfl_module_getelf(module, &bias);
	for (int i = 0; !err && i < count; i++) {
		GElf_Addr address;
		GElf_Sym sym;
		const char *name =
			dwfl_module_getsym_info(module, i, &sym, &address, NULL, NULL, NULL);

		address -= bias;
		if (!is_code_symbol(&sym, name) || !uni_symbols_is_code(symbols, address))
			continue;
		if (!SYMBOLS_GROW(&list))
			err = -ENOMEM;
		else
			list.at[list.count++] = (struct symbol){
				.start = address,
				.end = sym.st_size ? address + sym.st_size : 0,
				.name = name,
				.is_function = GELF_ST_TYPE(sym.st_info) == STT_FUNC,
				.is_global = GELF_ST_BIND(sym.st_info) == STB_GLOBAL,
			};
	}
	if (!err && list.count) {
		qsort(list.at, list.count, sizeof(*list.at), compare);
		err = add_symbols(symbols, &list);
	}
	free(list.at);
	return err;
}
