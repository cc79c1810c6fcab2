/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes agent bytecode (tracing/bytecode.h): an input is an expression. What is not refused runs
 * beside a second interpreter, written for plainness: 128-bit arithmetic, a look at every bound, no
 * trust in the check. Result, error and everything that was collected must be the same.
 */
#include <stdbool.h>
#include <string.h>

#include "tests/fuzz/replay.h"
#include "tracing/bytecode.h"
#include "tracing/errno.h"

#define REGISTERS 60
#define STEPS 500
#define VARIABLES 4

typedef unsigned __int128 wide;

/* What an expression does to the world, as a sum, and its variables. */
struct world {
	uint64_t sum;
	int64_t variables[VARIABLES];
};

static int note(struct world *world, unsigned kind, uint64_t a, uint64_t b)
{
	world->sum = (world->sum ^ kind) * 0x100000001b3 + a;
	world->sum = world->sum * 0x100000001b3 + b;
	return a % 61 == 60 ? -UNI_ENOSPC : 0;
}

static int register_get(void *context, unsigned number, uint64_t *value)
{
	(void)context;
	CHECK(number < REGISTERS);
	*value = number * 0x9e3779b97f4a7c15;
	return number == 13 ? -UNI_EFAULT : 0;
}

/* Addresses that end in 7 are not mapped. */
static int memory_read(void *context, uint64_t address, void *bytes, size_t len)
{
	uint8_t *to = bytes;

	(void)context;
	CHECK(len == 1 || len == 2 || len == 4 || len == 8);
	if (address % 16 == 7)
		return -UNI_EFAULT;
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)(address * 31 + i);
	return 0;
}

static int variable_get(void *context, unsigned number, int64_t *value)
{
	struct world *world = context;

	if (number >= VARIABLES)
		return -UNI_ENOENT;
	*value = world->variables[number];
	return 0;
}

static int variable_set(void *context, unsigned number, int64_t value)
{
	struct world *world = context;

	if (number >= VARIABLES)
		return -UNI_ENOENT;
	world->variables[number] = value;
	return 0;
}

static int trace(void *context, uint64_t address, uint64_t len)
{
	return note(context, 'M', address, len);
}

static int trace_string(void *context, uint64_t address, uint64_t limit)
{
	return note(context, 'S', address, limit);
}

static int trace_variable(void *context, unsigned number)
{
	return note(context, 'V', number, 0);
}

static int print(void *context, const char *format, const uint64_t *arguments, unsigned count)
{
	int err = note(context, 'P', strlen(format), count);

	for (unsigned i = 0; i < count; i++)
		note(context, 'A', arguments[i], i);
	return err;
}

static const struct uni_bytecode_ops ops = {
	.register_get = register_get,
	.memory_read = memory_read,
	.variable_get = variable_get,
	.variable_set = variable_set,
	.trace = trace,
	.trace_string = trace_string,
	.trace_variable = trace_variable,
	.print = print,
};

/* --- the plain one --- */

struct plain {
	const uint8_t *code;
	size_t len;
	size_t at;
	unsigned depth;
	uint64_t stack[UNI_BYTECODE_STACK];
};

static uint8_t next_byte(struct plain *plain)
{
	CHECK(plain->at < plain->len);
	return plain->code[plain->at++];
}

static uint64_t next_number(struct plain *plain, unsigned bytes)
{
	uint64_t value = 0;

	while (bytes-- > 0)
		value = value * 256 + next_byte(plain);
	return value;
}

static void push(struct plain *plain, uint64_t value)
{
	CHECK(plain->depth < UNI_BYTECODE_STACK);
	plain->stack[plain->depth++] = value;
}

static uint64_t pop(struct plain *plain)
{
	CHECK(plain->depth > 0);
	return plain->stack[--plain->depth];
}

static wide power(uint64_t exponent)
{
	return (wide)1 << exponent;
}

static int64_t floor_half(int64_t value)
{
	return value / 2 - (value % 2 < 0);
}

