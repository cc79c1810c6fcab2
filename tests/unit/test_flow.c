/* SPDX-License-Identifier: MIT */

/* How long instructions are, and where they lead; encodings from the Intel SDM, vol. 2. */

#include <criterion/criterion.h>

#include "gdbstub/arch.h"

#define PC 0x100400u

struct sample {
	const char *what;
	unsigned len;
	uint8_t code[UNI_GDB_DISPLACED_SIZE];
};

static struct uni_gdb_flow flow_of(const struct sample *sample)
{
	struct uni_gdb_flow flow;

	cr_assert(uni_gdb_arch_flow(PC, sample->code, &flow), "%s", sample->what);
	cr_expect_eq(flow.next, PC + sample->len, "%s", sample->what);
	return flow;
}

Test(flow, lengths)
{
	static const struct sample samples[] = {
		{"nop", 1, {0x90}},
		{"nopw 0(%rax,%rax,1)", 6, {0x66, 0x0f, 0x1f, 0x44, 0, 0}},
		{"mov (%rax), %eax", 2, {0x8b, 0x00, 0xc3}},
		{"mov 4(%rax), %eax", 3, {0x8b, 0x40, 4}},
		{"mov 4(%rip), %eax", 6, {0x8b, 0x05, 4, 0, 0, 0}},
		{"mov (,%rax,4), %eax", 7, {0x8b, 0x04, 0x85, 0, 0, 0, 0}},
		{"mov 4(%rax,%rbx), %eax", 4, {0x8b, 0x44, 0x18, 4}},
		{"mov 0x400(%rax,%rbx), %eax", 7, {0x8b, 0x84, 0x18, 0, 4, 0, 0}},
		{"mov $4, %ax", 4, {0x66, 0xb8, 4, 0}},
		{"mov $4, %eax", 5, {0xb8, 4, 0, 0, 0}},
		{"movabs $4, %rax", 10, {0x48, 0xb8, 4}},
		{"movabs 4, %eax", 9, {0xa1, 4}},
		{"movl $4, (%rax)", 6, {0xc7, 0x00, 4}},
		{"movq $4, 4(%rsp)", 9, {0x48, 0xc7, 0x44, 0x24, 4, 4}},
		{"add $4, %eax", 5, {0x05, 4}},
		{"add $4, %al", 2, {0x04, 4}},
		{"imul $4, %eax, %eax", 3, {0x6b, 0xc0, 4}},
		{"imul $0x400, %eax, %eax", 6, {0x69, 0xc0, 0, 4}},
		{"test $4, %al", 2, {0xa8, 4}},
		{"testb $4, (%rax)", 3, {0xf6, 0x00, 4}},
		{"notb (%rax)", 2, {0xf6, 0x10}},
		{"testl $4, (%rax)", 6, {0xf7, 0x00, 4}},
		{"negl (%rax)", 2, {0xf7, 0x18}},
		{"shl $4, %eax", 3, {0xc1, 0xe0, 4}},
		{"rep movsb", 2, {0xf3, 0xa4}},
		{"bt $4, %eax", 4, {0x0f, 0xba, 0xe0, 4}},
		{"movzbl (%rax), %eax", 3, {0x0f, 0xb6, 0x00}},
		{"cpuid", 2, {0x0f, 0xa2}},
		{"pshufd $4, %xmm1, %xmm0", 5, {0x66, 0x0f, 0x70, 0xc1, 4}},
		{"crc32b %al, %eax", 5, {0xf2, 0x0f, 0x38, 0xf0, 0xc0}},
		{"palignr $4, %xmm1, %xmm0", 6, {0x66, 0x0f, 0x3a, 0x0f, 0xc1, 4}},
		{"pfadd (%rax), %mm0", 4, {0x0f, 0x0f, 0x00, 0x9e}},
		{"vzeroupper", 3, {0xc5, 0xf8, 0x77}},
		{"vpshufd $4, %ymm1, %ymm0", 5, {0xc5, 0xfd, 0x70, 0xc1, 4}},
		{"andn %eax, %eax, %eax", 5, {0xc4, 0xe2, 0x78, 0xf2, 0xc0}},
		{"vpternlogd $4, %zmm0, %zmm0, %zmm0", 7, {0x62, 0xf3, 0x7d, 0x48, 0x25, 0xc0, 4}},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct uni_gdb_flow flow = flow_of(&samples[i]);

		cr_expect_eq(flow.kind, UNI_GDB_FLOW_ON, "%s", samples[i].what);
		cr_expect(!flow.moves_sp, "%s", samples[i].what);
	}
}

Test(flow, branches)
{
	static const struct sample samples[] = {
		{"je", 2, {0x74, 0x10}},
		{"jrcxz", 2, {0xe3, 0x10}},
		{"jne, long", 6, {0x0f, 0x85, 0x0c, 0, 0, 0}},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct uni_gdb_flow flow = flow_of(&samples[i]);

		cr_expect_eq(flow.kind, UNI_GDB_FLOW_BRANCH, "%s", samples[i].what);
		cr_expect_eq(flow.target, PC + 0x12, "%s", samples[i].what);
	}
}

