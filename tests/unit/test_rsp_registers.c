/* SPDX-License-Identifier: MIT */

/* Registers that only some processors have. Names are those of GDB's manual, "i386 Features",
 * places those of Intel SDM vol. 1, 13.4, sets the bits of XCR0 there in 13.3. */

#include <stdlib.h>

#include "tests/unit/rsp_machine.h"

#define SSE 0x003u
#define AVX 0x007u
#define AVX512 0x0e7u
#define ALL 0x2e7u
#define CORE_SIZE 560 /* bytes of the registers that every processor has */

static char xml[32768];

/* Reads target.xml as gdb 13 does, in pieces of 4,096 bytes. */
static void read_description(void)
{
	size_t len = 0;
	char packet[80];
	const char *piece;

	do {
		snprintf(packet, sizeof(packet), "qXfer:features:read:target.xml:%zx,1000", len);
		piece = rsp_ask(packet);
		cr_assert_leq(len + strlen(piece), sizeof(xml));
		strcpy(xml + len, piece + 1);
		len += strlen(piece + 1);
	} while (*piece == 'm');
	cr_assert_eq(*piece, 'l');
}

static void attach_with(uint32_t sets)
{
	rsp_attach();
	m.stub.register_sets = sets;
	uni_gdb_arch_register_block_init(&m.stub.registers, sets);
	read_description();
}

/* The number gdb gives the register of that name ("Target Description Format": one more than the
 * one before, or what `regnum` says); -1 when there is none. */
static int number_of(const char *name)
{
	int number = -1;

	for (const char *at = xml; (at = strstr(at, "<reg name=\"")); at++) {
		const char *own = at + strlen("<reg name=\"");
		const char *given = strstr(at, " regnum=\"");

		number = given && given < strchr(at, '>') ? atoi(given + strlen(" regnum=\""))
							  : number + 1;
		if (!strncmp(own, name, strlen(name)) && own[strlen(name)] == '"')
			return number;
	}
	return -1;
}

static const char *ask_register(const char *name)
{
	char packet[16];
	int number = number_of(name);

	cr_assert_geq(number, 0, "%s", name);
	snprintf(packet, sizeof(packet), "p%x", (unsigned)number);
	return rsp_ask(packet);
}

