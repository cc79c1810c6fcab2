/* SPDX-License-Identifier: MIT */
/* What keys start on the terminal: gdb on a guest, and a trace of one second with its report. The
 * caller has given the terminal away. Return 0 or a negative code. */
#pragma once

#include "host-tools/lib/error.h"
#include "tui/model.h"

int step_aside_gdb(struct model *model, const char *guest, struct uni_error *error);

/* Records, shows the report, and waits for Enter. */
int step_aside_record(struct model *model, const char *guest, struct uni_error *error);
