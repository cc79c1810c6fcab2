/* SPDX-License-Identifier: MIT */

/* Instructions that are to run elsewhere; encodings from the Intel SDM, vol. 2. */

#include <criterion/criterion.h>
#include <string.h>

#include "gdbstub/arch.h"

#define FROM 0x100400u
#define TO 0x180000u
#define FAR 0x200100400u

struct sample {
	const char *what;
	uint8_t code[UNI_GDB_DISPLACED_SIZE];
	enum uni_gdb_displaced_kind kind;
};

static bool displace(const struct sample *sample, uint8_t code[UNI_GDB_DISPLACED_SIZE],
		     struct uni_gdb_displaced *displaced)
{
	memcpy(code, sample->code, UNI_GDB_DISPLACED_SIZE);
	return uni_gdb_arch_displace(FROM, TO, code, displaced);
}

/* ModRM 05 behind these is no operand relative to rip, or is none at all. */
Test(displaced, most_are_copied_as_they_are)
{
	static const struct sample samples[] = {
		{"push %rbp", {0x55, 0x05}, UNI_GDB_DISPLACED_PLAIN},
		{"push %r15", {0x41, 0x57, 0x05}, UNI_GDB_DISPLACED_PLAIN},
		{"endbr64", {0xf3, 0x0f, 0x1e, 0xfa}, UNI_GDB_DISPLACED_PLAIN},
		{"mov %rsp, %rbp", {0x48, 0x89, 0xe5}, UNI_GDB_DISPLACED_PLAIN},
		{"mov 5(%rsp), %eax", {0x8b, 0x44, 0x24, 0x05}, UNI_GDB_DISPLACED_PLAIN},
		{"mov (,%rax,1) + 5", {0x8b, 0x04, 0x05, 1, 2, 3, 4}, UNI_GDB_DISPLACED_PLAIN},
		{"mov $5, %eax", {0xb8, 0x05, 0, 0, 0}, UNI_GDB_DISPLACED_PLAIN},
		{"add $5, %al", {0x04, 0x05}, UNI_GDB_DISPLACED_PLAIN},
		{"test $5, %al", {0xa8, 0x05}, UNI_GDB_DISPLACED_PLAIN},
		{"jmp +5", {0xeb, 0x05}, UNI_GDB_DISPLACED_PLAIN},
		{"jne +5", {0x75, 0x05}, UNI_GDB_DISPLACED_PLAIN},
		{"jne, long", {0x0f, 0x85, 0x05, 0, 0, 0}, UNI_GDB_DISPLACED_PLAIN},
		{"jmp, long", {0xe9, 0x05, 0, 0, 0}, UNI_GDB_DISPLACED_PLAIN},
		{"cpuid", {0x0f, 0xa2, 0x05}, UNI_GDB_DISPLACED_PLAIN},
		{"rdtsc", {0x0f, 0x31, 0x05}, UNI_GDB_DISPLACED_PLAIN},
		{"vzeroupper", {0xc5, 0xf8, 0x77, 0x05}, UNI_GDB_DISPLACED_PLAIN},
		{"call +5", {0xe8, 0x05, 0, 0, 0}, UNI_GDB_DISPLACED_CALL},
		{"ret", {0xc3, 0x05}, UNI_GDB_DISPLACED_ABSOLUTE},
		{"ret $5", {0xc2, 0x05, 0}, UNI_GDB_DISPLACED_ABSOLUTE},
		{"jmp *%rax", {0xff, 0xe0}, UNI_GDB_DISPLACED_ABSOLUTE},
		{"notrack jmp *%rax", {0x3e, 0xff, 0xe0}, UNI_GDB_DISPLACED_ABSOLUTE},
		{"call *%r11", {0x41, 0xff, 0xd3}, UNI_GDB_DISPLACED_ABSOLUTE_CALL},
		{"push (%rax)", {0xff, 0x30}, UNI_GDB_DISPLACED_PLAIN},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct uni_gdb_displaced displaced;
		uint8_t code[UNI_GDB_DISPLACED_SIZE];

		cr_assert(displace(&samples[i], code, &displaced), "%s", samples[i].what);
		cr_expect_eq(displaced.kind, samples[i].kind, "%s", samples[i].what);
		cr_expect_arr_eq(code, samples[i].code, sizeof(code), "%s", samples[i].what);
	}
}

