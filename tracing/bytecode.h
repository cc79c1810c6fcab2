/* SPDX-License-Identifier: MIT */
#pragma once

/* The bytecode that gdb compiles conditions, dprintf and tracepoint actions to: GDB manual,
 * appendix "The GDB Agent Expression Mechanism". docs/formats/bytecode.md has the opcodes.
 *
 * What comes over a wire is checked once, when it arrives; what was checked runs without further
 * looks at its form: it cannot leave its bytes or the stack, and ends within its steps.
 *
 * Any context, NMI included; uses about 1.5 KiB of stack. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest expression, and the most values that one has on its stack. */
#define UNI_BYTECODE_MAX 1024
#define UNI_BYTECODE_STACK 64
#define UNI_BYTECODE_ARGUMENTS 16

/* What an expression works on. Each returns 0 or a negative UNI_E*, which ends the expression. One
 * that is NULL is not offered: -UNI_ENOTSUP. */
struct uni_bytecode_ops {
	/* Numbered as in the target description; zero-extended. */
	int (*register_get)(void *context, unsigned number, uint64_t *value);
	/* All of it, or an error. At most 8 bytes. */
	int (*memory_read)(void *context, uint64_t address, void *bytes, size_t len);
	/* Trace state variables. */
	int (*variable_get)(void *context, unsigned number, int64_t *value);
	int (*variable_set)(void *context, unsigned number, int64_t value);
	/* Collect: memory; a string, with its 0, of at most limit bytes; a variable. */
	int (*trace)(void *context, uint64_t address, uint64_t len);
	int (*trace_string)(void *context, uint64_t address, uint64_t limit);
	int (*trace_variable)(void *context, unsigned number);
	/* The format is 0-terminated. */
	int (*print)(void *context, const char *format, const uint64_t *arguments, unsigned count);
};

/* Why the expression is not to be run, NULL when it may: an unknown opcode, one that is cut off, a
 * jump out of the code or into the middle of an opcode, a register from register_count on, a stack
 * that runs empty or over or depends on the way that was taken. */
const char *uni_bytecode_refused(const uint8_t *code, size_t len, unsigned register_count);

/* The expression, which uni_bytecode_refused() had nothing against, does no more than collect one
 * variable, the way gdb has it done. Where not, *number is untouched. */
bool uni_bytecode_collects_variable(const uint8_t *code, size_t len, unsigned *number);

/* Runs what uni_bytecode_refused() had nothing against, for at most `steps` opcodes. *result is
 * the value on top of the stack at the end, 0 if it is empty; it may be NULL.
 * Returns 0, -UNI_ERANGE (division by zero), -UNI_ETIMEDOUT (out of steps), -UNI_ENOTSUP, or what
 * an operation returned. */
int uni_bytecode_run(const uint8_t *code, const struct uni_bytecode_ops *ops, void *context,
		     unsigned steps, uint64_t *result);
