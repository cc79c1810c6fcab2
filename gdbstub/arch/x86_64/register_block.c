/* SPDX-License-Identifier: MIT */

/* All registers at once, for trace frames: what uni_gdb_arch_register_read() gives of one after the
 * other, many times faster. Runs at tracepoints: no memcpy(). */

#include "gdbstub/arch.h"
#include "gdbstub/arch/x86_64/registers_layout.h"

typedef uint64_t __attribute__((aligned(1), may_alias)) unaligned_word;
typedef uint32_t __attribute__((aligned(1), may_alias)) unaligned_half;
typedef uint16_t __attribute__((aligned(1), may_alias)) unaligned_short;

static void copy_word(uint8_t *to, const uint8_t *from, unsigned at)
{
	*(volatile unaligned_word *)(to + at) = *(const unaligned_word *)(from + at);
}

/* All sizes are even. */
static void copy(uint8_t *to, const uint8_t *from, unsigned len)
{
	for (; len >= 32; len -= 32, to += 32, from += 32) {
		copy_word(to, from, 0);
		copy_word(to, from, 8);
		copy_word(to, from, 16);
		copy_word(to, from, 24);
	}
	for (; len >= 8; len -= 8, to += 8, from += 8)
		copy_word(to, from, 0);
	if (len & 4)
		*(volatile unaligned_half *)to = *(const unaligned_half *)from;
	if (len & 2)
		*(volatile unaligned_short *)(to + (len & 4)) =
			*(const unaligned_short *)(from + (len & 4));
}

static void clear(uint8_t *to, unsigned len)
{
	for (; len >= 8; len -= 8, to += 8)
		*(volatile unaligned_word *)to = 0;
	for (; len; len -= 2, to += 2)
		*(volatile unaligned_short *)to = 0;
}

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
		stretch.from = (uint16_t)(layout->word * sizeof(uint64_t));
	} else {
		stretch.kind = layout->from == UNI_GDB_XSAVE_TAGS ? UNI_GDB_STRETCH_TAGS
								  : UNI_GDB_STRETCH_FPU;
		stretch.from = layout->from;
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

void uni_gdb_arch_register_block_put(const struct uni_gdb_register_block *block,
				     const struct uni_gdb_registers *registers, uint8_t *bytes)
{
	bool knows_fpu = registers->known >> UNI_GDB_FPU & 1;

	for (unsigned i = 0; i < block->count; i++) {
		const struct uni_gdb_stretch *stretch = &block->stretches[i];
		uint16_t tags;

		if (stretch->kind == UNI_GDB_STRETCH_WORDS) {
			copy(bytes, (const uint8_t *)registers->words + stretch->from,
			     stretch->len);
		} else if (stretch->kind == UNI_GDB_STRETCH_ZERO || !knows_fpu) {
			clear(bytes, stretch->len);
		} else if (stretch->kind == UNI_GDB_STRETCH_FPU) {
			copy(bytes, registers->xsave + stretch->from, stretch->len);
		} else {
			tags = uni_gdb_x86_tags_expand(registers->xsave[stretch->from]);
			copy(bytes, (const uint8_t *)&tags, sizeof(tags));
		}
		bytes += stretch->len;
	}
}
