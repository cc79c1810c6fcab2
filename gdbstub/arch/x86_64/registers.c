/* SPDX-License-Identifier: MIT */

/* GDB manual, "i386 Features" and "Register Packet Format". Numbers are fixed by the order here. */

#include "gdbstub/arch.h"

#define FX 64 /* `word` of a register that lies in fx[] */

struct layout {
	char name[9];
	uint8_t size;  /* bytes of a transfer */
	uint8_t word;  /* index into words[], or FX */
	uint16_t from; /* offset in fx[] */
	uint8_t bytes; /* kept there; the rest of the transfer is 0 */
	const char *type;
	const char *group;
};

struct feature {
	const char *name;
	const char *types;
	const struct layout *registers;
	unsigned count;
};

#define WORD(name, word, type)                            \
	{                                                 \
		name, 8, UNI_GDB_##word, 0, 8, type, NULL \
	}
#define HALF(name, word, type)                            \
	{                                                 \
		name, 4, UNI_GDB_##word, 0, 4, type, NULL \
	}
#define CONTROL(name, offset, len)                       \
	{                                                \
		name, 4, FX, offset, len, "int", "float" \
	}
#define ST(n)                                                      \
	{                                                          \
		"st" #n, 10, FX, 32 + 16 * n, 10, "i387_ext", NULL \
	}
#define XMM(n)                                                     \
	{                                                          \
		"xmm" #n, 16, FX, 160 + 16 * n, 16, "vec128", NULL \
	}

#define FX_TAGS 4 /* one bit a register; gdb wants two */

static const struct layout core[] = {
	WORD("rax", RAX, "int64"),
	WORD("rbx", RBX, "int64"),
	WORD("rcx", RCX, "int64"),
	WORD("rdx", RDX, "int64"),
	WORD("rsi", RSI, "int64"),
	WORD("rdi", RDI, "int64"),
	WORD("rbp", RBP, "data_ptr"),
	WORD("rsp", RSP, "data_ptr"),
	WORD("r8", R8, "int64"),
	WORD("r9", R9, "int64"),
	WORD("r10", R10, "int64"),
	WORD("r11", R11, "int64"),
	WORD("r12", R12, "int64"),
	WORD("r13", R13, "int64"),
	WORD("r14", R14, "int64"),
	WORD("r15", R15, "int64"),
	WORD("rip", RIP, "code_ptr"),
	HALF("eflags", EFLAGS, "eflags_bits"),
	HALF("cs", CS, "int32"),
	HALF("ss", SS, "int32"),
	HALF("ds", DS, "int32"),
	HALF("es", ES, "int32"),
	HALF("fs", FS, "int32"),
	HALF("gs", GS, "int32"),
	ST(0),
	ST(1),
	ST(2),
	ST(3),
	ST(4),
	ST(5),
	ST(6),
	ST(7),
	CONTROL("fctrl", 0, 2),
	CONTROL("fstat", 2, 2),
	CONTROL("ftag", FX_TAGS, 2),
	CONTROL("fiseg", 12, 4),
	CONTROL("fioff", 8, 4),
	CONTROL("foseg", 20, 4),
	CONTROL("fooff", 16, 4),
	CONTROL("fop", 6, 2),
};

static const struct layout sse[] = {
	XMM(0),
	XMM(1),
	XMM(2),
	XMM(3),
	XMM(4),
	XMM(5),
	XMM(6),
	XMM(7),
	XMM(8),
	XMM(9),
	XMM(10),
	XMM(11),
	XMM(12),
	XMM(13),
	XMM(14),
	XMM(15),
	{"mxcsr", 4, FX, 24, 4, "mxcsr_bits", "vector"},
};

static const struct layout linux_only[] = {
	{"orig_rax", 8, UNI_GDB_ORIG_RAX, 0, 8, "int", "system"},
};

static const struct layout segments[] = {
	WORD("fs_base", FS_BASE, "int"),
	WORD("gs_base", GS_BASE, "int"),
};

