/* SPDX-License-Identifier: MIT */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

int *__errno_location(void)
{
	static int number;

	return &number;
}

void __assert_fail(const char *text, const char *file, unsigned line, const char *function)
{
	fprintf(stderr, "%s:%u: %s: Assertion `%s' failed.\n", file, line, function, text);
	abort();
}

int abs(int value)
{
	return value < 0 ? -value : value;
}

long labs(long value)
{
	return value < 0 ? -value : value;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 99;
}

unsigned long strtoul(const char *text, char **end, int base)
{
	unsigned long value = 0;
	int negative;

	while (*text == ' ' || *text == '\t' || *text == '\n')
		text++;
	negative = *text == '-';
	if (*text == '-' || *text == '+')
		text++;
	if ((base == 0 || base == 16) && text[0] == '0' && (text[1] | 32) == 'x') {
		text += 2;
		base = 16;
	}
	if (base == 0)
		base = *text == '0' ? 8 : 10;
	for (; digit_of(*text) < base; text++)
		value = value * (unsigned long)base + (unsigned long)digit_of(*text);
	if (end != NULL)
		*end = (char *)text;
	return negative ? -value : value;
}

long strtol(const char *text, char **end, int base)
{
	return (long)strtoul(text, end, base);
}

int atoi(const char *text)
{
	return (int)strtol(text, NULL, 10);
}

long atol(const char *text)
{
	return strtol(text, NULL, 10);
}

char *getenv(const char *name)
{
	size_t len = strlen(name);

	for (char **next = environ; *next != NULL; next++) {
		if (strncmp(*next, name, len) == 0 && (*next)[len] == '=')
			return *next + len + 1;
	}
	return NULL;
}

int setenv(const char *name, const char *value, int overwrite)
{
	(void)name;
	(void)value;
	(void)overwrite;
	return 0;
}

static unsigned long random_state = 1;

int rand(void)
{
	random_state = random_state * 6364136223846793005ul + 1442695040888963407ul;
	return (int)(random_state >> 33);
}

void srand(unsigned seed)
{
	random_state = seed;
}

long random(void)
{
	return rand();
}

void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *))
{
	char *items = base;

	for (size_t i = 1; i < count; i++) {
		for (size_t j = i; j > 0 && compare(items + (j - 1) * size, items + j * size) > 0;
		     j--) {
			for (size_t k = 0; k < size; k++) {
				char byte = items[j * size + k];

				items[j * size + k] = items[(j - 1) * size + k];
				items[(j - 1) * size + k] = byte;
			}
		}
	}
}
