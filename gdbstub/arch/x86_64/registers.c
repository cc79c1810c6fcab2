/* SPDX-License-Identifier: MIT */

/* GDB manual, "Register Packet Format" and "Target Description Format". Registers are numbered in
 * the order of uni_gdb_x86_features[], whether they are there or not. */

#include "gdbstub/arch.h"
#include "gdbstub/arch/x86_64/registers_layout.h"

const uint8_t uni_gdb_arch_expedited[] = {UNI_GDB_RBP, UNI_GDB_RSP, UNI_GDB_RIP};
const unsigned uni_gdb_arch_expedited_count = sizeof(uni_gdb_arch_expedited);

/* The feature that has a register; *number becomes its index there. NULL: none has. */
static const struct uni_gdb_x86_feature *feature_of(unsigned *number)
{
	for (unsigned i = 0; i < uni_gdb_x86_feature_count; i++) {
		if (*number < uni_gdb_x86_features[i].count)
			return &uni_gdb_x86_features[i];
		*number -= uni_gdb_x86_features[i].count;
	}
	return NULL;
}

static const struct uni_gdb_x86_register *find(unsigned number)
{
	const struct uni_gdb_x86_feature *feature = feature_of(&number);

	return &feature->registers[number];
}

static bool is_there(const struct uni_gdb_x86_feature *feature, uint32_t sets)
{
	return (feature->needs & sets) == feature->needs;
}

unsigned uni_gdb_arch_register_end(uint32_t sets)
{
	unsigned count = 0;
	unsigned end = 0;

	for (unsigned i = 0; i < uni_gdb_x86_feature_count; i++) {
		count += uni_gdb_x86_features[i].count;
		if (is_there(&uni_gdb_x86_features[i], sets))
			end = count;
	}
	return end;
}

bool uni_gdb_arch_register_exists(uint32_t sets, unsigned number)
{
	const struct uni_gdb_x86_feature *feature = feature_of(&number);

	return feature && is_there(feature, sets);
}

size_t uni_gdb_arch_register_size(unsigned number)
{
	return find(number)->size;
}

uint16_t uni_gdb_x86_tags_expand(uint8_t full)
{
	uint32_t empty = full ^ 0xffu;

	/* Each bit to the lower one of its two, and then to both. */
	empty = (empty | empty << 4) & 0x0f0f;
	empty = (empty | empty << 2) & 0x3333;
	empty = (empty | empty << 1) & 0x5555;
	return (uint16_t)(3 * empty);
}

static uint8_t tags_compress(const uint8_t *bytes)
{
	unsigned tags = bytes[0] | (unsigned)bytes[1] << 8;
	uint8_t full = 0;

	for (unsigned i = 0; i < 8; i++)
		if ((tags >> 2 * i & 3) != 3)
			full |= (uint8_t)(1u << i);
	return full;
}

static uint32_t known_bit(const struct uni_gdb_x86_register *layout)
{
	return 1u << (layout->word == UNI_GDB_XSAVE ? (unsigned)UNI_GDB_FPU : layout->word);
}

static void copy(uint8_t *to, const uint8_t *from, size_t len)
{
	typedef uint64_t __attribute__((aligned(1), may_alias)) unaligned;
	size_t i = 0;

	/* Not memcpy(), which may have a breakpoint where conditions read registers. */
	for (; len - i >= sizeof(unaligned); i += sizeof(unaligned))
		*(volatile unaligned *)(to + i) = *(const unaligned *)(from + i);
	for (; i < len; i++)
		*(volatile uint8_t *)(to + i) = from[i];
}

bool uni_gdb_arch_register_read(const struct uni_gdb_registers *registers, unsigned number,
				void *bytes)
{
	const struct uni_gdb_x86_register *layout = find(number);
	uint8_t *to = bytes;

	if (!(registers->known & known_bit(layout)))
		return false;
	for (size_t i = layout->bytes; i < layout->size; i++)
		to[i] = 0;
	if (layout->word != UNI_GDB_XSAVE) {
		copy(to, (const uint8_t *)&registers->words[layout->word], layout->bytes);
	} else if (layout->from == UNI_GDB_XSAVE_TAGS) {
		uint16_t tags = uni_gdb_x86_tags_expand(registers->xsave[UNI_GDB_XSAVE_TAGS]);

		copy(to, (const uint8_t *)&tags, sizeof(tags));
	} else {
		copy(to, registers->xsave + layout->from, layout->bytes);
	}
	return true;
}