static int arithmetic(unsigned opcode, uint64_t a, uint64_t b, uint64_t *result)
{
	__int128 signed_a = (int64_t)a, signed_b = (int64_t)b;

	if (opcode >= 0x05 && opcode <= 0x08 && b == 0)
		return -UNI_ERANGE;
	switch (opcode) {
	case 0x02:
		*result = (uint64_t)((wide)a + b);
		break;
	case 0x03:
		*result = (uint64_t)((wide)a + power(64) - b);
		break;
	case 0x04:
		*result = (uint64_t)((wide)a * b);
		break;
	case 0x05:
		*result = (uint64_t)(signed_a / signed_b);
		break;
	case 0x06:
		*result = a / b;
		break;
	case 0x07:
		*result = (uint64_t)(signed_a % signed_b);
		break;
	case 0x08:
		*result = a % b;
		break;
	case 0x09:
		for (*result = a; b > 0 && *result; b--)
			*result *= 2;
		break;
	case 0x0a:
		for (; b > 0 && a != 0 && a != UINT64_MAX; b--)
			a = (uint64_t)floor_half((int64_t)a);
		*result = a;
		break;
	case 0x0b:
		for (*result = a; b > 0 && *result; b--)
			*result /= 2;
		break;
	case 0x0f:
		*result = a & b;
		break;
	case 0x10:
		*result = a | b;
		break;
	case 0x11:
		*result = (a | b) - (a & b);
		break;
	case 0x13:
		*result = !(a - b);
		break;
	case 0x14:
		*result = signed_a - signed_b < 0;
		break;
	case 0x15:
		*result = (wide)a < (wide)b;
		break;
	default:
		CHECK(!"an opcode that the check let through");
	}
	return 0;
}

static int plain_printf(struct plain *plain, struct world *world)
{
	uint64_t arguments[UNI_BYTECODE_ARGUMENTS];
	unsigned count = next_byte(plain);
	uint64_t len = next_number(plain, 2);
	const char *format = (const char *)plain->code + plain->at;

	for (uint64_t i = 0; i < len; i++)
		next_byte(plain);
	CHECK(len > 0 && format[len - 1] == 0);
	pop(plain);
	pop(plain);
	for (unsigned i = 0; i < count; i++)
		arguments[i] = pop(plain);
	return print(world, format, arguments, count);
}

static uint64_t low_bits(uint64_t value, unsigned bits)
{
	return bits >= 64 ? value : (uint64_t)(value % power(bits));
}

/* One opcode but the two that end or jump. */
static int plain_step(struct plain *plain, struct world *world, unsigned opcode)
{
	uint64_t a, b, c, result = 0;
	uint8_t bytes[8] = {0};
	int64_t value = 0;
	int err = 0;

	switch (opcode) {
	case 0x0c:
		b = pop(plain);
		return trace(world, pop(plain), b);
	case 0x0d:
		a = pop(plain);
		push(plain, a);
		return trace(world, a, next_byte(plain));
	case 0x0e:
		push(plain, pop(plain) == 0);
		return 0;
	case 0x12:
		push(plain, UINT64_MAX - pop(plain));
		return 0;
	case 0x16:
		b = next_byte(plain);
		a = low_bits(pop(plain), (unsigned)b);
		if (b < 64 && a >= power(b - 1))
			a = (uint64_t)(a + power(64) - power(b));
		push(plain, a);
		return 0;
	case 0x17:
	case 0x18:
	case 0x19:
	case 0x1a:
		err = memory_read(world, pop(plain), bytes, (size_t)power(opcode - 0x17));
		for (unsigned i = 8; i-- > 0;)
			result = result * 256 + bytes[i];
		push(plain, result);
		return err;
	case 0x22:
	case 0x23:
	case 0x24:
	case 0x25:
		push(plain, next_number(plain, (unsigned)power(opcode - 0x22)));
		return 0;
	case 0x26:
		err = register_get(world, (unsigned)next_number(plain, 2), &a);
		push(plain, a);
		return err;
	case 0x28:
		a = pop(plain);
		push(plain, a);
		push(plain, a);
		return 0;
	case 0x29:
		pop(plain);
		return 0;
	case 0x2a:
		push(plain, low_bits(pop(plain), next_byte(plain)));
		return 0;
	case 0x2b:
		b = pop(plain);
		a = pop(plain);
		push(plain, b);
		push(plain, a);
		return 0;
	case 0x2c:
		err = variable_get(world, (unsigned)next_number(plain, 2), &value);
		push(plain, (uint64_t)value);
		return err;
	case 0x2d:
		a = pop(plain);
		push(plain, a);
		return variable_set(world, (unsigned)next_number(plain, 2), (int64_t)a);
	case 0x2e:
		return trace_variable(world, (unsigned)next_number(plain, 2));
	case 0x2f:
		b = pop(plain);
		return trace_string(world, pop(plain), b);
	case 0x30:
		a = pop(plain);
		push(plain, a);
		return trace(world, a, next_number(plain, 2));
	case 0x32:
		b = next_byte(plain);
		CHECK(b < plain->depth);
		push(plain, plain->stack[plain->depth - 1 - b]);
		return 0;
	case 0x33:
		c = pop(plain);
		b = pop(plain);
		a = pop(plain);
		push(plain, c);
		push(plain, a);
		push(plain, b);
		return 0;
	case 0x34:
		return plain_printf(plain, world);
	default:
		b = pop(plain);
		a = pop(plain);
		err = arithmetic(opcode, a, b, &result);
		push(plain, result);
		return err;
	}
}

