/* SPDX-License-Identifier: MIT */

/* Where opcodes are; encodings from the Intel SDM, vol. 2. */

#include <criterion/criterion.h>

#include "gdbstub/arch/x86_64/instruction.h"

Test(instruction, the_opcode_is_behind_prefixes_and_escapes)
{
	static const struct {
		const char *what;
		uint8_t code[16];
		unsigned opcode_at;
		enum uni_gdb_x86_map map;
		bool address_32;
		bool vector;
	} samples[] = {
		{"push %rbp", {0x55}, 0, UNI_GDB_X86_MAP_ONE, false, false},
		{"push %r15", {0x41, 0x57}, 1, UNI_GDB_X86_MAP_ONE, false, false},
		{"lock incl %fs:(%rax)", {0xf0, 0x64, 0xff}, 2, UNI_GDB_X86_MAP_ONE, false, false},
		{"mov (%eax), %rax", {0x67, 0x48, 0x8b}, 2, UNI_GDB_X86_MAP_ONE, true, false},
		{"four prefixes",
		 {0x66, 0xf2, 0x2e, 0xf0, 0x90},
		 4,
		 UNI_GDB_X86_MAP_ONE,
		 false,
		 false},
		{"jne, long", {0x0f, 0x85}, 1, UNI_GDB_X86_MAP_0F, false, false},
		{"popcnt %r8", {0xf3, 0x49, 0x0f, 0xb8}, 3, UNI_GDB_X86_MAP_0F, false, false},
		{"pshufb", {0x66, 0x0f, 0x38, 0x00}, 3, UNI_GDB_X86_MAP_0F38, false, false},
		{"palignr", {0x66, 0x0f, 0x3a, 0x0f}, 3, UNI_GDB_X86_MAP_0F3A, false, false},
		{"vmovups", {0xc5, 0xf8, 0x10}, 2, UNI_GDB_X86_MAP_0F, false, true},
		{"vpshufb", {0xc4, 0xe2, 0x79, 0x00}, 3, UNI_GDB_X86_MAP_0F38, false, true},
		{"vpalignr", {0xc4, 0xe3, 0x71, 0x0f}, 3, UNI_GDB_X86_MAP_0F3A, false, true},
		{"vmovups zmm", {0x62, 0xf1, 0x7c, 0x48, 0x10}, 4, UNI_GDB_X86_MAP_0F, false, true},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct uni_gdb_x86_instruction found;

		cr_assert(uni_gdb_x86_parse(samples[i].code, &found), "%s", samples[i].what);
		cr_expect_eq(found.code, samples[i].code, "%s", samples[i].what);
		cr_expect_eq(found.opcode_at, samples[i].opcode_at, "%s", samples[i].what);
		cr_expect_eq(found.map, samples[i].map, "%s", samples[i].what);
		cr_expect_eq(found.address_32, samples[i].address_32, "%s", samples[i].what);
		cr_expect_eq(found.vector, samples[i].vector, "%s", samples[i].what);
	}
}

Test(instruction, has_at_most_four_prefixes)
{
	static const uint8_t code[16] = {0x66, 0x66, 0x66, 0x66, 0x66, 0x90};
	struct uni_gdb_x86_instruction found;

	cr_expect_not(uni_gdb_x86_parse(code, &found));
}
