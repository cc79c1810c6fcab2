/* SPDX-License-Identifier: MIT */

/* Checks an expression before it may run. The depth of the stack at an opcode has to be the same on
 * each way that leads there, so that it is known before anything runs. */

#include "tracing/bytecode.h"
#include "tracing/bytecode_internal.h"

#include <stdbool.h>

#define UNKNOWN 0xff

struct shape {
	bool exists;
	uint8_t operands; /* bytes behind the opcode */
	uint8_t pops;
	uint8_t pushes;
};

static const struct shape shapes[BYTECODE_COUNT] = {
	[BYTECODE_ADD] = {true, 0, 2, 1},
	[BYTECODE_SUB] = {true, 0, 2, 1},
	[BYTECODE_MUL] = {true, 0, 2, 1},
	[BYTECODE_DIV_SIGNED] = {true, 0, 2, 1},
	[BYTECODE_DIV_UNSIGNED] = {true, 0, 2, 1},
	[BYTECODE_REM_SIGNED] = {true, 0, 2, 1},
	[BYTECODE_REM_UNSIGNED] = {true, 0, 2, 1},
	[BYTECODE_LSH] = {true, 0, 2, 1},
	[BYTECODE_RSH_SIGNED] = {true, 0, 2, 1},
	[BYTECODE_RSH_UNSIGNED] = {true, 0, 2, 1},
	[BYTECODE_TRACE] = {true, 0, 2, 0},
	[BYTECODE_TRACE_QUICK] = {true, 1, 1, 1},
	[BYTECODE_LOG_NOT] = {true, 0, 1, 1},
	[BYTECODE_BIT_AND] = {true, 0, 2, 1},
	[BYTECODE_BIT_OR] = {true, 0, 2, 1},
	[BYTECODE_BIT_XOR] = {true, 0, 2, 1},
	[BYTECODE_BIT_NOT] = {true, 0, 1, 1},
	[BYTECODE_EQUAL] = {true, 0, 2, 1},
	[BYTECODE_LESS_SIGNED] = {true, 0, 2, 1},
	[BYTECODE_LESS_UNSIGNED] = {true, 0, 2, 1},
	[BYTECODE_EXT] = {true, 1, 1, 1},
	[BYTECODE_REF8] = {true, 0, 1, 1},
	[BYTECODE_REF16] = {true, 0, 1, 1},
	[BYTECODE_REF32] = {true, 0, 1, 1},
	[BYTECODE_REF64] = {true, 0, 1, 1},
	[BYTECODE_IF_GOTO] = {true, 2, 1, 0},
	[BYTECODE_GOTO] = {true, 2, 0, 0},
	[BYTECODE_CONST8] = {true, 1, 0, 1},
	[BYTECODE_CONST16] = {true, 2, 0, 1},
	[BYTECODE_CONST32] = {true, 4, 0, 1},
	[BYTECODE_CONST64] = {true, 8, 0, 1},
	[BYTECODE_REG] = {true, 2, 0, 1},
	[BYTECODE_END] = {true, 0, 0, 0},
	[BYTECODE_DUP] = {true, 0, 1, 2},
	[BYTECODE_POP] = {true, 0, 1, 0},
	[BYTECODE_ZERO_EXT] = {true, 1, 1, 1},
	[BYTECODE_SWAP] = {true, 0, 2, 2},
	[BYTECODE_GETV] = {true, 2, 0, 1},
	[BYTECODE_SETV] = {true, 2, 1, 1},
	[BYTECODE_TRACEV] = {true, 2, 0, 0},
	[BYTECODE_TRACENZ] = {true, 0, 2, 0},
	[BYTECODE_TRACE16] = {true, 2, 1, 1},
	[BYTECODE_PICK] = {true, 1, 0, 1}, /* pops and pushes: how deep it reaches is its operand */
	[BYTECODE_ROT] = {true, 0, 3, 3},
	[BYTECODE_PRINTF] = {true, BYTECODE_PRINTF_HEAD, 2, 0}, /* and the arguments */
};

struct check {
	const uint8_t *code;
	size_t len;
	unsigned register_count;
	/* At each byte: the depth of the stack when an opcode that starts there runs. */
	uint8_t depth[UNI_BYTECODE_MAX];
	uint8_t starts[UNI_BYTECODE_MAX / 8];
};

static bool is_start(const struct check *check, uint64_t at)
{
	return at < check->len && check->starts[at / 8] >> at % 8 & 1;
}

