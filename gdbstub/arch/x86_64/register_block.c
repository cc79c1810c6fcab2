/* SPDX-License-Identifier: MIT */

/* All registers at once, for trace frames: what uni_gdb_arch_register_read() gives of one after the
 * other, many times faster, as branches are what an emulator takes longest for. Runs at
 * tracepoints: no memcpy(). */

#include "gdbstub/arch.h"
#include "gdbstub/arch/x86_64/registers_layout.h"

#define WORD sizeof(uint64_t)

typedef uint64_t __attribute__((aligned(1), may_alias)) unaligned_word;
typedef uint32_t __attribute__((aligned(1), may_alias)) unaligned_half;

static void add(struct uni_gdb_move *moves, uint16_t *count, unsigned from, unsigned to)
{
	moves[(*count)++] = (struct uni_gdb_move){(uint16_t)from, (uint16_t)to};
}

static void add_narrow(struct uni_gdb_narrow_move *moves, uint16_t *count, unsigned from,
		       unsigned to, unsigned bytes)
{
	moves[(*count)++] = (struct uni_gdb_narrow_move){
		.place = {(uint16_t)from, (uint16_t)to},
		.mask = bytes < 4 ? (1u << 8 * bytes) - 1 : UINT32_MAX,
	};
}

static void add_word(struct uni_gdb_register_block *block,
		     const struct uni_gdb_x86_register *layout)
{
	unsigned from = (unsigned)(offsetof(struct uni_gdb_registers, words) + layout->word * WORD);

	if (layout->size == WORD)
		add(block->words, &block->word_count, from, block->size);
	else
		add_narrow(block->words_narrow, &block->word_narrow_count, from, block->size,
			   layout->bytes);
}

/* The last bytes of an x87 register take up to six more with them, over what is written later. */
static void add_fpu(struct uni_gdb_register_block *block, const struct uni_gdb_x86_register *layout)
{
	unsigned from = (unsigned)(offsetof(struct uni_gdb_registers, xsave) + layout->from);

	if (layout->from == UNI_GDB_XSAVE_TAGS)
		block->tags_at = (uint16_t)block->size;
	else if (layout->size < WORD)
		add_narrow(block->fpu_narrow, &block->fpu_narrow_count, from, block->size,
			   layout->bytes);
	else
		for (unsigned at = 0; at < layout->size; at += WORD)
			add(block->fpu, &block->fpu_count, from + at, block->size + at);
}

void uni_gdb_arch_register_block_init(struct uni_gdb_register_block *block, uint32_t sets)
{
	block->size = 0;
	block->fpu_count = block->fpu_narrow_count = 0;
	block->word_count = block->word_narrow_count = 0;
	for (unsigned i = 0; i < uni_gdb_x86_feature_count; i++) {
		const struct uni_gdb_x86_feature *feature = &uni_gdb_x86_features[i];

		if ((feature->needs & sets) != feature->needs)
			continue;
		for (unsigned k = 0; k < feature->count; k++) {
			const struct uni_gdb_x86_register *layout = &feature->registers[k];

			if (layout->word == UNI_GDB_XSAVE)
				add_fpu(block, layout);
			else
				add_word(block, layout);
			block->size += layout->size;
		}
	}
}

static void move_one(uint8_t *to, const uint8_t *from, struct uni_gdb_move move)
{
	*(volatile unaligned_word *)(to + move.to) = *(const unaligned_word *)(from + move.from);
}

static void move_words(uint8_t *to, const uint8_t *from, const struct uni_gdb_move *move,
		       unsigned count)
{
	for (; count >= 8; count -= 8, move += 8) {
		move_one(to, from, move[0]);
		move_one(to, from, move[1]);
		move_one(to, from, move[2]);
		move_one(to, from, move[3]);
		move_one(to, from, move[4]);
		move_one(to, from, move[5]);
		move_one(to, from, move[6]);
		move_one(to, from, move[7]);
	}
	for (; count; count--, move++)
		move_one(to, from, *move);
}

static void put_half(uint8_t *to, uint32_t value)
{
	*(volatile unaligned_half *)to = value;
}

static void move_narrow(uint8_t *to, const uint8_t *from, const struct uni_gdb_narrow_move *move,
			unsigned count)
{
	for (; count; count--, move++)
		put_half(to + move->place.to,
			 *(const unaligned_half *)(from + move->place.from) & move->mask);
}

/* It is a multiple of four. */
static void clear(uint8_t *bytes, unsigned len)
{
	for (; len >= WORD; len -= WORD, bytes += WORD)
		*(volatile unaligned_word *)bytes = 0;
	if (len)
		put_half(bytes, 0);
}

void uni_gdb_arch_register_block_put(const struct uni_gdb_register_block *block,
				     const struct uni_gdb_registers *registers, uint8_t *bytes)
{
	const uint8_t *from = (const uint8_t *)registers;

	if (registers->known >> UNI_GDB_FPU & 1) {
		move_words(bytes, from, block->fpu, block->fpu_count);
		move_narrow(bytes, from, block->fpu_narrow, block->fpu_narrow_count);
		put_half(bytes + block->tags_at,
			 uni_gdb_x86_tags_expand(registers->xsave[UNI_GDB_XSAVE_TAGS]));
	} else {
		clear(bytes, block->size);
	}
	move_words(bytes, from, block->words, block->word_count);
	move_narrow(bytes, from, block->words_narrow, block->word_narrow_count);
}
