/* SPDX-License-Identifier: MIT */

/* What the macros of glibc's <ctype.h> read: masks for -128 to 255. */

#include <ctype.h>
#include <stdint.h>

#define FIRST 128

static uint16_t masks[FIRST + 256];
static const uint16_t *masks_zero;
static int32_t lower[FIRST + 256], upper[FIRST + 256];
static const int32_t *lower_zero, *upper_zero;

static uint16_t mask_of(int c)
{
	int is_upper = c >= 'A' && c <= 'Z';
	int is_lower = c >= 'a' && c <= 'z';
	int is_digit = c >= '0' && c <= '9';
	int is_hex = is_digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
	int is_alnum = is_upper || is_lower || is_digit;
	int is_graph = c > ' ' && c < 127;

	return (uint16_t)((is_upper ? _ISupper : 0) | (is_lower ? _ISlower : 0) |
			  (is_upper || is_lower ? _ISalpha : 0) | (is_digit ? _ISdigit : 0) |
			  (is_hex ? _ISxdigit : 0) | (is_alnum ? _ISalnum : 0) |
			  (c == ' ' || (c >= '\t' && c <= '\r') ? _ISspace : 0) |
			  (c == ' ' || c == '\t' ? _ISblank : 0) | (is_graph ? _ISgraph : 0) |
			  (is_graph || c == ' ' ? _ISprint : 0) |
			  (is_graph && !is_alnum ? _ISpunct : 0) |
			  (c < ' ' || c == 127 ? _IScntrl : 0));
}

static void fill(void)
{
	for (int c = -FIRST; c < 256; c++) {
		masks[c + FIRST] = c >= 0 && c < 128 ? mask_of(c) : 0;
		lower[c + FIRST] = c >= 'A' && c <= 'Z' ? c + 32 : c;
		upper[c + FIRST] = c >= 'a' && c <= 'z' ? c - 32 : c;
	}
	masks_zero = masks + FIRST;
	lower_zero = lower + FIRST;
	upper_zero = upper + FIRST;
}

const uint16_t **__ctype_b_loc(void)
{
	fill();
	return &masks_zero;
}

const int32_t **__ctype_tolower_loc(void)
{
	fill();
	return &lower_zero;
}

const int32_t **__ctype_toupper_loc(void)
{
	fill();
	return &upper_zero;
}

int(tolower)(int c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

int(toupper)(int c)
{
	return c >= 'a' && c <= 'z' ? c - 32 : c;
}
