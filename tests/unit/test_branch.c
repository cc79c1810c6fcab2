/* SPDX-License-Identifier: MIT */

/* Steps that went on, and steps that took a branch; encodings from the Intel SDM, vol. 2. */

#include <criterion/criterion.h>

#include "gdbstub/arch.h"

#define FROM 0x100400u

static bool falls_through(uint64_t to, const uint8_t code[UNI_GDB_DISPLACED_SIZE])
{
	return uni_gdb_arch_falls_through(FROM, to, code);
}

Test(branch, what_is_none_falls_through)
{
	static const struct {
		const char *what;
		uint8_t code[UNI_GDB_DISPLACED_SIZE];
		unsigned len;
	} samples[] = {
		{"push %rbp", {0x55}, 1},
		{"mov $-61, %eax", {0xb8, 0xc3, 0xff, 0xff, 0xff}, 5},
		{"push (%rax)", {0xff, 0x30}, 2},
		{"incl (%rax)", {0xff, 0x00}, 2},
		{"rdtsc", {0x0f, 0x31}, 2},
		{"pmaddubsw", {0x66, 0x0f, 0x38, 0x04, 0xc1}, 5},
		{"vmovaps of opcode e8", {0xc5, 0xf8, 0xe8, 0xc1}, 4},
		{"movabs", {0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8}, 10},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		cr_expect(falls_through(FROM + samples[i].len, samples[i].code), "%s",
			  samples[i].what);
}

Test(branch, always_taken_never_falls_through)
{
	static const struct {
		const char *what;
		uint8_t code[UNI_GDB_DISPLACED_SIZE];
	} samples[] = {
		{"ret", {0xc3}},
		{"ret $8", {0xc2, 8, 0}},
		{"repz ret", {0xf3, 0xc3}},
		{"jmp", {0xeb, 5}},
		{"jmp, long", {0xe9, 5, 0, 0, 0}},
		{"call", {0xe8, 5, 0, 0, 0}},
		{"call *%r11", {0x41, 0xff, 0xd3}},
		{"jmp *(%rax)", {0xff, 0x20}},
		{"far jmp", {0xff, 0x28}},
		{"iretq", {0x48, 0xcf}},
		{"syscall", {0x0f, 0x05}},
		{"sysret", {0x48, 0x0f, 0x07}},
		{"more prefixes than are read", {0x66, 0x66, 0x66, 0x66, 0x66, 0x90}},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		for (unsigned len = 1; len <= 15; len++)
			cr_expect_not(falls_through(FROM + len, samples[i].code), "%s, %u",
				      samples[i].what, len);
}

/* A branch forward by 3 lands where a longer instruction would end. */
Test(branch, conditional_falls_through_only_to_its_end)
{
	static const struct {
		const char *what;
		uint8_t code[UNI_GDB_DISPLACED_SIZE];
		unsigned len;
	} samples[] = {
		{"jne", {0x75, 3}, 2},
		{"jrcxz", {0xe3, 3}, 2},
		{"jecxz", {0x67, 0xe3, 3}, 3},
		{"loop", {0xe2, 3}, 2},
		{"jne, hinted", {0x3e, 0x75, 3}, 3},
		{"jne, long", {0x0f, 0x85, 3, 0, 0, 0}, 6},
		{"bnd jne, long", {0xf2, 0x0f, 0x85, 3, 0, 0, 0}, 7},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		for (unsigned len = 1; len <= 15; len++)
			cr_expect_eq(falls_through(FROM + len, samples[i].code),
				     len == samples[i].len, "%s, %u", samples[i].what, len);
}

Test(branch, a_way_back_or_beyond_the_longest_instruction_is_one)
{
	static const uint8_t nop[UNI_GDB_DISPLACED_SIZE] = {0x90};

	cr_expect(falls_through(FROM + 15, nop));
	cr_expect_not(falls_through(FROM + 16, nop));
	cr_expect_not(falls_through(FROM, nop));
	cr_expect_not(falls_through(FROM - 1, nop));
	cr_expect_not(uni_gdb_arch_falls_through(UINT64_MAX, 0x100400, nop));
}