static const char core_types[] = "<flags id=\"eflags_bits\" size=\"4\">\n"
				 "<field name=\"CF\" start=\"0\" end=\"0\"/>\n"
				 "<field name=\"\" start=\"1\" end=\"1\"/>\n"
				 "<field name=\"PF\" start=\"2\" end=\"2\"/>\n"
				 "<field name=\"AF\" start=\"4\" end=\"4\"/>\n"
				 "<field name=\"ZF\" start=\"6\" end=\"6\"/>\n"
				 "<field name=\"SF\" start=\"7\" end=\"7\"/>\n"
				 "<field name=\"TF\" start=\"8\" end=\"8\"/>\n"
				 "<field name=\"IF\" start=\"9\" end=\"9\"/>\n"
				 "<field name=\"DF\" start=\"10\" end=\"10\"/>\n"
				 "<field name=\"OF\" start=\"11\" end=\"11\"/>\n"
				 "<field name=\"NT\" start=\"14\" end=\"14\"/>\n"
				 "<field name=\"RF\" start=\"16\" end=\"16\"/>\n"
				 "<field name=\"AC\" start=\"18\" end=\"18\"/>\n"
				 "<field name=\"ID\" start=\"21\" end=\"21\"/>\n"
				 "</flags>\n";

static const char sse_types[] = "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>\n"
				"<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>\n"
				"<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>\n"
				"<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>\n"
				"<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>\n"
				"<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>\n"
				"<union id=\"vec128\">\n"
				"<field name=\"v4_float\" type=\"v4f\"/>\n"
				"<field name=\"v2_double\" type=\"v2d\"/>\n"
				"<field name=\"v16_int8\" type=\"v16i8\"/>\n"
				"<field name=\"v8_int16\" type=\"v8i16\"/>\n"
				"<field name=\"v4_int32\" type=\"v4i32\"/>\n"
				"<field name=\"v2_int64\" type=\"v2i64\"/>\n"
				"<field name=\"uint128\" type=\"uint128\"/>\n"
				"</union>\n"
				"<flags id=\"mxcsr_bits\" size=\"4\">\n"
				"<field name=\"IE\" start=\"0\" end=\"0\"/>\n"
				"<field name=\"DE\" start=\"1\" end=\"1\"/>\n"
				"<field name=\"ZE\" start=\"2\" end=\"2\"/>\n"
				"<field name=\"OE\" start=\"3\" end=\"3\"/>\n"
				"<field name=\"UE\" start=\"4\" end=\"4\"/>\n"
				"<field name=\"PE\" start=\"5\" end=\"5\"/>\n"
				"<field name=\"DAZ\" start=\"6\" end=\"6\"/>\n"
				"<field name=\"IM\" start=\"7\" end=\"7\"/>\n"
				"<field name=\"DM\" start=\"8\" end=\"8\"/>\n"
				"<field name=\"ZM\" start=\"9\" end=\"9\"/>\n"
				"<field name=\"OM\" start=\"10\" end=\"10\"/>\n"
				"<field name=\"UM\" start=\"11\" end=\"11\"/>\n"
				"<field name=\"PM\" start=\"12\" end=\"12\"/>\n"
				"<field name=\"FZ\" start=\"15\" end=\"15\"/>\n"
				"</flags>\n";

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct feature features[] = {
	{"org.gnu.gdb.i386.core", core_types, core, COUNT(core)},
	{"org.gnu.gdb.i386.sse", sse_types, sse, COUNT(sse)},
	{"org.gnu.gdb.i386.linux", "", linux_only, COUNT(linux_only)},
	{"org.gnu.gdb.i386.segments", "", segments, COUNT(segments)},
};

const uint8_t uni_gdb_arch_expedited[] = {UNI_GDB_RBP, UNI_GDB_RSP, UNI_GDB_RIP};
const unsigned uni_gdb_arch_expedited_count = COUNT(uni_gdb_arch_expedited);