bool uni_gdb_arch_register_is_fpu(unsigned number)
{
	return find(number)->word == UNI_GDB_XSAVE;
}

void uni_gdb_arch_register_write(struct uni_gdb_registers *registers, unsigned number,
				 const void *bytes)
{
	const struct uni_gdb_x86_register *layout = find(number);

	registers->known |= known_bit(layout);
	if (layout->word != UNI_GDB_XSAVE)
		copy((uint8_t *)&registers->words[layout->word], bytes, layout->bytes);
	else if (layout->from == UNI_GDB_XSAVE_TAGS)
		registers->xsave[UNI_GDB_XSAVE_TAGS] = tags_compress(bytes);
	else
		copy(registers->xsave + layout->from, bytes, layout->bytes);
}

const unsigned uni_gdb_arch_pc_number = UNI_GDB_RIP;

uint64_t uni_gdb_arch_pc(const struct uni_gdb_registers *registers)
{
	return registers->words[UNI_GDB_RIP];
}

uint64_t uni_gdb_arch_sp(const struct uni_gdb_registers *registers)
{
	return registers->words[UNI_GDB_RSP];
}

void uni_gdb_arch_set_pc(struct uni_gdb_registers *registers, uint64_t pc)
{
	registers->words[UNI_GDB_RIP] = pc;
}

uint64_t uni_gdb_arch_differing(const struct uni_gdb_registers *a,
				const struct uni_gdb_registers *b)
{
	uint64_t differing = 0;

	for (unsigned i = 0; i < UNI_GDB_WORDS; i++)
		if (i != UNI_GDB_RIP && a->words[i] != b->words[i])
			differing |= 1ul << i;
	return differing;
}

void uni_gdb_arch_restore(struct uni_gdb_registers *to, const struct uni_gdb_registers *from,
			  uint64_t words)
{
	for (unsigned i = 0; i < UNI_GDB_WORDS; i++)
		if (words >> i & 1)
			to->words[i] = from->words[i];
}

static void describe_register(struct uni_gdb_text *xml, const struct uni_gdb_x86_register *layout)
{
	uni_gdb_put(xml, "<reg name=\"");
	uni_gdb_put(xml, layout->name);
	uni_gdb_put(xml, "\" bitsize=\"");
	uni_gdb_put_decimal(xml, layout->size * 8u);
	uni_gdb_put(xml, "\" type=\"");
	uni_gdb_put(xml, layout->type);
	if (layout->group) {
		uni_gdb_put(xml, "\" group=\"");
		uni_gdb_put(xml, layout->group);
	}
}

/* gdb counts on from the number of the first one. */
static void describe_feature(struct uni_gdb_text *xml, const struct uni_gdb_x86_feature *feature,
			     unsigned first)
{
	uni_gdb_put(xml, "<feature name=\"");
	uni_gdb_put(xml, feature->name);
	uni_gdb_put(xml, "\">\n");
	uni_gdb_put(xml, feature->types);
	for (unsigned i = 0; i < feature->count; i++) {
		describe_register(xml, &feature->registers[i]);
		if (i == 0) {
			uni_gdb_put(xml, "\" regnum=\"");
			uni_gdb_put_decimal(xml, first);
		}
		uni_gdb_put(xml, "\"/>\n");
	}
	uni_gdb_put(xml, "</feature>\n");
}

/* The operating system is named GNU/Linux, and its orig_rax is there, because gdb ties `record` and
 * thread-local variables to them. Newlines, because gdb's trace files take no long lines. */
void uni_gdb_arch_describe(struct uni_gdb_text *xml, uint32_t sets)
{
	unsigned first = 0;

	uni_gdb_put(xml, "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
			 "<target>\n<architecture>i386:x86-64</architecture>\n"
			 "<osabi>GNU/Linux</osabi>\n");
	for (unsigned i = 0; i < uni_gdb_x86_feature_count; i++) {
		const struct uni_gdb_x86_feature *feature = &uni_gdb_x86_features[i];

		if (is_there(feature, sets))
			describe_feature(xml, feature, first);
		first += feature->count;
	}
	uni_gdb_put(xml, "</target>\n");
}
