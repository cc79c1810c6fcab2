// SPDX-License-Identifier: MIT
#include "host-tools/lib/arch/x86_64/fault_words.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	VECTOR_DIVIDE = 0,
	VECTOR_UNDEFINED = 6,
	VECTOR_GENERAL_PROTECTION = 13,
	VECTOR_PAGE_FAULT = 14,
	VECTOR_MATH = 16,
	VECTOR_SIMD = 19,
};

/* The error code of a page fault. */
#define ERROR_PRESENT 1u
#define ERROR_WRITE 2u
#define ERROR_RESERVED 8u
#define ERROR_FETCH 16u

/* Pointers below are null with a member's offset or an index: the limit of exploitable and CASR. */
#define NULL_MAX 0x10000u

bool uni_fault_is_write(const struct uni_dump_info *info)
{
	return info->error_code & ERROR_WRITE;
}

#define SAY(out, what_, deed_, ...)                                               \
	do {                                                                      \
		snprintf((out)->what, sizeof((out)->what), what_, ##__VA_ARGS__); \
		snprintf((out)->deed, sizeof((out)->deed), deed_, ##__VA_ARGS__); \
	} while (0)

static void describe_jump(const struct uni_dump_info *info, struct uni_fault_words *out)
{
	if (info->pc < NULL_MAX)
		SAY(out, "call through a null pointer", "called through a null pointer");
	else if (info->error_code & ERROR_PRESENT)
		SAY(out, "jump into data at 0x%" PRIx64, "jumped to 0x%" PRIx64 ", which is data",
		    info->pc);
	else
		SAY(out, "jump to nowhere (0x%" PRIx64 ")",
		    "jumped to 0x%" PRIx64 ", where nothing is", info->pc);
}

static void describe_null(const struct uni_dump_info *info, struct uni_fault_words *out)
{
	const char *verb = uni_fault_is_write(info) ? "wrote" : "read";

	if (info->address)
		snprintf(out->what, sizeof(out->what), "null pointer + %" PRIu64, info->address);
	else
		snprintf(out->what, sizeof(out->what), "null pointer");
	if (info->address)
		snprintf(out->deed, sizeof(out->deed),
			 "%s address 0x%" PRIx64 ", a null pointer + %" PRIu64, verb, info->address,
			 info->address);
	else
		snprintf(out->deed, sizeof(out->deed), "%s through a null pointer", verb);
}

static void describe_wild(const struct uni_dump_info *info, struct uni_fault_words *out)
{
	snprintf(out->what, sizeof(out->what), "wild pointer 0x%" PRIx64, info->address);
	snprintf(out->deed, sizeof(out->deed), "%s address 0x%" PRIx64 ", where nothing is",
		 uni_fault_is_write(info) ? "wrote to" : "read", info->address);
}

static void describe_page_fault(const struct uni_dump_info *info, bool pc_is_code,
				struct uni_fault_words *out)
{
	if (!pc_is_code || info->error_code & ERROR_FETCH)
		describe_jump(info, out);
	else if (info->address < NULL_MAX)
		describe_null(info, out);
	else if (info->error_code & ERROR_RESERVED)
		SAY(out, "page tables are corrupt at 0x%" PRIx64,
		    "met a corrupt page table entry for 0x%" PRIx64, info->address);
	else if (uni_fault_is_write(info) && (info->error_code & ERROR_PRESENT))
		SAY(out, "write to read-only memory at 0x%" PRIx64,
		    "wrote to 0x%" PRIx64 ", which is read-only", info->address);
	else
		describe_wild(info, out);
}

void uni_fault_describe(const struct uni_dump_info *info, bool pc_is_code,
			struct uni_fault_words *out)
{
	switch (info->vector) {
	case VECTOR_PAGE_FAULT:
		describe_page_fault(info, pc_is_code, out);
		break;
	case VECTOR_GENERAL_PROTECTION:
		if (pc_is_code)
			SAY(out, "pointer that is no address",
			    "used a pointer that is no address (or an instruction that is not "
			    "allowed: the processor does not tell)");
		else
			describe_jump(info, out);
		break;
	case VECTOR_DIVIDE:
		SAY(out, "division by zero", "divided by zero, or overflowed a division");
		break;
	case VECTOR_UNDEFINED:
		SAY(out, "undefined instruction",
		    "ran into an undefined instruction (a trap of the compiler, or no code)");
		break;
	case VECTOR_MATH:
	case VECTOR_SIMD:
		SAY(out, "floating-point exception", "raised a floating-point exception");
		break;
	default:
		SAY(out, "exception %u", "raised exception %u", info->vector);
	}
}
