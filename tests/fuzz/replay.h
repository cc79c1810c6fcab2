/* SPDX-License-Identifier: MIT */
/*
 * What the fuzzers share. Each has the entry of libFuzzer, LLVMFuzzerTestOneInput(), and says how
 * to make inputs up. With libFuzzer (the meson option `fuzz`) the first is all that runs. Without
 * (UNI_FUZZ_REPLAY) the program runs the files that it is given, its corpus, and mutations of each,
 * then made-up inputs, the same each time, and speaks TAP.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* What must hold of every input. Without, the program ends as if a sanitizer had found something.
 */
#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                        \
		}                                                                       \
	} while (0)

struct replay {
	unsigned long count; /* inputs to make up; UNI_FUZZ_COUNT in the environment is another */
	size_t size_max;     /* of one, in bytes */

	/* Writes an input of at most size_max bytes to out; returns its length. */
	size_t (*make)(uint8_t *out);

	/* How many of them reached what is to be tested: one in 50 is the least, as inputs that are
	 * all refused at the door test nothing. NULL: all do. */
	unsigned long (*reached)(void);
};

/* Each fuzzer's own. */
extern const struct replay replay;

/* The same numbers each time. */
uint64_t replay_random(void);

/* Changes a few bytes, most of them near the start, where headers are; takes some out; cuts the
 * end off. Never longer. Returns the length. */
size_t replay_mutate(uint8_t *bytes, size_t len);
