/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "host-tools/lib/sanitize.h"

static const char *clean(const char *text)
{
	static char out[256];

	uni_sanitize(out, sizeof(out), text, strlen(text));
	return out;
}

Test(sanitize, printable_text_passes)
{
	cr_assert_str_eq(clean("worker-3 (shop.c:118)"), "worker-3 (shop.c:118)");
	cr_assert_str_eq(clean("Grüße, 世界 🙂"), "Grüße, 世界 🙂");
}

Test(sanitize, control_characters_become_visible)
{
	cr_assert_str_eq(clean("\033[2Jgone"), "\\x1b[2Jgone");
	cr_assert_str_eq(clean("a\nb\tc\rd\177"), "a\\x0ab\\x09c\\x0dd\\x7f");
	cr_assert_str_eq(clean("\302\233K"), "\\u009bK", "CSI as one character");
}

Test(sanitize, text_that_deceives_becomes_visible)
{
	cr_assert_str_eq(clean("a\342\200\256b"), "a\\u202eb", "right-to-left override");
	cr_assert_str_eq(clean("a\342\200\213b"), "a\\u200bb", "zero-width space");
}

Test(sanitize, broken_utf8_becomes_visible)
{
	cr_assert_str_eq(clean("\200"), "\\x80", "a continuation alone");
	cr_assert_str_eq(clean("\300\257"), "\\xc0\\xaf", "an overlong slash");
	cr_assert_str_eq(clean("\340\200\257"), "\\xe0\\x80\\xaf", "an overlong slash of three");
	cr_assert_str_eq(clean("\355\240\200"), "\\xed\\xa0\\x80", "a surrogate");
	cr_assert_str_eq(clean("\364\220\200\200"), "\\xf4\\x90\\x80\\x80", "above U+10FFFF");
	cr_assert_str_eq(clean("\303"), "\\xc3", "cut by the end");
	cr_assert_str_eq(clean("\303("), "\\xc3(", "cut by another character");
}

Test(sanitize, never_ends_within_a_character)
{
	char out[8];

	cr_assert_eq(uni_sanitize(out, 3, "aüb", 4), 1);
	cr_assert_str_eq(out, "a");
	cr_assert_eq(uni_sanitize(out, 6, "ab\033c", 4), 2);
	cr_assert_str_eq(out, "ab");
	cr_assert_eq(uni_sanitize(out, 1, "abc", 3), 0);
	cr_assert_str_eq(out, "");
}

Test(sanitize, a_stream_may_be_cut_anywhere)
{
	static const char text[] = "ü\033[1m世\nend\377🙂";
	static const char shown[] = "ü\\x1b[1m世\nend\\xff🙂";

	for (size_t piece = 1; piece < sizeof(text); piece++) {
		struct uni_sanitizer sanitizer = {0};
		char out[512];
		size_t len = 0;

		for (size_t at = 0; at < sizeof(text) - 1; at += piece) {
			size_t left = sizeof(text) - 1 - at;

			len += uni_sanitizer_feed(&sanitizer, out + len, (const uint8_t *)text + at,
						  left < piece ? left : piece);
		}
		out[len] = '\0';
		cr_assert_str_eq(out, shown, "in pieces of %zu: %s", piece, out);
	}
}
