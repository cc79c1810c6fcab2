/* SPDX-License-Identifier: MIT */

/* All registers at once, for trace frames: what uni_gdb_arch_register_read() gives of one after the
 * other, many times faster. Runs at tracepoints: no memcpy(). */

#include "gdbstub/arch.h"
#include "gdbstub/arch/x86_64/registers_layout.h"

typedef uint64_t __attribute__((aligned(1), may_alias)) unaligned_word;

/* Adds a stretch of the block, as part of the one before where it goes on there. */
static void add(struct uni_gdb_register_block *block, struct uni_gdb_stretch stretch)
{
	struct uni_gdb_stretch *last = block->count ? &block->stretches[block->count - 1] : NULL;

	if (!stretch.len)
		return;
	if (last && last->kind == stretch.kind && last->from + last->len == stretch.from)
		last->len = (uint16_t)(last->len + stretch.len);
	else
		block->stretches[block->count++] = stretch;
	block->size += stretch.len;
}

static void add_register(struct uni_gdb_register_block *block,
			 const struct uni_gdb_x86_register *layout)
{
	struct uni_gdb_stretch stretch = {.len = layout->bytes};

	if (layout->word != UNI_GDB_XSAVE) {
		stretch.kind = UNI_GDB_STRETCH_WORDS;
		stretch.from = (uint16_t)(offsetof(struct uni_gdb_registers, words) +
					  layout->word * sizeof(uint64_t));
	} else {
		stretch.kind = layout->from == UNI_GDB_XSAVE_TAGS ? UNI_GDB_STRETCH_TAGS
								  : UNI_GDB_STRETCH_FPU;
		stretch.from = (uint16_t)(offsetof(struct uni_gdb_registers, xsave) + layout->from);
	}
	add(block, stretch);
	add(block, (struct uni_gdb_stretch){.kind = UNI_GDB_STRETCH_ZERO,
					    .len = (uint16_t)(layout->size - layout->bytes)});
}

void uni_gdb_arch_register_block_init(struct uni_gdb_register_block *block, uint32_t sets)
{
	block->count = 0;
	block->size = 0;
	for (unsigned i = 0; i < uni_gdb_x86_feature_count; i++) {
		const struct uni_gdb_x86_feature *feature = &uni_gdb_x86_features[i];

		if ((feature->needs & sets) != feature->needs)
			continue;
		for (unsigned k = 0; k < feature->count; k++)
			add_register(block, &feature->registers[k]);
	}
}

static void move_word(uint8_t *to, const uint8_t *from)
{
	*(volatile unaligned_word *)to = *(const unaligned_word *)from;
}

static void move_words(uint8_t *to, const uint8_t *from, unsigned len)
{
	for (; len > 32; len -= 32, to += 32, from += 32) {
		move_word(to, from);
		move_word(to + 8, from + 8);
		move_word(to + 16, from + 16);
		move_word(to + 24, from + 24);
	}
	for (unsigned at = 0; at < len; at += sizeof(unaligned_word))
		move_word(to + at, from + at);
}

static void clear_words(uint8_t *to, unsigned len)
{
	for (unsigned at = 0; at < len; at += sizeof(unaligned_word))
		*(volatile unaligned_word *)(to + at) = 0;
}

/* By words: what is written beyond a stretch is where the next one goes. */
void uni_gdb_arch_register_block_put(const struct uni_gdb_register_block *block,
				     const struct uni_gdb_registers *registers, uint8_t *bytes)
{
	bool knows_fpu = registers->known >> UNI_GDB_FPU & 1;
	const struct uni_gdb_stretch *end = block->stretches + block->count;

	for (const struct uni_gdb_stretch *stretch = block->stretches; stretch < end; stretch++) {
		const uint8_t *from = (const uint8_t *)registers + stretch->from;
		bool is_known = stretch->kind == UNI_GDB_STRETCH_WORDS || knows_fpu;

		if (stretch->kind == UNI_GDB_STRETCH_ZERO || !is_known)
			clear_words(bytes, stretch->len);
		else if (stretch->kind == UNI_GDB_STRETCH_TAGS)
			*(volatile unaligned_word *)bytes = uni_gdb_x86_tags_expand(*from);
		else if (stretch->len <= sizeof(unaligned_word))
			move_word(bytes, from);
		else
			move_words(bytes, from, stretch->len);
		bytes += stretch->len;
	}
}
