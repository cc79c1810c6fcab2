/* SPDX-License-Identifier: MIT */

/* Bytes by hand, from docs/formats/bytecode.md; the longer ones are what gdb 13.1 sends. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tracing/bytecode.h"
#include "tracing/errno.h"

#define REGISTERS 60
#define MEMORY_BASE 0x1000u
#define STEPS 1000

/* A copy of exactly the bytes, so that a look behind them is seen. */
struct code {
	size_t len;
	uint8_t *bytes;
};

static struct code code_of(const char *hex)
{
	struct code code = {0, malloc(strlen(hex) / 2 + 1)};
	unsigned byte;

	while (*hex) {
		if (*hex == ' ') {
			hex++;
			continue;
		}
		cr_assert_eq(sscanf(hex, "%2x", &byte), 1);
		code.bytes[code.len++] = (uint8_t)byte;
		hex += 2;
	}
	code.bytes = realloc(code.bytes, code.len ? code.len : 1);
	return code;
}

static const char *refusal(const char *hex)
{
	struct code code = code_of(hex);
	const char *problem = uni_bytecode_refused(code.bytes, code.len, REGISTERS);

	free(code.bytes);
	return problem;
}

static uint8_t memory[64];
static int64_t variables[4];
static char noted[512];

static void note(const char *format, ...)
{
	size_t len = strlen(noted);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(noted + len, sizeof(noted) - len, format, arguments);
	va_end(arguments);
}

static int register_get(void *context, unsigned number, uint64_t *value)
{
	(void)context;
	*value = 0x1000 + number;
	return 0;
}

static int memory_read(void *context, uint64_t address, void *bytes, size_t len)
{
	(void)context;
	if (address < MEMORY_BASE || address - MEMORY_BASE > sizeof(memory) - len)
		return -UNI_EFAULT;
	memcpy(bytes, memory + (address - MEMORY_BASE), len);
	return 0;
}

static int variable_get(void *context, unsigned number, int64_t *value)
{
	(void)context;
	if (number >= 4)
		return -UNI_ENOENT;
	*value = variables[number];
	return 0;
}

static int variable_set(void *context, unsigned number, int64_t value)
{
	(void)context;
	if (number >= 4)
		return -UNI_ENOENT;
	variables[number] = value;
	return 0;
}

static int trace(void *context, uint64_t address, uint64_t len)
{
	(void)context;
	note("M%llx,%llx;", (unsigned long long)address, (unsigned long long)len);
	return 0;
}

static int trace_string(void *context, uint64_t address, uint64_t limit)
{
	(void)context;
	note("S%llx,%llx;", (unsigned long long)address, (unsigned long long)limit);
	return 0;
}

static int trace_variable(void *context, unsigned number)
{
	(void)context;
	note("V%x;", number);
	return 0;
}