/* 0x11223344 + 0x100400 - 0x180000 = 0x111a3744 */
Test(displaced, operands_relative_to_rip_are_moved)
{
	static const struct {
		struct sample sample;
		unsigned at;
	} samples[] = {
		{{"mov (%rip), %rax", {0x48, 0x8b, 0x05, 0x44, 0x33, 0x22, 0x11}, 0}, 3},
		{{"mov %ecx, (%rip)", {0x89, 0x0d, 0x44, 0x33, 0x22, 0x11}, 0}, 2},
		{{"cmpl $1, (%rip)", {0x83, 0x3d, 0x44, 0x33, 0x22, 0x11, 1}, 0}, 2},
		{{"lock incl", {0xf0, 0xff, 0x05, 0x44, 0x33, 0x22, 0x11}, 0}, 3},
		{{"mov %gs:(%rip)", {0x65, 0x48, 0x8b, 0x05, 0x44, 0x33, 0x22, 0x11}, 0}, 4},
		{{"movzbl (%rip)", {0x0f, 0xb6, 0x05, 0x44, 0x33, 0x22, 0x11}, 0}, 3},
		{{"pshufb (%rip)", {0x66, 0x0f, 0x38, 0x00, 0x05, 0x44, 0x33, 0x22, 0x11}, 0}, 5},
		{{"palignr (%rip)", {0x66, 0x0f, 0x3a, 0x0f, 0x05, 0x44, 0x33, 0x22, 0x11, 1}, 0},
		 5},
		{{"vmovups (%rip)", {0xc5, 0xf8, 0x10, 0x05, 0x44, 0x33, 0x22, 0x11}, 0}, 4},
		{{"vpshufb (%rip)", {0xc4, 0xe2, 0x79, 0x00, 0x05, 0x44, 0x33, 0x22, 0x11}, 0}, 5},
		{{"vmovups zmm", {0x62, 0xf1, 0x7c, 0x48, 0x10, 0x05, 0x44, 0x33, 0x22, 0x11}, 0},
		 6},
		{{"call *(%rip)", {0xff, 0x15, 0x44, 0x33, 0x22, 0x11}, 3}, 2},
		{{"jmp *(%rip)", {0xff, 0x25, 0x44, 0x33, 0x22, 0x11}, 2}, 2},
	};
	static const uint8_t moved[4] = {0x44, 0x37, 0x1a, 0x11};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct sample *sample = &samples[i].sample;
		uint8_t code[UNI_GDB_DISPLACED_SIZE], expected[UNI_GDB_DISPLACED_SIZE];
		struct uni_gdb_displaced displaced;

		cr_assert(displace(sample, code, &displaced), "%s", sample->what);
		memcpy(expected, sample->code, sizeof(expected));
		memcpy(expected + samples[i].at, moved, sizeof(moved));
		cr_expect_arr_eq(code, expected, sizeof(code), "%s", sample->what);
	}
}

Test(displaced, what_no_copy_can_do_is_refused)
{
	static const struct sample samples[] = {
		{"int3", {0xcc}, 0},
		{"int $0x80", {0xcd, 0x80}, 0},
		{"iretq", {0x48, 0xcf}, 0},
		{"syscall", {0x0f, 0x05}, 0},
		{"swapgs", {0x0f, 0x01, 0xf8}, 0},
		{"mov %eax, %ss", {0x8e, 0xd0}, 0},
		{"far jmp", {0xff, 0x28}, 0},
		{"xbegin", {0xc7, 0xf8, 0, 0, 0, 0}, 0},
		{"mov (%eip)", {0x67, 0x8b, 0x05, 0, 0, 0, 0}, 0},
		{"prefixes", {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66}, 0},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct uni_gdb_displaced displaced;
		uint8_t code[UNI_GDB_DISPLACED_SIZE];

		cr_expect(!displace(&samples[i], code, &displaced), "%s", samples[i].what);
	}
}

Test(displaced, an_operand_that_would_be_too_far_is_refused)
{
	uint8_t code[UNI_GDB_DISPLACED_SIZE] = {0x48, 0x8b, 0x05};
	struct uni_gdb_displaced displaced;

	cr_expect(!uni_gdb_arch_displace(FAR, TO, code, &displaced));
}

Test(displaced, the_pc_is_put_right_afterwards)
{
	struct uni_gdb_displaced displaced = {FROM, TO, UNI_GDB_DISPLACED_PLAIN, 0};

	cr_expect_eq(uni_gdb_arch_displaced_pc(&displaced, TO + 3), FROM + 3);
	cr_expect_eq(uni_gdb_arch_displaced_pc(&displaced, TO - 100), FROM - 100, "a jump back");
	cr_expect(!uni_gdb_arch_displaced_pushes(&displaced));
	displaced.kind = UNI_GDB_DISPLACED_ABSOLUTE;
	cr_expect_eq(uni_gdb_arch_displaced_pc(&displaced, 0x1234), 0x1234);
	cr_expect(!uni_gdb_arch_displaced_pushes(&displaced));
	displaced.kind = UNI_GDB_DISPLACED_CALL;
	cr_expect_eq(uni_gdb_arch_displaced_pc(&displaced, TO + 0x50), FROM + 0x50);
	cr_expect(uni_gdb_arch_displaced_pushes(&displaced));
	displaced.kind = UNI_GDB_DISPLACED_ABSOLUTE_CALL;
	cr_expect_eq(uni_gdb_arch_displaced_pc(&displaced, 0x1234), 0x1234);
	cr_expect(uni_gdb_arch_displaced_pushes(&displaced));
}

/* --- trampolines --- */

#define OPEN (UNI_GDB_TRAMPOLINE_SIZE / 2)

