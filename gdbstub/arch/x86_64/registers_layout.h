/* SPDX-License-Identifier: MIT */
#pragma once

/* What gdb calls each register, and where its bytes are. GDB manual, "i386 Features". */

#include <stdint.h>

#define UNI_GDB_XSAVE 0xff   /* `word` of a register that lies in xsave[] */
#define UNI_GDB_XSAVE_TAGS 4 /* one bit a register of the x87; gdb wants two */

struct uni_gdb_x86_register {
	char name[9];
	uint8_t size;  /* bytes of a transfer */
	uint8_t word;  /* index into words[], or UNI_GDB_XSAVE */
	uint16_t from; /* offset in xsave[] */
	uint8_t bytes; /* kept there; the rest of the transfer is 0 */
	const char *type;
	const char *group;
};

struct uni_gdb_x86_feature {
	const char *name;
	uint32_t needs; /* of XCR0 */
	const char *types;
	const struct uni_gdb_x86_register *registers;
	unsigned count;
};

extern const struct uni_gdb_x86_feature uni_gdb_x86_features[];
extern const unsigned uni_gdb_x86_feature_count;

/* FXSAVE keeps one bit for each physical register, 0 for empty. FSAVE's word has two, of which gdb
 * needs only whether it is 3 (empty): Intel SDM vol. 1, 10.5.1.1. */
uint16_t uni_gdb_x86_tags_expand(uint8_t full);
