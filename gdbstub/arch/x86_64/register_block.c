/* SPDX-License-Identifier: MIT */

/* All registers at once, for `g` and trace frames: what uni_gdb_arch_register_read() gives of one
 * after the other, many times faster, as branches are what an emulator takes longest for. Runs at
 * tracepoints: no memcpy(). */

#include "gdbstub/arch.h"
#include "gdbstub/arch/x86_64/registers_layout.h"

#define WORD sizeof(uint64_t)

typedef uint64_t __attribute__((aligned(1), may_alias)) unaligned_word;
typedef uint32_t __attribute__((aligned(1), may_alias)) unaligned_half;

static void move_word(uint8_t *to, const uint8_t *from)
{
	*(volatile unaligned_word *)to = *(const unaligned_word *)from;
}

static void put_half(uint8_t *to, uint32_t value)
{
	*(volatile unaligned_half *)to = value;
}

static void move_words(uint8_t *to, const uint8_t *from, const struct uni_gdb_move *move,
		       unsigned count, unsigned width)
{
	for (unsigned i = 0; i < count; i++) {
		uint8_t *to_words = to + move[i].to;
		const uint8_t *from_words = from + move[i].from;

		/* The sums once, not for each word. */
		__asm__("" : "+r"(to_words), "+r"(from_words));
#pragma GCC unroll 16
		for (unsigned k = 0; k < width; k++)
			move_word(to_words + k * WORD, from_words + k * WORD);
	}
}

static void move_narrow(uint8_t *to, const uint8_t *from, const struct uni_gdb_narrow_move *move,
			unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		put_half(to + move[i].place.to,
			 *(const unaligned_half *)(from + move[i].place.from) & move[i].mask);
}

static void move(uint8_t *to, const uint8_t *from, const struct uni_gdb_moves *moves)
{
	move_words(to, from, moves->wide, moves->wide_count, UNI_GDB_WIDE);
	move_words(to, from, moves->pairs, moves->pair_count, UNI_GDB_PAIR);
	move_words(to, from, moves->words, moves->word_count, 1);
	move_narrow(to, from, moves->narrow, moves->narrow_count);
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
		move(bytes, from, &block->fpu);
		put_half(bytes + block->tags_at,
			 uni_gdb_x86_tags_expand(registers->xsave[UNI_GDB_XSAVE_TAGS]));
	} else {
		clear(bytes, block->size);
	}
	move(bytes, from, &block->core);
}
