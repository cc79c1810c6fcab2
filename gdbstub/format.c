/* SPDX-License-Identifier: MIT */

/* The format of a dprintf, as its user wrote it between the quotes: C's printf(), whose escapes gdb
 * leaves to the agent. Runs at breakpoints: calls nothing that may carry one. */

#include "gdbstub/stub_internal.h"

/* Bytes of a string that the program has. */
#define STRING_MAX 200

struct conversion {
	bool left;
	bool zero;
	bool plus;
	bool alternate;
	bool wide; /* l, ll, z, j, t */
	bool has_precision;
	unsigned width;
	unsigned precision;
	char kind;
};

static unsigned take_number(const char **at)
{
	unsigned value = 0;

	while (**at >= '0' && **at <= '9')
		value = value < 1000 ? value * 10 + (unsigned)(*(*at)++ - '0') : (++*at, 1000);
	return value;
}

/* Behind the '%'. */
static struct conversion take_conversion(const char **at)
{
	struct conversion c = {.kind = 0};

	for (;; (*at)++) {
		if (**at == '-')
			c.left = true;
		else if (**at == '0')
			c.zero = true;
		else if (**at == '+')
			c.plus = true;
		else if (**at == '#')
			c.alternate = true;
		else if (**at != ' ')
			break;
	}
	c.width = take_number(at);
	if (**at == '.') {
		(*at)++;
		c.has_precision = true;
		c.precision = take_number(at);
	}
	for (; **at == 'l' || **at == 'h' || **at == 'z' || **at == 'j' || **at == 't'; (*at)++)
		c.wide |= **at != 'h';
	c.kind = **at;
	if (c.kind)
		(*at)++;
	return c;
}

static void put_times(struct uni_gdb_text *text, char character, size_t len, unsigned width)
{
	for (; len < width; len++)
		uni_gdb_put_char(text, character);
}

static void put_padded(struct uni_gdb_text *text, const struct conversion *c, const char *bytes,
		       size_t len)
{
	if (!c->left)
		put_times(text, ' ', len, c->width);
	uni_gdb_put_raw(text, bytes, len);
	if (c->left)
		put_times(text, ' ', len, c->width);
}

static void put_number(struct uni_gdb_text *text, const struct conversion *c, const char *sign,
		       uint64_t value, unsigned base)
{
	const char *all = c->kind == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	char data[64], digits[24];
	struct uni_gdb_text number;
	unsigned count = 0, least = c->has_precision ? c->precision : 1;
	size_t sign_len = 0;

	for (; value; value /= base)
		digits[count++] = all[value % base];
	while (sign[sign_len])
		sign_len++;
	if (c->zero && !c->left && !c->has_precision && c->width > sign_len)
		least = c->width - (unsigned)sign_len;
	uni_gdb_text_init(&number, data, sizeof(data));
	uni_gdb_put(&number, sign);
	put_times(&number, '0', count, least);
	while (count)
		uni_gdb_put_char(&number, digits[--count]);
	put_padded(text, c, number.data, number.len);
}

static void put_signed(struct uni_gdb_text *text, const struct conversion *c, uint64_t value)
{
	if (!c->wide)
		value = (uint64_t)(int64_t)(int32_t)value;
	if ((int64_t)value < 0)
		put_number(text, c, "-", 0 - value, 10);
	else
		put_number(text, c, c->plus ? "+" : "", value, 10);
}

static void put_unsigned(struct uni_gdb_text *text, const struct conversion *c, uint64_t value)
{
	unsigned base = c->kind == 'u' ? 10 : c->kind == 'o' ? 8 : 16;
	const char *prefix = base == 8 ? "0" : base == 16 ? "0x" : "";

	if (!c->wide)
		value = (uint32_t)value;
	put_number(text, c, c->alternate && value ? prefix : "", value, base);
}

static void put_string(struct uni_gdb *stub, struct uni_gdb_text *text, const struct conversion *c,
		       uint64_t address)
{
	char data[STRING_MAX];
	size_t len = 0, most = sizeof(data);

	if (c->has_precision && c->precision < most)
		most = c->precision;
	for (; len < most; len++) {
		if (!uni_gdb_read_clean(stub, address + len, &data[len], 1)) {
			uni_gdb_put(text, "<no memory there>");
			return;
		}
		if (!data[len])
			break;
	}
	put_padded(text, c, data, len);
}

static void put_argument(struct uni_gdb *stub, struct uni_gdb_text *text,
			 const struct conversion *c, uint64_t value)
{
	static const struct conversion pointer = {.kind = 'x', .wide = true};

	switch (c->kind) {
	case 'd':
	case 'i':
		put_signed(text, c, value);
		break;
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		put_unsigned(text, c, value);
		break;
	case 'c':
		put_padded(text, c, &(char){(char)value}, 1);
		break;
	case 'p':
		put_number(text, &pointer, "0x", value, 16);
		break;
	case 's':
		put_string(stub, text, c, value);
		break;
	default:
		uni_gdb_put_char(text, '?');
		break;
	}
}

static char take_octal(const char **at)
{
	unsigned value = 0;

	for (unsigned i = 0; i < 3 && **at >= '0' && **at <= '7'; i++)
		value = value * 8 + (unsigned)(*(*at)++ - '0');
	return (char)value;
}

/* Behind the backslash. */
static char take_escape(const char **at)
{
	static const char from[] = "abefnrt", to[] = "\a\b\033\f\n\r\t";
	char escaped = **at;

	if (escaped >= '0' && escaped <= '7')
		return take_octal(at);
	if (escaped)
		(*at)++;
	for (unsigned i = 0; from[i]; i++)
		if (from[i] == escaped)
			return to[i];
	return escaped;
}

void uni_gdb_put_format(struct uni_gdb *stub, struct uni_gdb_text *text, const char *format,
			const uint64_t *arguments, unsigned count)
{
	unsigned used = 0;

	while (*format) {
		char character = *format++;

		if (character == '\\') {
			character = take_escape(&format);
		} else if (character == '%' && *format == '%') {
			format++;
		} else if (character == '%') {
			struct conversion c = take_conversion(&format);

			put_argument(stub, text, &c, used < count ? arguments[used] : 0);
			used++;
			continue;
		}
		uni_gdb_put_char(text, character);
	}
}
