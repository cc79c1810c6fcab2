/* SPDX-License-Identifier: MIT */

#include "tests/guest/gdb_testsuite/libc/print.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define NUMBER_MAX 400

struct output {
	void (*put)(void *context, const char *text, size_t len);
	void *context;
	size_t len;
};

struct conversion {
	bool left, zero, plus, space, alternate;
	int width;
	int precision; /* -1: none */
	int longs;     /* -2: char, -1: short, 1: long, 2: long long, 3: long double */
	char kind;
};

static void put(struct output *out, const char *text, size_t len)
{
	out->put(out->context, text, len);
	out->len += len;
}

static void put_fill(struct output *out, char c, long count)
{
	while (count-- > 0)
		put(out, &c, 1);
}

static void put_padded(struct output *out, const struct conversion *how, const char *sign,
		       const char *text, size_t len)
{
	long fill = how->width - (long)len - (long)strlen(sign);

	if (!how->left && !how->zero)
		put_fill(out, ' ', fill);
	put(out, sign, strlen(sign));
	if (!how->left && how->zero)
		put_fill(out, '0', fill);
	put(out, text, len);
	if (how->left)
		put_fill(out, ' ', fill);
}

static size_t digits(char *end, uint64_t value, unsigned base, bool capital)
{
	const char *alphabet = capital ? "0123456789ABCDEF" : "0123456789abcdef";
	size_t len = 0;

	for (; value != 0; value /= base)
		*--end = alphabet[value % base], len++;
	return len;
}

static void put_integer(struct output *out, struct conversion *how, uint64_t value,
			const char *sign)
{
	unsigned base = how->kind == 'o' ? 8 : strchr("xXp", how->kind) ? 16 : 10;
	char text[NUMBER_MAX], *end = text + sizeof(text);
	size_t len = digits(end, value, base, how->kind == 'X');
	size_t least = how->precision < 0 ? 1 : (size_t)how->precision;

	if (how->alternate && base == 16 && value != 0)
		sign = how->kind == 'X' ? "0X" : "0x";
	if (how->alternate && base == 8)
		least = len + 1;
	while (len < least && len < sizeof(text))
		*(end - ++len) = '0';
	if (how->precision >= 0)
		how->zero = false;
	put_padded(out, how, sign, end - len, len);
}

static const char *sign_of(const struct conversion *how, bool negative)
{
	return negative ? "-" : how->plus ? "+" : how->space ? " " : "";
}

/* "123.450": value is not negative and less than 2^64. */
static size_t fixed(char *text, long double value, int precision)
{
	char *end = text + 32;
	long double half = 0.5L;
	uint64_t whole;
	size_t len;

	for (int i = 0; i < precision; i++)
		half /= 10;
	value += half;
	whole = (uint64_t)value;
	len = digits(end, whole, 10, false);
	if (len == 0)
		*(end - ++len) = '0';
	memmove(text, end - len, len);
	if (precision > 0)
		text[len++] = '.';
	for (value -= (long double)whole; precision > 0; precision--) {
		value *= 10;
		text[len++] = (char)('0' + (int)value);
		value -= (int)value;
	}
	return len;
}

static size_t scientific(char *text, long double value, int precision, bool capital)
{
	int exponent = 0;
	size_t len;

	while (value >= 10)
		value /= 10, exponent++;
	while (value != 0 && value < 1)
		value *= 10, exponent--;
	len = fixed(text, value, precision);
	text[len++] = capital ? 'E' : 'e';
	text[len++] = exponent < 0 ? '-' : '+';
	if (exponent < 0)
		exponent = -exponent;
	if (exponent >= 100)
		text[len++] = (char)('0' + exponent / 100);
	text[len++] = (char)('0' + exponent / 10 % 10);
	text[len++] = (char)('0' + exponent % 10);
	return len;
}

static size_t general(char *text, long double value, int precision, bool capital)
{
	bool small = value != 0 && value < 1e-4L;
	long double limit = 1;
	int before = 1;
	size_t len;

	precision = precision == 0 ? 1 : precision;
	for (int i = 0; i < precision; i++)
		limit *= 10;
	if (small || value >= limit || value >= 1e19L)
		return scientific(text, value, precision - 1, capital);
	for (long double power = 10; power <= value; power *= 10)
		before++;
	if (value != 0 && value < 1) {
		before = 0;
		for (long double power = 0.1L; power > value; power /= 10)
			before--;
	}
	len = fixed(text, value, precision - before);
	if (memchr(text, '.', len) == NULL)
		return len;
	while (text[len - 1] == '0')
		len--;
	return text[len - 1] == '.' ? len - 1 : len;
}

