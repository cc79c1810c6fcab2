/* SPDX-License-Identifier: MIT */
#pragma once

/* The registers of one x86-64 thread, as the platform hands them to the stub and takes them back.
 */

#include <stdint.h>

#include "gdbstub/arch/x86_64/xsave.h"

/* Indices into words[], in GDB's order of the 64-bit core feature; the bases follow. */
enum uni_gdb_x86_word {
	UNI_GDB_RAX,
	UNI_GDB_RBX,
	UNI_GDB_RCX,
	UNI_GDB_RDX,
	UNI_GDB_RSI,
	UNI_GDB_RDI,
	UNI_GDB_RBP,
	UNI_GDB_RSP,
	UNI_GDB_R8,
	UNI_GDB_R9,
	UNI_GDB_R10,
	UNI_GDB_R11,
	UNI_GDB_R12,
	UNI_GDB_R13,
	UNI_GDB_R14,
	UNI_GDB_R15,
	UNI_GDB_RIP,
	UNI_GDB_EFLAGS,
	UNI_GDB_CS,
	UNI_GDB_SS,
	UNI_GDB_DS,
	UNI_GDB_ES,
	UNI_GDB_FS,
	UNI_GDB_GS,
	UNI_GDB_FS_BASE,
	UNI_GDB_GS_BASE,
	UNI_GDB_ORIG_RAX,
	UNI_GDB_WORDS,
	/* The bit of `known` for xsave[]. */
	UNI_GDB_FPU = UNI_GDB_WORDS,
};

/* The kind of breakpoint that stands anywhere. */
#define UNI_GDB_BREAKPOINT_KIND 1

struct uni_gdb_registers {
	uint64_t words[UNI_GDB_WORDS];
	/* As in xsave.h; every component that there is has its values, XSTATE_BV says nothing. */
	_Alignas(16) uint8_t xsave[UNI_XSAVE_SIZE];
	/* One bit for each of words[] and for xsave[]; what is not known is shown as unavailable.
	 */
	uint32_t known;
};

/* Bytes of struct uni_gdb_registers that go into a block of all registers (arch.h). */
struct uni_gdb_move {
	uint16_t from;
	uint16_t to;
};

/* Of a register that takes four bytes there. */
struct uni_gdb_narrow_move {
	struct uni_gdb_move place;
	uint32_t mask; /* of those that are kept */
};

/* Words that one move moves. */
#define UNI_GDB_WIDE 16
#define UNI_GDB_PAIR 2

/* What all registers that there can be need. */
#define UNI_GDB_WIDE_MOVES 12
#define UNI_GDB_PAIR_MOVES 80
#define UNI_GDB_WORD_MOVES 16
#define UNI_GDB_NARROW_MOVES 12

/* An emulator takes longest for branches: the more one move moves the better. */
struct uni_gdb_moves {
	uint16_t wide_count, pair_count, word_count, narrow_count;
	struct uni_gdb_move wide[UNI_GDB_WIDE_MOVES];
	struct uni_gdb_move pairs[UNI_GDB_PAIR_MOVES];
	struct uni_gdb_move words[UNI_GDB_WORD_MOVES];
	struct uni_gdb_narrow_move narrow[UNI_GDB_NARROW_MOVES];
};

/* Where in a block lies what one bit of `known` tells of; xsave[] lies in two parts. */
struct uni_gdb_register_place {
	uint16_t bit;
	uint16_t at;
	uint16_t len;
};

#define UNI_GDB_PLACES (UNI_GDB_WORDS + 2)

/* What lies in words[] and what in xsave[]. */
struct uni_gdb_register_block {
	uint32_t size; /* bytes, at most UNI_GDB_REGISTERS_MAX */
	uint16_t tags_at;
	uint16_t place_count;
	struct uni_gdb_register_place places[UNI_GDB_PLACES]; /* in the order of the block */
	struct uni_gdb_moves fpu;
	struct uni_gdb_moves core;
};
