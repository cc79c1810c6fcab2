/* SPDX-License-Identifier: MIT */

/* How a block of all registers is laid out, and which of it is not known. */

#include "gdbstub/arch.h"
#include "gdbstub/arch/x86_64/registers_layout.h"

#define WORD sizeof(uint64_t)

static bool follows(const struct uni_gdb_move *move)
{
	return move[1].from == move[0].from + WORD && move[1].to == move[0].to + WORD;
}

/* Four words that lie one behind the other make a wide move. */
static void add(struct uni_gdb_moves *moves, unsigned from, unsigned to)
{
	struct uni_gdb_move *last = &moves->words[moves->word_count++];

	*last = (struct uni_gdb_move){(uint16_t)from, (uint16_t)to};
	if (moves->word_count < UNI_GDB_WIDE || !follows(last - 1) || !follows(last - 2) ||
	    !follows(last - 3))
		return;
	moves->word_count -= UNI_GDB_WIDE;
	moves->wide[moves->wide_count++] = last[-3];
}

static void add_narrow(struct uni_gdb_moves *moves, unsigned from, unsigned to, unsigned bytes)
{
	moves->narrow[moves->narrow_count++] = (struct uni_gdb_narrow_move){
		.place = {(uint16_t)from, (uint16_t)to},
		.mask = bytes < 4 ? (1u << 8 * bytes) - 1 : UINT32_MAX,
	};
}

static void add_word(struct uni_gdb_register_block *block,
		     const struct uni_gdb_x86_register *layout)
{
	unsigned from = (unsigned)(offsetof(struct uni_gdb_registers, words) + layout->word * WORD);

	if (layout->size == WORD)
		add(&block->core, from, block->size);
	else
		add_narrow(&block->core, from, block->size, layout->bytes);
}

/* The last bytes of an x87 register take up to six more with them, over what is written later. */
static void add_fpu(struct uni_gdb_register_block *block, const struct uni_gdb_x86_register *layout)
{
	unsigned from = (unsigned)(offsetof(struct uni_gdb_registers, xsave) + layout->from);

	if (layout->from == UNI_GDB_XSAVE_TAGS)
		block->tags_at = (uint16_t)block->size;
	else if (layout->size < WORD)
		add_narrow(&block->fpu, from, block->size, layout->bytes);
	else
		for (unsigned at = 0; at < layout->size; at += WORD)
			add(&block->fpu, from + at, block->size + at);
}

static void add_place(struct uni_gdb_register_block *block, unsigned bit, unsigned len)
{
	struct uni_gdb_register_place *last = &block->places[block->place_count];

	if (block->place_count && last[-1].bit == bit)
		last[-1].len = (uint16_t)(last[-1].len + len);
	else
		block->places[block->place_count++] = (struct uni_gdb_register_place){
			(uint16_t)bit, (uint16_t)block->size, (uint16_t)len};
}

void uni_gdb_arch_register_block_init(struct uni_gdb_register_block *block, uint32_t sets)
{
	block->size = 0;
	block->place_count = 0;
	block->fpu.wide_count = block->fpu.word_count = block->fpu.narrow_count = 0;
	block->core.wide_count = block->core.word_count = block->core.narrow_count = 0;
	for (unsigned i = 0; i < uni_gdb_x86_feature_count; i++) {
		const struct uni_gdb_x86_feature *feature = &uni_gdb_x86_features[i];

		if ((feature->needs & sets) != feature->needs)
			continue;
		for (unsigned k = 0; k < feature->count; k++) {
			const struct uni_gdb_x86_register *layout = &feature->registers[k];

			if (layout->word == UNI_GDB_XSAVE) {
				add_fpu(block, layout);
				add_place(block, UNI_GDB_FPU, layout->size);
			} else {
				add_word(block, layout);
				add_place(block, layout->word, layout->size);
			}
			block->size += layout->size;
		}
	}
}

unsigned uni_gdb_arch_register_block_unknown(const struct uni_gdb_register_block *block,
					     const struct uni_gdb_registers *registers,
					     struct uni_gdb_unknown unknown[UNI_GDB_UNKNOWN_MAX])
{
	unsigned count = 0;

	for (unsigned i = 0; i < block->place_count; i++) {
		const struct uni_gdb_register_place *place = &block->places[i];
		struct uni_gdb_unknown *end = unknown + count;

		if (registers->known >> place->bit & 1)
			continue;
		if (count && end[-1].at + end[-1].len == place->at)
			end[-1].len = (uint16_t)(end[-1].len + place->len);
		else
			unknown[count++] = (struct uni_gdb_unknown){place->at, place->len};
	}
	return count;
}