Test(flow, jumps)
{
	static const struct sample samples[] = {
		{"jmp", 2, {0xeb, 0xee}},
		{"jmp, long", 5, {0xe9, 0xeb, 0xff, 0xff, 0xff}},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct uni_gdb_flow flow = flow_of(&samples[i]);

		cr_expect_eq(flow.kind, UNI_GDB_FLOW_JUMP, "%s", samples[i].what);
		cr_expect_eq(flow.target, PC - 0x10, "%s", samples[i].what);
	}
}

Test(flow, away)
{
	static const struct sample samples[] = {
		{"call", 5, {0xe8, 0x10, 0, 0, 0}},
		{"call *%rax", 2, {0xff, 0xd0}},
		{"call *8(%rax)", 3, {0xff, 0x50, 8}},
		{"jmp *%rax", 2, {0xff, 0xe0}},
		{"ret", 1, {0xc3}},
		{"ret $8", 3, {0xc2, 8}},
		{"iretq", 2, {0x48, 0xcf}},
		{"int3", 1, {0xcc}},
		{"int $8", 2, {0xcd, 8}},
		{"syscall", 2, {0x0f, 0x05}},
		{"xbegin", 6, {0xc7, 0xf8, 0, 0, 0, 0}},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		cr_expect_eq(flow_of(&samples[i]).kind, UNI_GDB_FLOW_AWAY, "%s", samples[i].what);
}

Test(flow, the_stack_pointer_moves)
{
	static const struct sample samples[] = {
		{"push %rbp", 1, {0x55}},
		{"push $8", 2, {0x6a, 8}},
		{"push $0x800", 5, {0x68, 0, 8}},
		{"push (%rax)", 2, {0xff, 0x30}},
		{"pop %r15", 2, {0x41, 0x5f}},
		{"pop (%rax)", 2, {0x8f, 0x00}},
		{"pushf", 1, {0x9c}},
		{"popf", 1, {0x9d}},
		{"leave", 1, {0xc9}},
		{"enter", 4, {0xc8, 8, 0, 0}},
		{"push %fs", 2, {0x0f, 0xa0}},
		{"pop %gs", 2, {0x0f, 0xa9}},
		{"sub $16, %rsp", 4, {0x48, 0x83, 0xec, 16}},
		{"add $0x100, %rsp", 7, {0x48, 0x81, 0xc4, 0, 1}},
		{"and $-16, %rsp", 4, {0x48, 0x83, 0xe4, 0xf0}},
		{"sub %rax, %rsp", 3, {0x48, 0x29, 0xc4}},
		{"add (%rax), %rsp", 3, {0x48, 0x03, 0x20}},
		{"lea 8(%rsp), %rsp", 5, {0x48, 0x8d, 0x64, 0x24, 8}},
		{"mov %rbp, %rsp", 3, {0x48, 0x89, 0xec}},
		{"mov (%rax), %rsp", 3, {0x48, 0x8b, 0x20}},
		{"xchg %rax, %rsp", 2, {0x48, 0x94}},
		{"cmove %rax, %rsp", 4, {0x48, 0x0f, 0x44, 0xe0}},
	};
	static const struct sample others[] = {
		{"sub $16, %r12", 4, {0x49, 0x83, 0xec, 16}},
		{"mov %rsp, %rbp", 3, {0x48, 0x89, 0xe5}},
		{"lea 8(%rsp), %rax", 5, {0x48, 0x8d, 0x44, 0x24, 8}},
		{"mov (%rax), %r12", 3, {0x4c, 0x8b, 0x20}},
		{"shl $4, %eax", 3, {0xc1, 0xe0, 4}},
		{"mov $4, %r12", 10, {0x49, 0xbc, 4}},
		{"cmove %rax, %r12", 4, {0x4c, 0x0f, 0x44, 0xe0}},
		{"movaps %xmm4, %xmm4", 3, {0x0f, 0x28, 0xe4}},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		cr_expect(flow_of(&samples[i]).moves_sp, "%s", samples[i].what);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_expect(!flow_of(&others[i]).moves_sp, "%s", others[i].what);
}

Test(flow, what_is_not_known)
{
	static const struct sample samples[] = {
		{"five prefixes", 6, {0x66, 0x66, 0x66, 0x66, 0x66, 0x90}},
		{"invalid in 64-bit mode", 1, {0x06}},
		{"bound or EVEX's length of 32-bit mode", 1, {0x9a}},
		{"XOP", 6, {0x8f, 0xe8, 0x78, 0xc2, 0xec, 0x0e}},
		{"jmp with a prefix that processors differ on", 6, {0x66, 0xe9}},
		{"so je", 7, {0x66, 0x0f, 0x84}},
	};
	struct uni_gdb_flow flow;

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		cr_expect(!uni_gdb_arch_flow(PC, samples[i].code, &flow), "%s", samples[i].what);
}
