/* SPDX-License-Identifier: MIT */
#pragma once

/* The command line that the guest was started with: words, each `key` or `key=value`. Quotes keep
 * spaces together: key="a b". Any context once booted; nothing is ever written. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keeps a copy; what does not fit in CMDLINE_MAX - 1 bytes is cut. Boot only. */
#define CMDLINE_MAX 2048
void cmdline_init(const char *text);

/* The whole line, "" if there was none. */
const char *cmdline_text(void);

/* Whether the key is there, with or without a value. */
bool cmdline_has(const char *key);

/* Copies the value of the first `key=` into buffer, cut to size - 1 bytes. Returns false, buffer
 * untouched, when there is none. */
bool cmdline_get(const char *key, char *buffer, size_t size);

/* The value as a number: decimal or 0x; K, M, G at the end multiply by powers of 1024. Returns
 * fallback when the key is missing or its value no number. */
uint64_t cmdline_get_u64(const char *key, uint64_t fallback);

/* Calls visit for each word in order; value is NULL where there is no `=`. Both are cut to
 * CMDLINE_WORD_MAX - 1 bytes and valid during the call only. */
#define CMDLINE_WORD_MAX 256
void cmdline_for_each(void (*visit)(const char *key, const char *value, void *context),
		      void *context);
