/* SPDX-License-Identifier: MIT */

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

void *memcpy(void *to, const void *from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((char *)to)[i] = ((const char *)from)[i];
	return to;
}

void *memmove(void *to, const void *from, size_t len)
{
	if ((char *)to <= (const char *)from)
		return memcpy(to, from, len);
	while (len-- > 0)
		((char *)to)[len] = ((const char *)from)[len];
	return to;
}

void *memset(void *to, int byte, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((char *)to)[i] = (char)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const unsigned char *left = a, *right = b;

	for (size_t i = 0; i < len; i++) {
		if (left[i] != right[i])
			return left[i] - right[i];
	}
	return 0;
}

void *memchr(const void *bytes, int byte, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (((const unsigned char *)bytes)[i] == (unsigned char)byte)
			return (char *)bytes + i;
	}
	return NULL;
}

size_t strlen(const char *text)
{
	size_t len = 0;

	while (text[len] != '\0')
		len++;
	return len;
}

size_t strnlen(const char *text, size_t max)
{
	size_t len = 0;

	while (len < max && text[len] != '\0')
		len++;
	return len;
}

int strncmp(const char *a, const char *b, size_t max)
{
	for (size_t i = 0; i < max; i++) {
		if (a[i] != b[i] || a[i] == '\0')
			return (unsigned char)a[i] - (unsigned char)b[i];
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, (size_t)-1);
}

char *strcpy(char *to, const char *from)
{
	return memcpy(to, from, strlen(from) + 1);
}

char *strncpy(char *to, const char *from, size_t size)
{
	size_t len = strnlen(from, size);

	memcpy(to, from, len);
	memset(to + len, 0, size - len);
	return to;
}

char *strcat(char *to, const char *from)
{
	strcpy(to + strlen(to), from);
	return to;
}

wchar_t *wcscat(wchar_t *to, const wchar_t *from)
{
	wchar_t *end = to;

	while (*end)
		end++;
	while ((*end++ = *from++))
		;
	return to;
}

char *strncat(char *to, const char *from, size_t max)
{
	size_t len = strnlen(from, max);
	char *end = to + strlen(to);

	memcpy(end, from, len);
	end[len] = '\0';
	return to;
}

char *strchr(const char *text, int c)
{
	for (; *text != (char)c; text++) {
		if (*text == '\0')
			return NULL;
	}
	return (char *)text;
}

char *strrchr(const char *text, int c)
{
	for (size_t len = strlen(text) + 1; len > 0; len--) {
		if (text[len - 1] == (char)c)
			return (char *)text + len - 1;
	}
	return NULL;
}

char *strstr(const char *text, const char *part)
{
	size_t len = strlen(part);

	for (; strlen(text) >= len; text++) {
		if (strncmp(text, part, len) == 0)
			return (char *)text;
	}
	return NULL;
}

char *strdup(const char *text)
{
	char *copy = malloc(strlen(text) + 1);

	return copy != NULL ? strcpy(copy, text) : NULL;
}

char *strerror(int number)
{
	static char text[] = "error";

	(void)number;
	return text;
}
