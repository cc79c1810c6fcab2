/* SPDX-License-Identifier: MIT */
/* The screens as plain text on stdout: unitop -b. */
#pragma once

#include <stdint.h>

#include "host-tools/lib/error.h"

/* Prints the list of guests, or one guest (name not NULL), `count` times (0: until a signal ends
 * the program), delay_ms apart. Returns an exit status or a negative code. */
int text_mode_run(const char *name, uint64_t count, uint64_t delay_ms, struct uni_error *error);
