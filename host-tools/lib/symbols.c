// SPDX-License-Identifier: MIT
#include "host-tools/lib/symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/symbols_internal.h"

/* More inlined calls in one another than any compiler makes end a lookup. */
#define CHAIN_MAX 1024

int symbols_add_scope(struct uni_symbols *symbols, const struct symbols_scope *scope,
		      uint32_t *number)
{
	if (symbols->scopes.count >= UNI_SYMBOLS_NONE || !SYMBOLS_GROW(&symbols->scopes))
		return -ENOMEM;
	*number = (uint32_t)symbols->scopes.count;
	symbols->scopes.at[symbols->scopes.count++] = *scope;
	return 0;
}

int symbols_add_span(struct uni_symbols *symbols, symbols_spans *list,
		     const struct symbols_span *span)
{
	if (span->start >= span->end || !uni_symbols_is_code(symbols, span->start))
		return 0;
	if (!SYMBOLS_GROW(list))
		return -ENOMEM;
	list->at[list->count++] = *span;
	return 0;
}

static int collect_segments(struct uni_symbols *symbols, Dwfl_Module *module)
{
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(module, &bias);
	size_t count;

	if (!elf || elf_getphdrnum(elf, &count))
		return 0;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr phdr;

		if (!gelf_getphdr(elf, (int)i, &phdr) || phdr.p_type != PT_LOAD ||
		    !(phdr.p_flags & PF_X))
			continue;
		if (!SYMBOLS_GROW(&symbols->code))
			return -ENOMEM;
		symbols->code.at[symbols->code.count++] =
			(struct symbols_segment){phdr.p_vaddr, phdr.p_vaddr + phdr.p_memsz};
	}
	return 0;
}

static int collect(struct uni_symbols *symbols, Dwfl_Module *module)
{
	int err = collect_segments(symbols, module);

	if (!err)
		err = symbols_collect_table(symbols, module);
	if (!err)
		err = symbols_collect_dwarf(symbols, module);
	return err ? err : symbols_flatten(symbols);
}

int uni_symbols_open(const char *image, struct uni_symbols **out, struct uni_error *error)
{
	static const Dwfl_Callbacks callbacks = {
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.section_address = dwfl_offline_section_address,
		.find_elf = dwfl_build_id_find_elf,
	};
	struct uni_symbols *symbols;
	Dwfl_Module *module;
	Dwfl *dwfl;
	int fd = open(image, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return uni_error_system(error, errno, "cannot read the symbols of %s", image);
	dwfl = dwfl_begin(&callbacks);
	module = dwfl ? dwfl_report_offline(dwfl, image, image, fd) : NULL;
	if (!module) {
		close(fd);
		err = uni_error_set(error, -EINVAL, "cannot read the symbols of %s: %s", image,
				    dwfl_errmsg(-1));
		dwfl_end(dwfl);
		return err;
	}
	dwfl_report_end(dwfl, NULL, NULL);
	symbols = calloc(1, sizeof(*symbols));
	err = symbols ? collect(symbols, module) : -ENOMEM;
	dwfl_end(dwfl);
	if (err) {
		uni_symbols_close(symbols);
		return uni_error_system(error, -err, "cannot read the symbols of %s", image);
	}
	*out = symbols;
	return 0;
}

void uni_symbols_close(struct uni_symbols *symbols)
{
	if (!symbols)
		return;
	free(symbols->starts);
	free(symbols->pieces);
	free(symbols->scopes.at);
	free(symbols->code.at);
	free(symbols->functions.at);
	free(symbols->table.at);
	free(symbols->lines.at);
	free(symbols->strings.text);
	free(symbols->strings.slots);
	free(symbols);
}

bool uni_symbols_have_lines(const struct uni_symbols *symbols)
{
	return symbols->have_lines;
}

bool uni_symbols_is_code(const struct uni_symbols *symbols, uint64_t address)
{
	for (size_t i = 0; i < symbols->code.count; i++) {
		if (address >= symbols->code.at[i].start && address < symbols->code.at[i].end)
			return true;
	}
	return false;
}

/* The piece that an address lies in, NULL below the first. */
static const struct symbols_piece *find_piece(const struct uni_symbols *symbols, uint64_t address)
{
	size_t low = 0, high = symbols->piece_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (symbols->starts[middle] <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &symbols->pieces[low - 1] : NULL;
}

size_t uni_symbols_lookup(const struct uni_symbols *symbols, uint64_t address,
			  struct uni_symbol_frame frames[], size_t max)
{
	const struct symbols_piece *piece = find_piece(symbols, address);
	uint32_t number = piece ? piece->scope : UNI_SYMBOLS_NONE;
	uint32_t file = piece ? piece->file : UNI_SYMBOLS_NONE;
	uint32_t line = piece ? piece->line : 0;
	size_t count = 0;

	while (number != UNI_SYMBOLS_NONE && count < max && count < CHAIN_MAX) {
		const struct symbols_scope *scope = &symbols->scopes.at[number];

		frames[count++] = (struct uni_symbol_frame){
			.function = symbols_string(&symbols->strings, scope->name),
			.file = symbols_string(&symbols->strings, file),
			.line = line,
			.inlined = scope->parent != UNI_SYMBOLS_NONE,
			.start = scope->start,
		};
		number = scope->parent;
		file = scope->call_file;
		line = scope->call_line;
	}
	return count;
}

const char *uni_symbol_file_name(const struct uni_symbol_frame *frame)
{
	const char *slash = frame->file ? strrchr(frame->file, '/') : NULL;

	if (!frame->file)
		return "";
	return slash ? slash + 1 : frame->file;
}
