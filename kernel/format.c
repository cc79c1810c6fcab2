/* SPDX-License-Identifier: MIT */

#include "kernel/format.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* 64 bits in octal would be 22; decimal 20, hex 16. */
#define DIGITS_MAX 24

struct sink {
	char *buffer;
	size_t size;
	size_t len; /* of the whole text, whether it fits or not */
};

struct spec {
	bool left, zero, plus, alternate;
	int width;
	int precision; /* -1: none given */
	int length;    /* h counts -1 each, l and its like +1 each */
};

static void put(struct sink *sink, char c)
{
	if (sink->len + 1 < sink->size)
		sink->buffer[sink->len] = c;
	sink->len++;
}

static void put_repeated(struct sink *sink, char c, int count)
{
	while (count-- > 0)
		put(sink, c);
}

static void put_padded(struct sink *sink, const struct spec *spec, const char *text, size_t len)
{
	int padding = spec->width - (int)len;

	if (!spec->left)
		put_repeated(sink, ' ', padding);
	for (size_t i = 0; i < len; i++)
		put(sink, text[i]);
	if (spec->left)
		put_repeated(sink, ' ', padding);
}

static void put_number(struct sink *sink, const struct spec *spec, uint64_t value, unsigned base,
		       bool upper, const char *prefix)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[DIGITS_MAX];
	int count = 0, zeros, padding;

	while (value != 0) {
		text[count++] = digits[value % base];
		value /= base;
	}
	zeros = (spec->precision >= 0 ? spec->precision : 1) - count;
	if (zeros < 0)
		zeros = 0;
	padding = spec->width - (int)strlen(prefix) - zeros - count;
	if (spec->zero && !spec->left && spec->precision < 0 && padding > 0) {
		zeros += padding;
		padding = 0;
	}
	if (!spec->left)
		put_repeated(sink, ' ', padding);
	while (*prefix != '\0')
		put(sink, *prefix++);
	put_repeated(sink, '0', zeros);
	while (count > 0)
		put(sink, text[--count]);
	if (spec->left)
		put_repeated(sink, ' ', padding);
}

static const char *parse_number(const char *at, int *out, va_list *arguments)
{
	if (*at == '*') {
		*out = va_arg(*arguments, int);
		return at + 1;
	}
	*out = 0;
	while (*at >= '0' && *at <= '9')
		*out = *out * 10 + (*at++ - '0');
	return at;
}

static const char *parse_spec(const char *at, struct spec *spec, va_list *arguments)
{
	*spec = (struct spec){.precision = -1};
	for (;; at++) {
		if (*at == '-')
			spec->left = true;
		else if (*at == '0')
			spec->zero = true;
		else if (*at == '+')
			spec->plus = true;
		else if (*at == '#')
			spec->alternate = true;
		else
			break;
	}
	at = parse_number(at, &spec->width, arguments);
	if (spec->width < 0) {
		spec->left = true;
		spec->width = -spec->width;
	}
	if (*at == '.')
		at = parse_number(at + 1, &spec->precision, arguments);
	for (;; at++) {
		if (*at == 'h')
			spec->length--;
		else if (*at == 'l' || *at == 'z' || *at == 't' || *at == 'j')
			spec->length++;
		else
			return at;
	}
}

static int64_t take_signed(const struct spec *spec, va_list *arguments)
{
	if (spec->length > 0)
		return va_arg(*arguments, long);
	if (spec->length == -1)
		return (short)va_arg(*arguments, int);
	if (spec->length <= -2)
		return (signed char)va_arg(*arguments, int);
	return va_arg(*arguments, int);
}

static uint64_t take_unsigned(const struct spec *spec, va_list *arguments)
{
	if (spec->length > 0)
		return va_arg(*arguments, unsigned long);
	if (spec->length == -1)
		return (unsigned short)va_arg(*arguments, unsigned);
	if (spec->length <= -2)
		return (unsigned char)va_arg(*arguments, unsigned);
	return va_arg(*arguments, unsigned);
}

static void put_signed(struct sink *sink, const struct spec *spec, int64_t value)
{
	const char *sign = value < 0 ? "-" : spec->plus ? "+" : "";

	put_number(sink, spec, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, false, sign);
}

static void put_string(struct sink *sink, const struct spec *spec, const char *text)
{
	size_t max = spec->precision >= 0 ? (size_t)spec->precision : SIZE_MAX;

	if (text == NULL)
		text = "(null)";
	put_padded(sink, spec, text, strnlen(text, max));
}

static void put_conversion(struct sink *sink, const struct spec *spec, char kind,
			   va_list *arguments)
{
	char c;

	switch (kind) {
	case 'd':
	case 'i':
		put_signed(sink, spec, take_signed(spec, arguments));
		break;
	case 'u':
		put_number(sink, spec, take_unsigned(spec, arguments), 10, false, "");
		break;
	case 'x':
	case 'X':
		put_number(sink, spec, take_unsigned(spec, arguments), 16, kind == 'X',
			   spec->alternate ? "0x" : "");
		break;
	case 'p':
		put_number(sink, spec, (uintptr_t)va_arg(*arguments, void *), 16, false, "0x");
		break;
	case 'c':
		c = (char)va_arg(*arguments, int);
		put_padded(sink, spec, &c, 1);
		break;
	case 's':
		put_string(sink, spec, va_arg(*arguments, const char *));
		break;
	default:
		put(sink, kind);
	}
}

size_t format_text_v(char *buffer, size_t size, const char *format, va_list arguments)
{
	struct sink sink = {buffer, size, 0};
	va_list left;

	va_copy(left, arguments);
	while (*format != '\0') {
		struct spec spec;

		if (*format != '%') {
			put(&sink, *format++);
			continue;
		}
		format = parse_spec(format + 1, &spec, &left);
		if (*format == '\0')
			break;
		put_conversion(&sink, &spec, *format++, &left);
	}
	va_end(left);
	if (size > 0)
		buffer[sink.len < size ? sink.len : size - 1] = '\0';
	return sink.len;
}

size_t format_text(char *buffer, size_t size, const char *format, ...)
{
	va_list arguments;
	size_t len;

	va_start(arguments, format);
	len = format_text_v(buffer, size, format, arguments);
	va_end(arguments);
	return len;
}
