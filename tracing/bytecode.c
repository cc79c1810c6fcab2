/* SPDX-License-Identifier: MIT */

/* Runs expressions that were checked: no look at bounds here is left out by oversight. */

#include "tracing/bytecode.h"

#include <stdbool.h>

#include "tracing/bytecode_internal.h"
#include "tracing/errno.h"

struct machine {
	const struct uni_bytecode_ops *ops;
	void *context;
	unsigned depth;
	uint64_t stack[UNI_BYTECODE_STACK];
};

static void push(struct machine *machine, uint64_t value)
{
	machine->stack[machine->depth++] = value;
}

static uint64_t pop(struct machine *machine)
{
	return machine->stack[--machine->depth];
}

static uint64_t *top(struct machine *machine)
{
	return &machine->stack[machine->depth - 1];
}

/* Shifts by 64 and more give what infinitely many shifts by one would. */
static uint64_t shift_left(uint64_t value, uint64_t count)
{
	return count < 64 ? value << count : 0;
}

static uint64_t shift_right(uint64_t value, uint64_t count)
{
	return count < 64 ? value >> count : 0;
}

static uint64_t shift_right_signed(uint64_t value, uint64_t count)
{
	return (uint64_t)((int64_t)value >> (count < 64 ? count : 63));
}

/* INT64_MIN / -1 is no number: as in two's complement it gives INT64_MIN, and the rest 0. */
static uint64_t divide_signed(uint64_t a, uint64_t b)
{
	return b == UINT64_MAX ? 0 - a : (uint64_t)((int64_t)a / (int64_t)b);
}

static uint64_t remainder_signed(uint64_t a, uint64_t b)
{
	return b == UINT64_MAX ? 0 : (uint64_t)((int64_t)a % (int64_t)b);
}

static uint64_t zero_extend(uint64_t value, unsigned bits)
{
	return bits < 64 ? value & ((1ull << bits) - 1) : value;
}

static uint64_t sign_extend(uint64_t value, unsigned bits)
{
	uint64_t sign;

	if (bits >= 64)
		return value;
	sign = 1ull << (bits - 1);
	return (zero_extend(value, bits) ^ sign) - sign;
}

static int divide(struct machine *machine, uint8_t opcode, uint64_t a, uint64_t b)
{
	if (!b)
		return -UNI_ERANGE;
	switch (opcode) {
	case BYTECODE_DIV_SIGNED:
		push(machine, divide_signed(a, b));
		break;
	case BYTECODE_DIV_UNSIGNED:
		push(machine, a / b);
		break;
	case BYTECODE_REM_SIGNED:
		push(machine, remainder_signed(a, b));
		break;
	default:
		push(machine, a % b);
		break;
	}
	return 0;
}

/* The opcodes that make one value of two. */
static int combine(struct machine *machine, uint8_t opcode)
{
	uint64_t b = pop(machine);
	uint64_t a = pop(machine);

	switch (opcode) {
	case BYTECODE_ADD:
		push(machine, a + b);
		return 0;
	case BYTECODE_SUB:
		push(machine, a - b);
		return 0;
	case BYTECODE_MUL:
		push(machine, a * b);
		return 0;
	case BYTECODE_LSH:
		push(machine, shift_left(a, b));
		return 0;
	case BYTECODE_RSH_SIGNED:
		push(machine, shift_right_signed(a, b));
		return 0;
	case BYTECODE_RSH_UNSIGNED:
		push(machine, shift_right(a, b));
		return 0;
	case BYTECODE_BIT_AND:
		push(machine, a & b);
		return 0;
	case BYTECODE_BIT_OR:
		push(machine, a | b);
		return 0;
	case BYTECODE_BIT_XOR:
		push(machine, a ^ b);
		return 0;
	case BYTECODE_EQUAL:
		push(machine, a == b);
		return 0;
	case BYTECODE_LESS_SIGNED:
		push(machine, (int64_t)a < (int64_t)b);
		return 0;
	case BYTECODE_LESS_UNSIGNED:
		push(machine, a < b);
		return 0;
	default:
		return divide(machine, opcode, a, b);
	}
}

/* A value as it lies in memory: in the processor's own order of bytes. */
static int reference(struct machine *machine, size_t len)
{
	union {
		uint8_t u8;
		uint16_t u16;
		uint32_t u32;
		uint64_t u64;
	} value;
	int err;

	if (!machine->ops->memory_read)
		return -UNI_ENOTSUP;
	err = machine->ops->memory_read(machine->context, *top(machine), &value, len);
	if (err < 0)
		return err;
	if (len == 1)
		*top(machine) = value.u8;
	else if (len == 2)
		*top(machine) = value.u16;
	else if (len == 4)
		*top(machine) = value.u32;
	else
		*top(machine) = value.u64;
	return 0;
}

static int get_register(struct machine *machine, unsigned number)
{
	uint64_t value = 0;
	int err = -UNI_ENOTSUP;

	if (machine->ops->register_get)
		err = machine->ops->register_get(machine->context, number, &value);
	push(machine, value);
	return err;
}

static int get_variable(struct machine *machine, unsigned number)
{
	int64_t value = 0;
	int err = -UNI_ENOTSUP;

	if (machine->ops->variable_get)
		err = machine->ops->variable_get(machine->context, number, &value);
	push(machine, (uint64_t)value);
	return err;
}

