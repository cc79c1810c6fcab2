/* SPDX-License-Identifier: MIT */

/* All registers at once, for trace frames: what uni_gdb_arch_register_read() gives of one after the
 * other, many times faster. Runs at tracepoints: no memcpy(). */

#include "gdbstub/arch.h"
#include "gdbstub/arch/x86_64/registers_layout.h"

typedef uint64_t __attribute__((aligned(1), may_alias)) unaligned_word;
typedef uint16_t __attribute__((aligned(1), may_alias)) unaligned_short;

/* All sizes are even. */
static void copy(uint8_t *to, const uint8_t *from, unsigned len)
{
	for (; len >= 8; len -= 8, to += 8, from += 8)
		*(volatile unaligned_word *)to = *(const unaligned_word *)from;
	for (; len; len -= 2, to += 2, from += 2)
		*(volatile unaligned_short *)to = *(const unaligned_short *)from;
}

static void clear(uint8_t *to, unsigned len)
{
	for (; len; len -= 2, to += 2)
		*(volatile unaligned_short *)to = 0;
}

static void pack(const struct uni_gdb_registers *registers,
		 const struct uni_gdb_x86_register *layout, uint8_t *to)
{
	uint16_t tags;

	if (layout->word != UNI_GDB_XSAVE) {
		copy(to, (const uint8_t *)&registers->words[layout->word], layout->bytes);
	} else if (!(registers->known >> UNI_GDB_FPU & 1)) {
		clear(to, layout->size);
	} else if (layout->from == UNI_GDB_XSAVE_TAGS) {
		tags = uni_gdb_x86_tags_expand(registers->xsave[UNI_GDB_XSAVE_TAGS]);
		copy(to, (const uint8_t *)&tags, sizeof(tags));
		clear(to + sizeof(tags), layout->size - (unsigned)sizeof(tags));
	} else {
		copy(to, registers->xsave + layout->from, layout->bytes);
		clear(to + layout->bytes, layout->size - layout->bytes);
	}
}

void uni_gdb_arch_registers_pack(const struct uni_gdb_registers *registers, uint32_t sets,
				 uint8_t *bytes)
{
	for (unsigned i = 0; i < uni_gdb_x86_feature_count; i++) {
		const struct uni_gdb_x86_feature *feature = &uni_gdb_x86_features[i];

		if ((feature->needs & sets) != feature->needs)
			continue;
		for (unsigned k = 0; k < feature->count; k++) {
			pack(registers, &feature->registers[k], bytes);
			bytes += feature->registers[k].size;
		}
	}
}