/* The bytes of the opcode at `at`, 0 when it is cut off. */
static size_t length(const struct check *check, size_t at)
{
	const uint8_t *code = check->code + at;
	size_t left = check->len - at;
	size_t len = 1u + shapes[*code].operands;

	if (len <= left && *code == BYTECODE_PRINTF)
		len += bytecode_operand(code + 2, 2);
	return len <= left ? len : 0;
}

static const char *check_operands(const struct check *check, size_t at)
{
	const uint8_t *code = check->code + at;

	switch (*code) {
	case BYTECODE_REG:
		if (bytecode_operand(code + 1, 2) >= check->register_count)
			return "bytecode: no such register";
		break;
	case BYTECODE_EXT:
	case BYTECODE_ZERO_EXT:
		if (code[1] == 0)
			return "bytecode: an extension from no bits";
		break;
	case BYTECODE_PRINTF: {
		uint64_t format = bytecode_operand(code + 2, 2);

		if (code[1] > UNI_BYTECODE_ARGUMENTS)
			return "bytecode: too many arguments to printf";
		if (!format || code[BYTECODE_PRINTF_HEAD + format] != 0)
			return "bytecode: a format without an end";
		break;
	}
	default:
		break;
	}
	return NULL;
}

static const char *find_starts(struct check *check)
{
	size_t at = 0;

	while (at < check->len) {
		uint8_t opcode = check->code[at];
		const char *problem;
		size_t len;

		if (opcode >= BYTECODE_COUNT || !shapes[opcode].exists)
			return "bytecode: an opcode that this agent does not know";
		len = length(check, at);
		if (!len)
			return "bytecode: cut off in the middle of an opcode";
		problem = check_operands(check, at);
		if (problem)
			return problem;
		check->starts[at / 8] |= (uint8_t)(1u << at % 8);
		at += len;
	}
	return NULL;
}

/* An opcode at `at` is reached with this depth. */
static const char *reach(struct check *check, uint64_t at, unsigned depth, bool *changed)
{
	if (!is_start(check, at))
		return at == check->len ? "bytecode: no end"
					: "bytecode: a jump to where no opcode starts";
	if (check->depth[at] == UNKNOWN) {
		check->depth[at] = (uint8_t)depth;
		*changed = true;
	}
	return check->depth[at] == depth ? NULL : "bytecode: a stack of no certain depth";
}

/* What the opcode at `at` does to the stack, and where it leads. */
static const char *follow(struct check *check, size_t at, bool *changed)
{
	const uint8_t *code = check->code + at;
	const struct shape *shape = &shapes[*code];
	unsigned depth = check->depth[at];
	unsigned pops = shape->pops;
	const char *problem;

	if (*code == BYTECODE_PRINTF)
		pops += code[1];
	if (depth < pops || (*code == BYTECODE_PICK && code[1] >= depth))
		return "bytecode: takes more from the stack than there is";
	depth = depth - pops + shape->pushes;
	if (depth > UNI_BYTECODE_STACK)
		return "bytecode: needs too much stack";
	if (*code == BYTECODE_END)
		return NULL;
	if (*code == BYTECODE_GOTO || *code == BYTECODE_IF_GOTO) {
		problem = reach(check, bytecode_operand(code + 1, 2), depth, changed);
		if (problem || *code == BYTECODE_GOTO)
			return problem;
	}
	return reach(check, at + length(check, at), depth, changed);
}

const char *uni_bytecode_refused(const uint8_t *code, size_t len, unsigned register_count)
{
	struct check check;
	const char *problem;
	bool changed = true;

	if (!len || len > UNI_BYTECODE_MAX)
		return len ? "bytecode: too long" : "bytecode: empty";
	check.code = code;
	check.len = len;
	check.register_count = register_count;
	for (size_t i = 0; i < sizeof(check.depth); i++)
		check.depth[i] = UNKNOWN;
	for (size_t i = 0; i < sizeof(check.starts); i++)
		check.starts[i] = 0;
	problem = find_starts(&check);
	check.depth[0] = 0;
	/* A jump back may reach what nothing before it did: until nothing is reached anew. */
	while (!problem && changed) {
		changed = false;
		for (size_t at = 0; at < len && !problem; at += length(&check, at))
			if (check.depth[at] != UNKNOWN)
				problem = follow(&check, at, &changed);
	}
	return problem;
}

bool uni_bytecode_collects_variable(const uint8_t *code, size_t len, unsigned *number)
{
	if (len != 8 || code[0] != BYTECODE_GETV || code[3] != BYTECODE_TRACEV ||
	    code[1] != code[4] || code[2] != code[5] || code[6] != BYTECODE_POP ||
	    code[7] != BYTECODE_END)
		return false;
	*number = (unsigned)code[1] << 8 | code[2];
	return true;
}