static int print(void *context, const char *format, const uint64_t *arguments, unsigned count)
{
	(void)context;
	note("P%s", format);
	for (unsigned i = 0; i < count; i++)
		note(",%llx", (unsigned long long)arguments[i]);
	note(";");
	return 0;
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

static int run_with(const char *hex, const struct uni_bytecode_ops *with, uint64_t *result)
{
	struct code code = code_of(hex);
	const char *problem = uni_bytecode_refused(code.bytes, code.len, REGISTERS);
	int err;

	cr_assert_null(problem, "%s: %s", hex, problem);
	err = uni_bytecode_run(code.bytes, with, NULL, STEPS, result);
	free(code.bytes);
	return err;
}

static uint64_t run(const char *hex)
{
	uint64_t result = 0xdead;
	int err = run_with(hex, &ops, &result);

	cr_assert_eq(err, 0, "%s: %d", hex, err);
	return result;
}

#define expect_value(hex, value)                                                \
	do {                                                                    \
		uint64_t got = run(hex);                                        \
		cr_expect_eq(got, (uint64_t)(value), "%s gave %#lx", hex, got); \
	} while (0)

#define expect_error(hex, error)                                  \
	do {                                                      \
		int got = run_with(hex, &ops, NULL);              \
		cr_expect_eq(got, error, "%s gave %d", hex, got); \
	} while (0)

Test(bytecode, constants_are_not_sign_extended)
{
	expect_value("22ff 27", 0xff);
	expect_value("23ff01 27", 0xff01);
	expect_value("24fffefdfc 27", 0xfffefdfc);
	expect_value("25 fffefdfcfbfaf9f8 27", 0xfffefdfcfbfaf9f8);
	expect_value("27", 0);
}

Test(bytecode, arithmetic)
{
	expect_value("2203 2204 02 27", 7);
	expect_value("2203 2204 03 27", -1);
	expect_value("2203 2204 04 27", 12);
	/* -7 by 2: towards zero. */
	expect_value("22f9 1608 2202 05 27", -3);
	expect_value("22f9 1608 2202 07 27", -1);
	expect_value("22f9 1608 2202 06 27", 0x7ffffffffffffffc);
	expect_value("22f9 1608 2202 08 27", 1);
	expect_value("2206 2203 0f 27", 2);
	expect_value("2206 2203 10 27", 7);
	expect_value("2206 2203 11 27", 5);
	expect_value("2206 12 27", ~6ull);
	expect_value("2206 0e 27", 0);
	expect_value("2200 0e 27", 1);
	expect_value("2206 2206 13 27", 1);
	expect_value("22ff 1608 2201 14 27", 1);
	expect_value("22ff 1608 2201 15 27", 0);
}

Test(bytecode, what_c_leaves_undefined_is_defined)
{
	expect_value("2201 223f 09 27", 1ull << 63);
	expect_value("2201 2240 09 27", 0);
	expect_value("2201 25 8000000000000001 09 27", 0);
	expect_value("22ff 1608 2240 0b 27", 0);
	expect_value("22ff 1608 2240 0a 27", -1);
	expect_value("22f0 1608 2202 0a 27", -4);
	expect_value("25 8000000000000000 22ff 1608 05 27", 1ull << 63);
	expect_value("25 8000000000000000 22ff 1608 07 27", 0);
	expect_error("2201 2200 05 27", -UNI_ERANGE);
	expect_error("2201 2200 06 27", -UNI_ERANGE);
	expect_error("2201 2200 07 27", -UNI_ERANGE);
	expect_error("2201 2200 08 27", -UNI_ERANGE);
	/* INT64_MAX + 1 and its square wrap. */
	expect_value("25 7fffffffffffffff 2201 02 27", 1ull << 63);
	expect_value("25 7fffffffffffffff 28 04 27", 1);
}

Test(bytecode, extends_from_a_number_of_bits)
{
	expect_value("2280 1608 27", -128);
	expect_value("227f 1608 27", 127);
	expect_value("2201 1601 27", -1);
	expect_value("25 ffffffffffffff80 2a08 27", 0x80);
	expect_value("25 8000000000000001 1640 27", 0x8000000000000001);
	expect_value("25 8000000000000001 2aff 27", 0x8000000000000001);
	expect_value("25 8000000000000001 163f 27", 1);
}

Test(bytecode, moves_values_on_the_stack)
{
	expect_value("2201 2202 2b 27", 1);
	expect_value("2201 2202 29 27", 1);
	expect_value("2203 28 04 27", 9);
	/* a b c becomes c a b: (c, a - b) */
	expect_value("2201 2202 2204 33 27", 2);
	expect_value("2201 2202 2204 33 29 27", 1);
	expect_value("2201 2202 2204 33 29 29 27", 4);
	expect_value("2201 2202 2204 3200 27", 4);
	expect_value("2201 2202 2204 3202 27", 1);
}

Test(bytecode, reads_registers_and_memory)
{
	for (unsigned i = 0; i < sizeof(memory); i++)
		memory[i] = (uint8_t)(0x80 + i);
	expect_value("260005 27", 0x1005);
	expect_value("26003b 27", 0x103b);
	expect_value("231001 17 27", 0x81);
	expect_value("231001 18 27", 0x8281);
	expect_value("231001 19 27", 0x84838281);
	expect_value("231001 1a 27", 0x8887868584838281);
	expect_value("231038 1a 27", 0xbfbebdbcbbbab9b8);
	expect_error("231039 1a 27", -UNI_EFAULT);
	expect_error("2200 17 27", -UNI_EFAULT);
}

Test(bytecode, jumps)
{
	/* 0: const8 0; 2: if_goto 9; 5: const8 5; 7: end; 8: end; 9: const8 9; 11: end */
	expect_value("2200 200009 2205 27 27 2209 27", 5);
	expect_value("2201 200009 2205 27 27 2209 27", 9);
	/* 10 + 9 + ... + 1, by a loop: 0: const8 0; 2: const8 10; 4: dup; 5: rot; 6: add;
	 * 7: swap; 8: const8 1; 10: sub; 11: dup; 12: if_goto 4; 15: pop; 16: end */
	expect_value("2200 220a 28 33 02 2b 2201 03 28 200004 29 27", 55);
	expect_error("210000 27", -UNI_ETIMEDOUT);
}

Test(bytecode, variables)
{
	variables[1] = -3;
	expect_value("2c0001 27", -3);
	expect_value("2c0001 2202 13 27", 0);
	expect_value("2207 2d0002 27", 7);
	cr_expect_eq(variables[2], 7);
	expect_error("2c0004 27", -UNI_ENOENT);
	expect_error("2207 2d0004 27", -UNI_ENOENT);
}

Test(bytecode, collects)
{
	/* Collecting leaves the address where an expression goes on with it. */
	memory[0] = 42;
	expect_value("231000 0d08 1a 231008 300100 29 2e0003 27", 42);
	cr_expect_str_eq(noted, "M1000,8;M1008,100;V3;");
	noted[0] = 0;
	run("231000 2310ff 0c 231004 2220 2f 27");
	cr_expect_str_eq(noted, "M1000,10ff;S1004,20;");
}

Test(bytecode, knows_the_one_that_collects_a_variable)
{
	static const char *const others[] = {
		"2c 0102 2e 0103 29 27",    /* another one */
		"2c 0102 2e 0202 29 27",    /* another one */
		"2c 0102 2d 0102 29 27",    /* sets it */
		"22 00 28 2e 0102 29 27",   /* has no value */
		"2c 0102 2e 0102 0f 27",    /* does more */
		"2c 0102 2e 0102 29 29 27", /* longer */
		"2e 0102 27",
	};
	struct code code = code_of("2c 0102 2e 0102 29 27");
	unsigned number = 0;

	cr_expect(uni_bytecode_collects_variable(code.bytes, code.len, &number));
	cr_expect_eq(number, 0x102);
	free(code.bytes);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		code = code_of(others[i]);
		cr_expect(!uni_bytecode_collects_variable(code.bytes, code.len, &number));
		free(code.bytes);
	}
}