static bool trampoline(const uint8_t *bytes, size_t len, uint8_t room[UNI_GDB_TRAMPOLINE_SIZE],
		       struct uni_gdb_displaced *displaced)
{
	uint8_t code[UNI_GDB_DISPLACED_SIZE];

	memset(code, 0x90, sizeof(code));
	memcpy(code, bytes, len);
	return uni_gdb_arch_trampoline(FROM, TO, code, room, displaced);
}

Test(displaced, a_trampoline_leads_back_with_interrupts_off_and_on)
{
	/* lea 0x10(%rip), %rax: 0x10 + 0x100400 - 0x180000, and less by the way to the second one;
	 * jmp to 0x100407 from behind 0x180007 + 5, and from behind 0x180020 + 5 */
	static const uint8_t lea[] = {0x48, 0x8d, 0x05, 0x10, 0, 0, 0};
	static const uint8_t masked[] = {0x48, 0x8d, 0x05, 0x10, 0x04, 0xf8,
					 0xff, 0xe9, 0xfb, 0x03, 0xf8, 0xff};
	static const uint8_t open[] = {0x48, 0x8d, 0x05, 0xf8, 0x03, 0xf8, 0xff,
				       0xfb, 0xe9, 0xe2, 0x03, 0xf8, 0xff};
	uint8_t room[UNI_GDB_TRAMPOLINE_SIZE];
	struct uni_gdb_displaced displaced;

	cr_assert(trampoline(lea, sizeof(lea), room, &displaced));
	cr_expect_eq(displaced.through, 7);
	cr_expect_arr_eq(room, masked, sizeof(masked));
	cr_expect_arr_eq(room + OPEN, open, sizeof(open));
	cr_expect_eq(room[OPEN + sizeof(open)], 0xcc);
	cr_expect_eq(uni_gdb_arch_trampoline_entry(&displaced, false), TO);
	cr_expect_eq(uni_gdb_arch_trampoline_entry(&displaced, true), TO + OPEN);
}

Test(displaced, each_address_of_a_trampoline_is_a_place_of_the_program)
{
	static const struct {
		unsigned at;
		struct uni_gdb_place place;
	} samples[] = {
		{0, {FROM, false, false}},	    {3, {FROM + 3, true, false}},
		{OPEN, {FROM, false, true}},	    {OPEN + 3, {FROM + 3, true, true}},
		{OPEN + 4, {FROM + 3, true, true}},
	};
	uint8_t room[UNI_GDB_TRAMPOLINE_SIZE];
	struct uni_gdb_displaced displaced;

	cr_assert(trampoline((const uint8_t[]){0x48, 0x89, 0xe5}, 3, room, &displaced));
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct uni_gdb_place place =
			uni_gdb_arch_trampoline_place(&displaced, TO + samples[i].at);

		cr_expect_eq(place.pc, samples[i].place.pc, "+%u", samples[i].at);
		cr_expect_eq(place.made, samples[i].place.made, "+%u", samples[i].at);
		cr_expect_eq(place.interrupts, samples[i].place.interrupts, "+%u", samples[i].at);
	}
	/* A step that ended behind the jump. */
	cr_expect_eq(uni_gdb_arch_displaced_pc(&displaced, FROM + 3), FROM + 3);
	cr_expect_eq(uni_gdb_arch_displaced_pc(&displaced, TO + 3), FROM + 3);
}

Test(displaced, some_are_copied_and_lead_nowhere)
{
	static const struct {
		const char *what;
		uint8_t code[8];
		uint8_t through;
	} samples[] = {
		{"pause", {0xf3, 0x90}, 2},
		{"endbr64", {0xf3, 0x0f, 0x1e, 0xfa}, 4},
		{"movss (%rax), %xmm0", {0xf3, 0x0f, 0x10, 0x00}, 4},
		{"lock inc (%rax)", {0xf0, 0xff, 0x00}, 3},
		{"movsb", {0xa4}, 1},
		{"rep movsb", {0xf3, 0xa4}, 0},
		{"repne scasb", {0xf2, 0xae}, 0},
		{"jne +5", {0x75, 0x05}, 0},
		{"jmp +5", {0xeb, 0x05}, 0},
		{"call +5", {0xe8, 0x05, 0, 0, 0}, 0},
		{"ret", {0xc3}, 0},
		{"jmp *%rax", {0xff, 0xe0}, 0},
		{"pushf", {0x9c}, 0},
		{"popf", {0x9d}, 0},
		{"cli", {0xfa}, 0},
		{"sti", {0xfb}, 0},
		{"hlt", {0xf4}, 0},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		uint8_t room[UNI_GDB_TRAMPOLINE_SIZE];
		struct uni_gdb_displaced displaced;

		cr_assert(trampoline(samples[i].code, sizeof(samples[i].code), room, &displaced),
			  "%s", samples[i].what);
		cr_expect_eq(displaced.through, samples[i].through, "%s", samples[i].what);
		cr_expect_eq(room[0], samples[i].code[0], "%s", samples[i].what);
	}
	cr_expect(!trampoline((const uint8_t[]){0x0f, 0x05}, 2, (uint8_t[64]){0},
			      &(struct uni_gdb_displaced){0}));
}