static const char *hex(const uint8_t *bytes, size_t len)
{
	static char text[2 * 64 + 1];

	for (size_t i = 0; i < len; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
	return text;
}

Test(registers, only_what_a_boot_keeps_is_described)
{
	attach_with(0);
	cr_expect(!strstr(xml, "i386.avx"));
	cr_expect_eq(strlen(rsp_ask("g")), 2 * CORE_SIZE);
	attach_with(SSE);
	cr_expect(!strstr(xml, "i386.avx"));
	attach_with(AVX);
	cr_expect(strstr(xml, "\"org.gnu.gdb.i386.avx\""));
	cr_expect(!strstr(xml, "avx512") && !strstr(xml, "pkeys"));
	cr_expect_eq(strlen(rsp_ask("g")), 2 * (CORE_SIZE + 16 * 16));
	attach_with(AVX512);
	cr_expect(strstr(xml, "\"org.gnu.gdb.i386.avx512\"") && !strstr(xml, "pkeys"));
	attach_with(ALL);
	cr_expect(strstr(xml, "\"org.gnu.gdb.i386.pkeys\""));
	/* ymm0h-15h; xmm16-31, ymm16h-31h, k0-7, zmm0h-31h; pkru */
	cr_expect_eq(strlen(rsp_ask("g")), 2 * (CORE_SIZE + 256 + 256 + 256 + 64 + 1024 + 4));
	/* gdb gives up on the whole description otherwise. */
	attach_with(AVX512 & ~4u);
	cr_expect(!strstr(xml, "avx"));
}

/* A block is what the registers are one by one. */
Test(rsp_registers, lie_in_a_block_one_behind_the_other)
{
	static const uint32_t sets[] = {SSE, AVX, AVX512, ALL};
	static struct uni_gdb_registers registers;
	static struct uni_gdb_register_block block;

	for (size_t i = 0; i < sizeof(registers); i++)
		((uint8_t *)&registers)[i] = (uint8_t)(i * 7 + i / 256 + 1);
	for (size_t i = 0; i < 2 * sizeof(sets) / sizeof(sets[0]); i++) {
		uint8_t packed[UNI_GDB_REGISTERS_MAX + 1], expected[UNI_GDB_REGISTERS_MAX] = {0};
		uint32_t set = sets[i / 2];
		size_t at = 0;

		registers.known = ((1u << UNI_GDB_FPU) - 1) | (uint32_t)(i % 2) << UNI_GDB_FPU;
		for (unsigned n = 0; n < uni_gdb_arch_register_end(set); n++) {
			if (!uni_gdb_arch_register_exists(set, n))
				continue;
			(void)uni_gdb_arch_register_read(&registers, n, expected + at);
			at += uni_gdb_arch_register_size(n);
		}
		uni_gdb_arch_register_block_init(&block, set);
		cr_assert_eq(block.size, at);
		cr_assert_leq(block.size, UNI_GDB_REGISTERS_MAX);
		memset(packed, 0xaa, sizeof(packed));
		uni_gdb_arch_register_block_put(&block, &registers, packed);
		cr_expect_arr_eq(packed, expected, at);
		cr_expect_eq(packed[at], 0xaa);
	}
}

Test(registers, a_number_means_the_same_everywhere)
{
	int ymm, pkru;

	attach_with(ALL);
	ymm = number_of("ymm7h");
	pkru = number_of("pkru");
	attach_with(AVX);
	cr_expect_eq(number_of("ymm7h"), ymm);
	cr_expect_eq(number_of("pkru"), -1);
	cr_expect_eq(number_of("gs_base"), 59);
	attach_with(SSE | 0x200);
	cr_expect_eq(number_of("pkru"), pkru);
}

Test(registers, what_is_not_there_has_no_value)
{
	char packet[64];
	int ymm, k0;

	attach_with(ALL);
	ymm = number_of("ymm0h");
	k0 = number_of("k0");
	attach_with(SSE);
	snprintf(packet, sizeof(packet), "p%x", (unsigned)ymm);
	rsp_expect(packet, "E16");
	snprintf(packet, sizeof(packet), "P%x=00000000000000000000000000000000", (unsigned)ymm);
	rsp_expect(packet, "E16");
	rsp_expect("p100000000", "E16");
	/* A condition on it is refused: reg, end. */
	snprintf(packet, sizeof(packet), "Z0,100400,1;X4,26%04x27", (unsigned)k0);
	cr_expect_eq(strncmp(rsp_ask(packet), "E.", 2), 0);
	attach_with(AVX512);
	rsp_expect(packet, "OK");
}

Test(registers, each_lies_where_xsave_has_it)
{
	static const struct {
		const char *name;
		size_t at, len;
	} cases[] = {
		{"xmm4", 160 + 4 * 16, 16},
		{"ymm0h", 576, 16},
		{"ymm15h", 576 + 15 * 16, 16},
		{"k0", 1088, 8},
		{"k7", 1088 + 7 * 8, 8},
		{"zmm0h", 1152, 32},
		{"zmm15h", 1152 + 15 * 32, 32},
		{"xmm16", 1664, 16},
		{"ymm16h", 1664 + 16, 16},
		{"zmm16h", 1664 + 32, 32},
		{"xmm31", 1664 + 15 * 64, 16},
		{"ymm31h", 1664 + 15 * 64 + 16, 16},
		{"zmm31h", 1664 + 15 * 64 + 32, 32},
		{"pkru", 2688, 4},
	};
	uint8_t *area;

	attach_with(ALL);
	area = m.threads[0].registers.xsave;
	for (size_t i = 0; i < sizeof(m.threads[0].registers.xsave); i++)
		area[i] = (uint8_t)(i * 37 + (i >> 8));
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char packet[128];

		cr_expect_str_eq(ask_register(cases[i].name), hex(area + cases[i].at, cases[i].len),
				 "%s", cases[i].name);
		memset(area + cases[i].at, 0, cases[i].len);
		snprintf(packet, sizeof(packet), "P%x=%s", (unsigned)number_of(cases[i].name),
			 "112233445566778899aabbccddeeff00f1f2f3f4f5f6f7f8f9fafbfcfdfeff01");
		packet[strcspn(packet, "=") + 1 + 2 * cases[i].len] = 0;
		rsp_expect(packet, "OK");
		cr_expect_eq(area[cases[i].at], 0x11, "%s", cases[i].name);
		cr_expect_eq(area[cases[i].at + cases[i].len - 1],
			     cases[i].len == 4	  ? 0x44
			     : cases[i].len == 8  ? 0x88
			     : cases[i].len == 16 ? 0x00
						  : 0x01,
			     "%s", cases[i].name);
	}
}

Test(registers, all_go_forth_and_back)
{
	static char packet[2 * UNI_GDB_REGISTERS_MAX + 2];
	struct uni_gdb_registers before;

	attach_with(ALL);
	for (size_t i = 0; i < sizeof(before.xsave); i++)
		m.threads[0].registers.xsave[i] = (uint8_t)(i * 11);
	snprintf(packet, sizeof(packet), "G%s", rsp_ask("g"));
	before = m.threads[0].registers;
	memset(m.threads[0].registers.xsave + 576, 0, 256);	     /* AVX */
	memset(m.threads[0].registers.xsave + 1088, 0, 2692 - 1088); /* AVX-512, pkru */
	rsp_expect(packet, "OK");
	cr_expect_eq(memcmp(m.threads[0].registers.xsave, before.xsave, 512), 0);
	cr_expect_eq(memcmp(m.threads[0].registers.xsave + 576, before.xsave + 576, 256), 0);
	cr_expect_eq(memcmp(m.threads[0].registers.xsave + 1088, before.xsave + 1088, 2692 - 1088),
		     0);
	packet[strlen(packet) - 2] = 0;
	rsp_expect(packet, "E16");
}

/* Longer ones break the trace files of gdb 13 (tracefile-tfile.c). */
Test(registers, the_description_has_short_lines)
{
	attach_with(ALL);
	for (const char *line = xml; *line; line += strcspn(line, "\n") + 1)
		cr_expect_lt(strcspn(line, "\n"), 1000);
}
