/* SPDX-License-Identifier: MIT */
#pragma once

/* The opcodes: their numbers are those of gdb 13, gdbsupport/ax.def. */

#include <stdint.h>

enum {
	BYTECODE_ADD = 0x02,
	BYTECODE_SUB = 0x03,
	BYTECODE_MUL = 0x04,
	BYTECODE_DIV_SIGNED = 0x05,
	BYTECODE_DIV_UNSIGNED = 0x06,
	BYTECODE_REM_SIGNED = 0x07,
	BYTECODE_REM_UNSIGNED = 0x08,
	BYTECODE_LSH = 0x09,
	BYTECODE_RSH_SIGNED = 0x0a,
	BYTECODE_RSH_UNSIGNED = 0x0b,
	BYTECODE_TRACE = 0x0c,
	BYTECODE_TRACE_QUICK = 0x0d,
	BYTECODE_LOG_NOT = 0x0e,
	BYTECODE_BIT_AND = 0x0f,
	BYTECODE_BIT_OR = 0x10,
	BYTECODE_BIT_XOR = 0x11,
	BYTECODE_BIT_NOT = 0x12,
	BYTECODE_EQUAL = 0x13,
	BYTECODE_LESS_SIGNED = 0x14,
	BYTECODE_LESS_UNSIGNED = 0x15,
	BYTECODE_EXT = 0x16,
	BYTECODE_REF8 = 0x17,
	BYTECODE_REF16 = 0x18,
	BYTECODE_REF32 = 0x19,
	BYTECODE_REF64 = 0x1a,
	BYTECODE_IF_GOTO = 0x20,
	BYTECODE_GOTO = 0x21,
	BYTECODE_CONST8 = 0x22,
	BYTECODE_CONST16 = 0x23,
	BYTECODE_CONST32 = 0x24,
	BYTECODE_CONST64 = 0x25,
	BYTECODE_REG = 0x26,
	BYTECODE_END = 0x27,
	BYTECODE_DUP = 0x28,
	BYTECODE_POP = 0x29,
	BYTECODE_ZERO_EXT = 0x2a,
	BYTECODE_SWAP = 0x2b,
	BYTECODE_GETV = 0x2c,
	BYTECODE_SETV = 0x2d,
	BYTECODE_TRACEV = 0x2e,
	BYTECODE_TRACENZ = 0x2f,
	BYTECODE_TRACE16 = 0x30,
	BYTECODE_PICK = 0x32,
	BYTECODE_ROT = 0x33,
	BYTECODE_PRINTF = 0x34,
	BYTECODE_COUNT,
};

/* Behind the opcode of printf: the count of arguments, and the length of the format, 0 included. */
#define BYTECODE_PRINTF_HEAD 3

/* Operands are stored high byte first. */
static inline uint64_t bytecode_operand(const uint8_t *at, unsigned len)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < len; i++)
		value = value << 8 | at[i];
	return value;
}
