/* SPDX-License-Identifier: MIT */
#pragma once

/* What a panic says on the console: cause, registers, return addresses. Polled, no locks. */

#include "kernel/panic.h"

void panic_print(const struct panic_info *info);