/* The value stays on the stack: an assignment is an expression. */
static int set_variable(struct machine *machine, unsigned number)
{
	if (!machine->ops->variable_set)
		return -UNI_ENOTSUP;
	return machine->ops->variable_set(machine->context, number, (int64_t)*top(machine));
}

static int trace(struct machine *machine, uint64_t address, uint64_t len)
{
	if (!machine->ops->trace)
		return -UNI_ENOTSUP;
	return machine->ops->trace(machine->context, address, len);
}

static int trace_string(struct machine *machine, uint64_t address, uint64_t limit)
{
	if (!machine->ops->trace_string)
		return -UNI_ENOTSUP;
	return machine->ops->trace_string(machine->context, address, limit);
}

static int trace_variable(struct machine *machine, unsigned number)
{
	if (!machine->ops->trace_variable)
		return -UNI_ENOTSUP;
	return machine->ops->trace_variable(machine->context, number);
}

/* On the stack: the arguments, the last one first; then a channel and a function, which only an
 * agent inside a process has a use for. */
static int print(struct machine *machine, const char *format, unsigned count)
{
	uint64_t arguments[UNI_BYTECODE_ARGUMENTS];

	machine->depth -= 2;
	for (unsigned i = 0; i < count; i++)
		arguments[i] = pop(machine);
	if (!machine->ops->print)
		return -UNI_ENOTSUP;
	return machine->ops->print(machine->context, format, arguments, count);
}

static void rotate(struct machine *machine)
{
	uint64_t c = pop(machine), b = pop(machine), a = pop(machine);

	push(machine, c);
	push(machine, a);
	push(machine, b);
}

static void swap(struct machine *machine)
{
	uint64_t b = pop(machine), a = pop(machine);

	push(machine, b);
	push(machine, a);
}

int uni_bytecode_run(const uint8_t *code, const struct uni_bytecode_ops *ops, void *context,
		     unsigned steps, uint64_t *result)
{
	struct machine machine;
	const uint8_t *at = code;
	int err = 0;

	/* The stack is left as it is: that would be a call of memset(). */
	machine.ops = ops;
	machine.context = context;
	machine.depth = 0;
	for (; err >= 0; steps--) {
		uint8_t opcode;
		uint64_t len;

		if (!steps)
			return -UNI_ETIMEDOUT;
		opcode = *at++;
		switch (opcode) {
		case BYTECODE_END:
			if (result)
				*result = machine.depth ? *top(&machine) : 0;
			return 0;
		case BYTECODE_IF_GOTO:
		case BYTECODE_GOTO:
			if (opcode == BYTECODE_GOTO || pop(&machine))
				at = code + bytecode_operand(at, 2);
			else
				at += 2;
			break;
		case BYTECODE_CONST8:
		case BYTECODE_CONST16:
		case BYTECODE_CONST32:
		case BYTECODE_CONST64:
			len = 1u << (opcode - BYTECODE_CONST8);
			push(&machine, bytecode_operand(at, (unsigned)len));
			at += len;
			break;
		case BYTECODE_REG:
			err = get_register(&machine, (unsigned)bytecode_operand(at, 2));
			at += 2;
			break;
		case BYTECODE_REF8:
		case BYTECODE_REF16:
		case BYTECODE_REF32:
		case BYTECODE_REF64:
			err = reference(&machine, 1u << (opcode - BYTECODE_REF8));
			break;
		case BYTECODE_EXT:
			*top(&machine) = sign_extend(*top(&machine), *at++);
			break;
		case BYTECODE_ZERO_EXT:
			*top(&machine) = zero_extend(*top(&machine), *at++);
			break;
		case BYTECODE_LOG_NOT:
			*top(&machine) = !*top(&machine);
			break;
		case BYTECODE_BIT_NOT:
			*top(&machine) = ~*top(&machine);
			break;
		case BYTECODE_DUP:
			push(&machine, *top(&machine));
			break;
		case BYTECODE_PICK:
			push(&machine, *(top(&machine) - *at++));
			break;
		case BYTECODE_POP:
			(void)pop(&machine);
			break;
		case BYTECODE_SWAP:
			swap(&machine);
			break;
		case BYTECODE_ROT:
			rotate(&machine);
			break;
		case BYTECODE_GETV:
			err = get_variable(&machine, (unsigned)bytecode_operand(at, 2));
			at += 2;
			break;
		case BYTECODE_SETV:
			err = set_variable(&machine, (unsigned)bytecode_operand(at, 2));
			at += 2;
			break;
		case BYTECODE_TRACEV:
			err = trace_variable(&machine, (unsigned)bytecode_operand(at, 2));
			at += 2;
			break;
		case BYTECODE_TRACE:
			len = pop(&machine);
			err = trace(&machine, pop(&machine), len);
			break;
		case BYTECODE_TRACENZ:
			len = pop(&machine);
			err = trace_string(&machine, pop(&machine), len);
			break;
		case BYTECODE_TRACE_QUICK:
			err = trace(&machine, *top(&machine), *at++);
			break;
		case BYTECODE_TRACE16:
			err = trace(&machine, *top(&machine), bytecode_operand(at, 2));
			at += 2;
			break;
		case BYTECODE_PRINTF:
			len = bytecode_operand(at + 1, 2);
			err = print(&machine, (const char *)at + BYTECODE_PRINTF_HEAD, at[0]);
			at += BYTECODE_PRINTF_HEAD + len;
			break;
		default:
			err = combine(&machine, opcode);
			break;
		}
	}
	return err;
}