static const struct layout *find(unsigned number)
{
	for (unsigned i = 0; i < COUNT(features); i++) {
		if (number < features[i].count)
			return &features[i].registers[number];
		number -= features[i].count;
	}
	return NULL;
}

unsigned uni_gdb_arch_register_count(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < COUNT(features); i++)
		count += features[i].count;
	return count;
}

size_t uni_gdb_arch_register_size(unsigned number)
{
	return find(number)->size;
}

/* FXSAVE keeps one bit for each physical register, 0 for empty. FSAVE's word has two, of which gdb
 * needs only whether it is 3 (empty): Intel SDM vol. 1, 10.5.1.1. */
static uint16_t tags_expand(uint8_t full)
{
	uint16_t tags = 0;

	for (unsigned i = 0; i < 8; i++)
		if (!(full >> i & 1))
			tags |= (uint16_t)(3u << 2 * i);
	return tags;
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

static bool is_known(const struct uni_gdb_registers *registers, const struct layout *layout)
{
	unsigned bit = layout->word == FX ? (unsigned)UNI_GDB_FX : layout->word;

	return registers->known >> bit & 1;
}

static void copy(uint8_t *to, const uint8_t *from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = from[i];
}

bool uni_gdb_arch_register_read(const struct uni_gdb_registers *registers, unsigned number,
				void *bytes)
{
	const struct layout *layout = find(number);
	uint8_t *to = bytes;

	if (!is_known(registers, layout))
		return false;
	for (size_t i = 0; i < layout->size; i++)
		to[i] = 0;
	if (layout->word != FX) {
		copy(to, (const uint8_t *)&registers->words[layout->word], layout->bytes);
	} else if (layout->from == FX_TAGS) {
		uint16_t tags = tags_expand(registers->fx[FX_TAGS]);

		copy(to, (const uint8_t *)&tags, sizeof(tags));
	} else {
		copy(to, registers->fx + layout->from, layout->bytes);
	}
	return true;
}

bool uni_gdb_arch_register_write(struct uni_gdb_registers *registers, unsigned number,
				 const void *bytes)
{
	const struct layout *layout = find(number);

	if (!is_known(registers, layout))
		return false;
	if (layout->word != FX)
		copy((uint8_t *)&registers->words[layout->word], bytes, layout->bytes);
	else if (layout->from == FX_TAGS)
		registers->fx[FX_TAGS] = tags_compress(bytes);
	else
		copy(registers->fx + layout->from, bytes, layout->bytes);
	return true;
}

uint64_t uni_gdb_arch_pc(const struct uni_gdb_registers *registers)
{
	return registers->words[UNI_GDB_RIP];
}

void uni_gdb_arch_set_pc(struct uni_gdb_registers *registers, uint64_t pc)
{
	registers->words[UNI_GDB_RIP] = pc;
}

static void describe_register(struct uni_gdb_text *xml, const struct layout *layout)
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
	uni_gdb_put(xml, "\"/>\n");
}

/* The operating system is named GNU/Linux, and its orig_rax is there, because gdb ties `record` and
 * thread-local variables to them. Newlines, because gdb's trace files take no long lines. */
void uni_gdb_arch_describe(struct uni_gdb_text *xml)
{
	uni_gdb_put(xml, "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
			 "<target>\n<architecture>i386:x86-64</architecture>\n"
			 "<osabi>GNU/Linux</osabi>\n");
	for (unsigned i = 0; i < COUNT(features); i++) {
		uni_gdb_put(xml, "<feature name=\"");
		uni_gdb_put(xml, features[i].name);
		uni_gdb_put(xml, "\">\n");
		uni_gdb_put(xml, features[i].types);
		for (unsigned n = 0; n < features[i].count; n++)
			describe_register(xml, &features[i].registers[n]);
		uni_gdb_put(xml, "</feature>\n");
	}
	uni_gdb_put(xml, "</target>\n");
}
