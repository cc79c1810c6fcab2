/* SPDX-License-Identifier: MIT */
/* Runs uniscope on the terminal while unitop steps aside. */
#pragma once

#include "host-tools/lib/error.h"
#include "tui/model.h"

/*
 * Starts `uniscope WORDS...` (NULL-terminated) and waits for its end. Guests are listened to
 * meanwhile, so that nothing is lost for unitop. The caller has given the terminal away. Returns
 * the exit status (128 + the signal for one that was killed), or a negative code.
 */
int child_run(struct model *model, const char *const words[], struct uni_error *error);
