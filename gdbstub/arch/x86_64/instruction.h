/* SPDX-License-Identifier: MIT */
#pragma once

/* Where an instruction's opcode is: behind its prefixes, in one of the opcode maps of the Intel
 * SDM, vol. 2, appendix A. Any context. */

#include <stdbool.h>
#include <stdint.h>

enum uni_gdb_x86_map {
	UNI_GDB_X86_MAP_ONE,
	UNI_GDB_X86_MAP_0F,
	UNI_GDB_X86_MAP_0F38,
	UNI_GDB_X86_MAP_0F3A,
};

struct uni_gdb_x86_instruction {
	const uint8_t *code;
	unsigned opcode_at; /* also the place of ModRM - 1 */
	enum uni_gdb_x86_map map;
	uint8_t rex; /* 0: none */
	bool operand_16;
	bool address_32;
	bool vector; /* VEX or EVEX */
};

/* Reads up to 9 bytes. False: more prefixes than a compiler would write. */
bool uni_gdb_x86_parse(const uint8_t *code, struct uni_gdb_x86_instruction *out);

bool uni_gdb_x86_has_modrm(const struct uni_gdb_x86_instruction *instruction);

/* A jump or call (its opcode says which) that lies at `at`; false: it does not reach `target`. */
#define UNI_GDB_X86_BRANCH_LEN 5
bool uni_gdb_x86_put_branch(uint8_t code[UNI_GDB_X86_BRANCH_LEN], uint8_t opcode, uint64_t at,
			    uint64_t target);

/* All of its bytes; reads up to 12. 0: it is not known. */
unsigned uni_gdb_x86_length(const struct uni_gdb_x86_instruction *instruction);
