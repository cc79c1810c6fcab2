/* SPDX-License-Identifier: MIT */
/* Instructions encoded by hand after the Intel SDM, volume 2, tables 2-2 and 2-3. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "host-tools/lib/arch/x86_64/memory_operand.h"

/* DWARF's numbers (System V ABI, figure 3.36). */
enum { RAX = 0, RDX = 1, RCX = 2, RBX = 3, RSI = 4, RDI = 5, RBP = 6, RSP = 7, R12 = 12, R13 = 13 };

static struct uni_memory_operand decode(const char *bytes, size_t len)
{
	uint8_t code[UNI_INSTRUCTION_MAX] = {0};
	struct uni_memory_operand operand;

	memcpy(code, bytes, len);
	cr_assert(uni_memory_operand_decode(code, &operand));
	return operand;
}

static void expect(const char *bytes, size_t len, int base, int index, unsigned scale,
		   int64_t displacement)
{
	struct uni_memory_operand operand = decode(bytes, len);

	cr_expect_eq(operand.base, base, "base %d, not %d", operand.base, base);
	cr_expect_eq(operand.index, index, "index %d, not %d", operand.index, index);
	cr_expect_eq(operand.scale, scale);
	cr_expect_eq(operand.displacement, displacement);
}

#define EXPECT(bytes, ...) expect(bytes, sizeof(bytes) - 1, __VA_ARGS__)

Test(memory_operand, is_found_in_every_form)
{
	EXPECT("\x89\x07", RDI, -1, 1, 0);			 /* mov %eax,(%rdi) */
	EXPECT("\x48\x0f\xaf\x50\x18", RAX, -1, 1, 0x18);	 /* imul 0x18(%rax),%rdx */
	EXPECT("\x48\x8b\x45\xf8", RBP, -1, 1, -8);		 /* mov -8(%rbp),%rax */
	EXPECT("\x8b\x82\x00\x01\x00\x00", RDX, -1, 1, 0x100);	 /* mov 0x100(%rdx),%eax */
	EXPECT("\x49\x8b\x44\x24\x08", R12, -1, 1, 8);		 /* mov 8(%r12),%rax */
	EXPECT("\x41\x8b\x45\x00", R13, -1, 1, 0);		 /* mov 0(%r13),%eax */
	EXPECT("\x48\x8b\x04\xca", RDX, RCX, 8, 0);		 /* mov (%rdx,%rcx,8),%rax */
	EXPECT("\x4a\x8b\x44\x66\x10", RSI, R12, 2, 0x10);	 /* mov 0x10(%rsi,%r12,2),%rax */
	EXPECT("\x8b\x04\x24", RSP, -1, 1, 0);			 /* mov (%rsp),%eax */
	EXPECT("\xc7\x04\x25\x10\x00\x00\x00", -1, -1, 1, 0x10); /* movl $...,0x10 */
	EXPECT("\x66\x0f\x38\x00\x03", RBX, -1, 1, 0);		 /* pshufb (%rbx),%xmm0 */
	EXPECT("\xf0\x48\x0f\xb1\x0a", RDX, -1, 1, 0);		 /* lock cmpxchg %rcx,(%rdx) */
	EXPECT("\xf2\x0f\x10\x40\x08", RAX, -1, 1, 8);		 /* movsd 8(%rax),%xmm0 */
}

Test(memory_operand, is_none_between_registers_or_relative_to_the_pc)
{
	static const uint8_t between[UNI_INSTRUCTION_MAX] = {0x89, 0xc8};     /* mov %ecx,%eax */
	static const uint8_t relative[UNI_INSTRUCTION_MAX] = {0x8b, 0x05, 1}; /* mov 1(%rip),%eax */
	struct uni_memory_operand operand;

	cr_expect_not(uni_memory_operand_decode(between, &operand));
	cr_expect_not(uni_memory_operand_decode(relative, &operand));
}

Test(memory_operand, names_the_register_that_was_null)
{
	static const uint8_t code[UNI_INSTRUCTION_MAX] = {0x48, 0x0f, 0xaf, 0x50, 0x18};
	struct uni_core_registers registers = {.dwarf = {[RAX] = 0, [RDX] = 7}};
	uint64_t offset = 0;
	int number = -1;

	cr_expect(uni_memory_operand_null(code, &registers, 0x18, &number, &offset));
	cr_expect_eq(number, RAX);
	cr_expect_eq(offset, 0x18);
	cr_expect_not(uni_memory_operand_null(code, &registers, 0x20, &number, &offset),
		      "the address is not the operand's");
	registers.dwarf[RAX] = 0x10;
	cr_expect_not(uni_memory_operand_null(code, &registers, 0x28, &number, &offset),
		      "the register is not null");
}

/* A block of the instruction's size: the sanitizer watches over its end. */
static void decode_at_the_end_of_memory(const uint8_t bytes[UNI_INSTRUCTION_MAX])
{
	uint8_t *code = malloc(UNI_INSTRUCTION_MAX);
	struct uni_memory_operand operand;

	memcpy(code, bytes, UNI_INSTRUCTION_MAX);
	if (uni_memory_operand_decode(code, &operand))
		cr_assert(operand.base >= -1 && operand.base < UNI_CORE_DWARF_REGISTERS);
	free(code);
}

Test(memory_operand, stays_within_the_instruction_whatever_the_bytes)
{
	static const uint8_t structure[] = {0x66, 0xf0, 0x4f, 0x0f, 0x38, 0x04, 0xff};
	uint8_t bytes[UNI_INSTRUCTION_MAX];

	memset(bytes, 0x66, sizeof(bytes));
	decode_at_the_end_of_memory(bytes);
	srand(1);
	for (unsigned round = 0; round < 200000; round++) {
		for (unsigned i = 0; i < UNI_INSTRUCTION_MAX; i++)
			bytes[i] = round & 1 ? (uint8_t)rand() : structure[rand() % 7];
		decode_at_the_end_of_memory(bytes);
	}
}