static int plain_run(struct plain *plain, struct world *world, uint64_t *result)
{
	for (unsigned steps = 0; steps < STEPS; steps++) {
		unsigned opcode = next_byte(plain);
		uint64_t target;
		int err;

		if (opcode == 0x27) {
			*result = plain->depth ? pop(plain) : 0;
			return 0;
		}
		if (opcode == 0x20 || opcode == 0x21) {
			target = next_number(plain, 2);
			if (opcode == 0x21 || pop(plain))
				plain->at = target;
			continue;
		}
		err = plain_step(plain, world, opcode);
		if (err < 0)
			return err;
	}
	return -UNI_ETIMEDOUT;
}

static unsigned long accepted;

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct plain plain = {.code = bytes, .len = len};
	struct world one = {0}, other = {0};
	uint64_t result = 0, expected = 0;
	int err;

	if (uni_bytecode_refused(bytes, len, REGISTERS))
		return 0;
	accepted++;
	err = uni_bytecode_run(bytes, &ops, &one, STEPS, &result);
	CHECK(err == plain_run(&plain, &other, &expected));
	CHECK(result == expected);
	CHECK(one.sum == other.sum);
	CHECK(memcmp(one.variables, other.variables, sizeof(one.variables)) == 0);
	return 0;
}

#define OPCODES_MAX 40
#define INPUT_MAX 1100

/* Mostly values, as few expressions are refused then. */
static size_t make_opcode(uint8_t *out)
{
	static const uint8_t interesting[] = {0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xff};
	static const uint8_t operands[0x36] = {
		[0x0d] = 1, [0x16] = 1, [0x20] = 2, [0x21] = 2, [0x22] = 1, [0x23] = 2,
		[0x24] = 4, [0x25] = 8, [0x26] = 2, [0x2a] = 1, [0x2c] = 2, [0x2d] = 2,
		[0x2e] = 2, [0x30] = 2, [0x32] = 1, [0x34] = 3,
	};
	uint8_t opcode = (uint8_t)(replay_random() % 3 ? 2 + replay_random() % 0x34
						       : 0x22 + replay_random() % 5);
	size_t len = 1;

	out[0] = opcode;
	for (; len <= operands[opcode]; len++)
		out[len] = replay_random() % 2 ? (uint8_t)replay_random()
					       : interesting[replay_random() % sizeof(interesting)];
	/* Numbers that there are, more often than not. */
	if (operands[opcode] == 2 && replay_random() % 8) {
		out[1] = 0;
		out[2] %= 48;
	}
	if (opcode == 0x32)
		out[1] %= 4;
	if (opcode == 0x34) {
		out[1] %= 3;
		out[2] = 0;
		out[3] = 1 + out[3] % 4;
		memset(out + 4, 'a', out[3]);
		out[3 + out[3]] = 0;
		len += out[3];
	}
	return len;
}

static size_t make_expression(uint8_t *out)
{
	size_t len = 0;

	for (uint64_t n = replay_random() % 4; n > 0; n--) {
		out[len++] = 0x25;
		for (unsigned i = 0; i < 8; i++)
			out[len++] = replay_random() % 3 ? (uint8_t)replay_random() : 0xff;
	}
	for (uint64_t n = replay_random() % OPCODES_MAX; n > 0; n--)
		len += make_opcode(out + len);
	out[len++] = 0x27;
	if (replay_random() % 8 == 0)
		out[replay_random() % len] ^= (uint8_t)(1u << replay_random() % 8);
	return len;
}

static unsigned long reached(void)
{
	return accepted;
}

const struct replay replay = {
	.count = 200000,
	.size_max = INPUT_MAX,
	.make = make_expression,
	.reached = reached,
};
