/* SPDX-License-Identifier: MIT */

/* How a block of all registers is laid out, and which of it is not known. */

#include "gdbstub/arch.h"
#include "gdbstub/arch/x86_64/registers_layout.h"

#define WORD sizeof(uint64_t)

/* Words that lie one behind the other. */
struct run {
	struct uni_gdb_moves *moves;
	struct uni_gdb_move at;
	unsigned words;
};

/* Moves of so many words each, as long as there are as many. */
static void take(struct run *run, unsigned width, struct uni_gdb_move *moves, uint16_t *count)
{
	for (; run->words >= width; run->words -= width) {
		moves[(*count)++] = run->at;
		run->at.from = (uint16_t)(run->at.from + width * WORD);
		run->at.to = (uint16_t)(run->at.to + width * WORD);
	}
}

static void end_run(struct run *run)
{
	struct uni_gdb_moves *moves = run->moves;

	take(run, UNI_GDB_WIDE, moves->wide, &moves->wide_count);
	take(run, UNI_GDB_PAIR, moves->pairs, &moves->pair_count);
	take(run, 1, moves->words, &moves->word_count);
}

static void add(struct run *run, unsigned from, unsigned to, unsigned words)
{
	if (from != run->at.from + run->words * WORD || to != run->at.to + run->words * WORD) {
		end_run(run);
		run->at = (struct uni_gdb_move){(uint16_t)from, (uint16_t)to};
	}
	run->words += words;
}

static void add_narrow(struct uni_gdb_moves *moves, unsigned from, unsigned to, unsigned bytes)
{
	moves->narrow[moves->narrow_count++] = (struct uni_gdb_narrow_move){
		.place = {(uint16_t)from, (uint16_t)to},
		.mask = bytes < 4 ? (1u << 8 * bytes) - 1 : UINT32_MAX,
	};
}

static void add_word(struct run *core, const struct uni_gdb_x86_register *layout, unsigned to)
{
	unsigned from = (unsigned)(offsetof(struct uni_gdb_registers, words) + layout->word * WORD);

	if (layout->size == WORD)
		add(core, from, to, 1);
	else
		add_narrow(core->moves, from, to, layout->bytes);
}

/* The last bytes of an x87 register take up to six more with them, over what is written later. */
static void add_fpu(struct run *fpu, const struct uni_gdb_x86_register *layout, unsigned to)
{
	unsigned from = (unsigned)(offsetof(struct uni_gdb_registers, xsave) + layout->from);

	if (layout->size < WORD)
		add_narrow(fpu->moves, from, to, layout->bytes);
	else
		add(fpu, from, to, (layout->size + WORD - 1) / WORD);
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

static void add_register(struct uni_gdb_register_block *block, struct run *core, struct run *fpu,
			 const struct uni_gdb_x86_register *layout)
{
	if (layout->word != UNI_GDB_XSAVE) {
		add_word(core, layout, block->size);
		add_place(block, layout->word, layout->size);
	} else {
		if (layout->from == UNI_GDB_XSAVE_TAGS)
			block->tags_at = (uint16_t)block->size;
		else
			add_fpu(fpu, layout, block->size);
		add_place(block, UNI_GDB_FPU, layout->size);
	}
	block->size += layout->size;
}

void uni_gdb_arch_register_block_init(struct uni_gdb_register_block *block, uint32_t sets)
{
	struct run core = {.moves = &block->core}, fpu = {.moves = &block->fpu};

	block->size = 0;
	block->place_count = 0;
	block->fpu.wide_count = block->fpu.pair_count = 0;
	block->fpu.word_count = block->fpu.narrow_count = 0;
	block->core.wide_count = block->core.pair_count = 0;
	block->core.word_count = block->core.narrow_count = 0;
	for (unsigned i = 0; i < uni_gdb_x86_feature_count; i++) {
		const struct uni_gdb_x86_feature *feature = &uni_gdb_x86_features[i];

		if ((feature->needs & sets) != feature->needs)
			continue;
		for (unsigned k = 0; k < feature->count; k++)
			add_register(block, &core, &fpu, &feature->registers[k]);
	}
	end_run(&core);
	end_run(&fpu);
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
