/* SPDX-License-Identifier: MIT */
/* The state of a guest, asked of its supervisor. */
#pragma once

#include "host-tools/lib/registry.h"

/* "booting", "running", "paused", "debugged", "crashed", "dumping", "exited"; "stuck" when the
 * supervisor does not answer within a second. */
const char *guest_state_name(const struct uni_guest_info *guest);
