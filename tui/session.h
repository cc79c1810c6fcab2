/* SPDX-License-Identifier: MIT */
/* unitop on a terminal: the loop between keys, guests and the screen. */
#pragma once

#include <stdint.h>

#include "host-tools/lib/error.h"

/* Runs until the operator quits or a signal ends it. Opens `name` first unless that is NULL; `hint`
 * (may be NULL) stands above the keys. Returns an exit status or a negative code. */
int session_run(const char *name, uint64_t delay_ms, const char *hint, struct uni_error *error);
