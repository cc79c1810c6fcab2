/* SPDX-License-Identifier: MIT */

/* The three streams, all of them the console, none of them buffered. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "tests/guest/gdb_testsuite/guest.h"
#include "tests/guest/gdb_testsuite/libc/print.h"

/* Only their addresses matter: callers know the type as glibc's. */
static char streams[3];

FILE *stdin = (FILE *)&streams[0];
FILE *stdout = (FILE *)&streams[1];
FILE *stderr = (FILE *)&streams[2];

ssize_t write(int fd, const void *bytes, size_t len)
{
	if (fd != 1 && fd != 2) {
		errno = EBADF;
		return -1;
	}
	guest_write(bytes, len);
	return (ssize_t)len;
}

ssize_t read(int fd, void *bytes, size_t size)
{
	if (fd != 0) {
		errno = EBADF;
		return -1;
	}
	return (ssize_t)guest_read(bytes, size);
}

int close(int fd)
{
	(void)fd;
	return 0;
}

int fileno(FILE *stream)
{
	return (int)((char *)stream - streams);
}

int isatty(int fd)
{
	return fd >= 0 && fd < 3;
}

int tcdrain(int fd)
{
	(void)fd;
	return 0;
}

int setvbuf(FILE *restrict stream, char *restrict buffer, int mode, size_t size)
{
	(void)stream;
	(void)buffer;
	(void)mode;
	(void)size;
	return 0;
}

void setbuf(FILE *restrict stream, char *restrict buffer)
{
	(void)stream;
	(void)buffer;
}

int fflush(FILE *stream)
{
	(void)stream;
	return 0;
}

static void put_console(void *context, const char *text, size_t len)
{
	(void)context;
	guest_write(text, len);
}

int vfprintf(FILE *restrict stream, const char *restrict format, va_list arguments)
{
	va_list copy;
	int len;

	(void)stream;
	va_copy(copy, arguments);
	len = print_format(put_console, NULL, format, &copy);
	va_end(copy);
	return len;
}

int vprintf(const char *restrict format, va_list arguments)
{
	return vfprintf(stdout, format, arguments);
}

int printf(const char *restrict format, ...)
{
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vfprintf(stdout, format, arguments);
	va_end(arguments);
	return len;
}

int fprintf(FILE *restrict stream, const char *restrict format, ...)
{
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vfprintf(stream, format, arguments);
	va_end(arguments);
	return len;
}

struct buffer {
	char *text;
	size_t size;
	size_t len;
};

static void put_buffer(void *context, const char *text, size_t len)
{
	struct buffer *to = context;

	for (size_t i = 0; i < len; i++, to->len++) {
		if (to->len + 1 < to->size)
			to->text[to->len] = text[i];
	}
}

int vsnprintf(char *restrict text, size_t size, const char *restrict format, va_list arguments)
{
	struct buffer to = {.text = text, .size = size};
	va_list copy;
	int len;

	va_copy(copy, arguments);
	len = print_format(put_buffer, &to, format, &copy);
	va_end(copy);
	if (size > 0)
		text[to.len < size ? to.len : size - 1] = '\0';
	return len;
}

int snprintf(char *restrict text, size_t size, const char *restrict format, ...)
{
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(text, size, format, arguments);
	va_end(arguments);
	return len;
}

int vsprintf(char *restrict text, const char *restrict format, va_list arguments)
{
	return vsnprintf(text, (size_t)1 << 31, format, arguments);
}

int sprintf(char *restrict text, const char *restrict format, ...)
{
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsprintf(text, format, arguments);
	va_end(arguments);
	return len;
}

int fputs(const char *restrict text, FILE *restrict stream)
{
	(void)stream;
	guest_write(text, strlen(text));
	return 0;
}

int puts(const char *text)
{
	guest_write(text, strlen(text));
	guest_write("\n", 1);
	return 0;
}

int fputc(int c, FILE *stream)
{
	char byte = (char)c;

	(void)stream;
	guest_write(&byte, 1);
	return (unsigned char)byte;
}

int(putc)(int c, FILE *stream)
{
	return fputc(c, stream);
}

int(putchar)(int c)
{
	return fputc(c, stdout);
}

size_t fwrite(const void *restrict items, size_t size, size_t count, FILE *restrict stream)
{
	(void)stream;
	guest_write(items, size * count);
	return count;
}

int fgetc(FILE *stream)
{
	unsigned char byte;

	(void)stream;
	return guest_read(&byte, 1) == 1 ? byte : EOF;
}

int(getchar)(void)
{
	return fgetc(stdin);
}

char *fgets(char *restrict text, int size, FILE *restrict stream)
{
	int len = 0, c = 0;

	while (len + 1 < size && c != '\n' && (c = fgetc(stream)) != EOF)
		text[len++] = (char)c;
	text[len] = '\0';
	return len > 0 ? text : NULL;
}

void perror(const char *text)
{
	fprintf(stderr, "%s: %s\n", text, strerror(errno));
}