Test(bytecode, prints)
{
	/* dprintf f, "%d %d\n", 7, $rdi: the last argument first, then channel and function. */
	run("260005 2207 2200 2200 34 02 0007 2564 2025 640a 00 27");
	cr_expect_str_eq(noted, "P%d %d\n,7,1005;");
}

Test(bytecode, what_is_not_offered_is_an_error)
{
	static const struct uni_bytecode_ops nothing;
	static const char *const each[] = {
		"260000 27",	   "2200 17 27",
		"2c0000 27",	   "2200 2d0000 27",
		"2e0000 27",	   "2200 2200 0c 27",
		"2200 0d01 27",	   "2200 300001 27",
		"2200 2200 2f 27", "2200 2200 34 00 0001 00 27",
	};

	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++)
		cr_expect_eq(run_with(each[i], &nothing, NULL), -UNI_ENOTSUP, "%s", each[i]);
}

Test(bytecode, refuses_bad_form)
{
	static const char *const bad[] = {
		"",		     /* nothing */
		"00 27",	     /* no such opcode */
		"01 27",	     /* floating point */
		"2200 1f 27",	     /* the same */
		"31 27",	     /* a hole in the table */
		"35 27",	     /* behind it */
		"2201",		     /* no end */
		"22",		     /* cut off */
		"25 00000000000000", /* cut off */
		"2600",		     /* cut off */
		"26003c 27",	     /* register 60 of 60 */
		"2201 1600 27",	     /* from no bits */
		"2201 2a00 27",
		"210001 27",  /* into an operand */
		"210004 27",  /* to the end of the bytes */
		"21ffff 27",  /* far out */
		"02 27",      /* two from none */
		"2201 02 27", /* two from one */
		"29 27",
		"28 27",
		"2201 2202 33 27",	      /* three from two */
		"2201 3201 27",		      /* the second of one */
		"2200 2200 34 01 0001 00 27", /* no argument there */
		"2200 2200 34 00 0000 27",    /* no format */
		"2200 2200 34 00 0001 41 27", /* no 0 */
		"2200 2200 34 00 0002 41",    /* cut off */
		"2200 2200 34 00 ffff 41 00", /* cut off */
		"2201 210000 27",	      /* grows at each turn */
		/* One way pushes, the other does not. */
		"2200 200007 2201 27",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not_null(refusal(bad[i]), "%s", bad[i]);
	/* What no way leads to need only be well formed. */
	cr_expect_null(refusal("27 02 27"));
	cr_expect_not_null(refusal("27 00"));
}

Test(bytecode, bounds_the_stack_and_the_length)
{
	uint8_t code[UNI_BYTECODE_MAX + 1];
	uint64_t result = 0;

	memset(code, 0x28, sizeof(code));
	code[0] = 0x22;
	code[1] = 5;
	code[2 + UNI_BYTECODE_STACK - 1] = 0x27;
	cr_expect_null(uni_bytecode_refused(code, 3 + UNI_BYTECODE_STACK - 1, REGISTERS));
	cr_expect_eq(uni_bytecode_run(code, &ops, NULL, STEPS, &result), 0);
	cr_expect_eq(result, 5);
	code[2 + UNI_BYTECODE_STACK - 1] = 0x28;
	code[2 + UNI_BYTECODE_STACK] = 0x27;
	cr_expect_not_null(uni_bytecode_refused(code, 3 + UNI_BYTECODE_STACK, REGISTERS));

	memset(code, 0x27, sizeof(code));
	cr_expect_null(uni_bytecode_refused(code, UNI_BYTECODE_MAX, REGISTERS));
	cr_expect_not_null(uni_bytecode_refused(code, UNI_BYTECODE_MAX + 1, REGISTERS));
}

/* A jump back reaches code that nothing before it does: 0: goto 6; 3: const8 4; 5: end; 6: goto 3.
 */
Test(bytecode, code_that_is_reached_backwards_is_checked)
{
	expect_value("210006 2204 27 210003", 4);
	cr_expect_not_null(refusal("210007 29 2204 27 210003"), "it pops from nothing");
}