static void put_float(struct output *out, struct conversion *how, long double value)
{
	bool negative = __builtin_signbit(value), capital = how->kind < 'a';
	int precision = how->precision < 0 ? 6 : how->precision;
	char text[NUMBER_MAX];
	size_t len;

	if (negative)
		value = -value;
	if (precision > 60)
		precision = 60;
	if (value != value || value > 1.1897e4932L) {
		how->zero = false;
		put_padded(out, how, sign_of(how, negative), value != value ? "nan" : "inf", 3);
		return;
	}
	if ((how->kind | 32) == 'g')
		len = general(text, value, precision, capital);
	else if ((how->kind | 32) == 'f' && value < 1.8e19L)
		len = fixed(text, value, precision);
	else
		len = scientific(text, value, precision, capital);
	put_padded(out, how, sign_of(how, negative), text, len);
}

static const char *parse(const char *at, struct conversion *how, va_list *arguments)
{
	*how = (struct conversion){.precision = -1};
	for (;; at++) {
		if (*at == '-')
			how->left = true;
		else if (*at == '0')
			how->zero = true;
		else if (*at == '+')
			how->plus = true;
		else if (*at == ' ')
			how->space = true;
		else if (*at == '#')
			how->alternate = true;
		else
			break;
	}
	if (*at == '*') {
		how->width = va_arg(*arguments, int);
		at++;
	}
	for (; *at >= '0' && *at <= '9'; at++)
		how->width = how->width * 10 + *at - '0';
	if (*at == '.') {
		how->precision = 0;
		if (*++at == '*') {
			how->precision = va_arg(*arguments, int);
			at++;
		}
		for (; *at >= '0' && *at <= '9'; at++)
			how->precision = how->precision * 10 + *at - '0';
	}
	for (;; at++) {
		if (*at == 'h')
			how->longs--;
		else if (*at == 'l')
			how->longs++;
		else if (*at == 'L')
			how->longs = 3;
		else if (*at == 'z' || *at == 't' || *at == 'j')
			how->longs = 2;
		else
			break;
	}
	how->kind = *at;
	return *at == '\0' ? at : at + 1;
}

static void put_one(struct output *out, struct conversion *how, va_list *arguments)
{
	const char *text;
	int64_t number;
	char c;

	switch (how->kind) {
	case 'd':
	case 'i':
		number = how->longs > 0 ? va_arg(*arguments, long) : va_arg(*arguments, int);
		if (how->longs < 0)
			number = how->longs == -1 ? (short)number : (signed char)number;
		put_integer(out, how, number < 0 ? -(uint64_t)number : (uint64_t)number,
			    sign_of(how, number < 0));
		break;
	case 'u':
	case 'o':
	case 'x':
	case 'X': {
		uint64_t value = how->longs > 0 ? va_arg(*arguments, unsigned long)
						: va_arg(*arguments, unsigned);

		if (how->longs < 0)
			value = how->longs == -1 ? (unsigned short)value : (unsigned char)value;
		put_integer(out, how, value, "");
		break;
	}
	case 'p':
		how->alternate = true;
		put_integer(out, how, (uint64_t)va_arg(*arguments, void *), "");
		break;
	case 'c':
		c = (char)va_arg(*arguments, int);
		put_padded(out, how, "", &c, 1);
		break;
	case 's':
		text = va_arg(*arguments, const char *);
		text = text != NULL ? text : "(null)";
		put_padded(out, how, "", text,
			   how->precision < 0 ? strlen(text)
					      : strnlen(text, (size_t)how->precision));
		break;
	case 'e':
	case 'E':
	case 'f':
	case 'F':
	case 'g':
	case 'G':
	case 'a':
		put_float(out, how,
			  how->longs == 3 ? va_arg(*arguments, long double)
					  : (long double)va_arg(*arguments, double));
		break;
	default:
		put(out, &how->kind, 1);
	}
}

int print_format(void (*write)(void *context, const char *text, size_t len), void *context,
		 const char *format, va_list *arguments)
{
	struct output out = {.put = write, .context = context};
	struct conversion how;

	while (*format != '\0') {
		size_t plain = 0;

		while (format[plain] != '\0' && format[plain] != '%')
			plain++;
		put(&out, format, plain);
		format += plain;
		if (*format == '\0')
			break;
		format = parse(format + 1, &how, arguments);
		if (how.kind != '\0')
			put_one(&out, &how, arguments);
	}
	return (int)out.len;
}
