/* SPDX-License-Identifier: MIT */

#include "kernel/cmdline.h"

#include <string.h>

static char line[CMDLINE_MAX];

void cmdline_init(const char *text)
{
	size_t len = strnlen(text, sizeof(line) - 1);

	memcpy(line, text, len);
	line[len] = '\0';
}

const char *cmdline_text(void)
{
	return line;
}

/* Cuts the next word out of *at into word[CMDLINE_WORD_MAX], quotes removed. Returns false at the
 * end. */
static bool next_word(const char **at, char *word)
{
	const char *from = *at;
	bool quoted = false;
	size_t len = 0;

	while (*from == ' ')
		from++;
	if (*from == '\0')
		return false;
	for (; *from != '\0' && (quoted || *from != ' '); from++) {
		if (*from == '"')
			quoted = !quoted;
		else if (len < CMDLINE_WORD_MAX - 1)
			word[len++] = *from;
	}
	word[len] = '\0';
	*at = from;
	return true;
}

/* Ends the key where the value starts; NULL where there is none. */
static char *split(char *word)
{
	char *equals = strchr(word, '=');

	if (equals == NULL)
		return NULL;
	*equals = '\0';
	return equals + 1;
}

void cmdline_for_each(void (*visit)(const char *key, const char *value, void *context),
		      void *context)
{
	char word[CMDLINE_WORD_MAX];
	const char *at = line;

	while (next_word(&at, word)) {
		const char *value = split(word);

		visit(word, value, context);
	}
}

bool cmdline_has(const char *key)
{
	char word[CMDLINE_WORD_MAX];
	const char *at = line;

	while (next_word(&at, word)) {
		split(word);
		if (strcmp(word, key) == 0)
			return true;
	}
	return false;
}

bool cmdline_get(const char *key, char *buffer, size_t size)
{
	char word[CMDLINE_WORD_MAX];
	const char *at = line;

	while (next_word(&at, word)) {
		const char *value = split(word);
		size_t len;

		if (value == NULL || strcmp(word, key) != 0)
			continue;
		len = strnlen(value, size - 1);
		memcpy(buffer, value, len);
		buffer[len] = '\0';
		return true;
	}
	return false;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

static unsigned shift_of(char suffix)
{
	switch (suffix) {
	case 'K':
		return 10;
	case 'M':
		return 20;
	case 'G':
		return 30;
	default:
		return 0;
	}
}

static bool parse_u64(const char *text, uint64_t *out)
{
	int base = strncmp(text, "0x", 2) == 0 ? 16 : 10;
	const char *at = base == 16 ? text + 2 : text;
	const char *start = at;
	uint64_t value = 0;

	for (; digit_value(*at) < base; at++) {
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit_value(*at), &value))
			return false;
	}
	if (at == start)
		return false;
	if (*at != '\0' && (shift_of(*at) == 0 || at[1] != '\0'))
		return false;
	if (value << shift_of(*at) >> shift_of(*at) != value)
		return false;
	*out = value << shift_of(*at);
	return true;
}

uint64_t cmdline_get_u64(const char *key, uint64_t fallback)
{
	char text[32];
	uint64_t value;

	if (!cmdline_get(key, text, sizeof(text)) || !parse_u64(text, &value))
		return fallback;
	return value;
}
