/* SPDX-License-Identifier: MIT */

/* What an application need not define. In a file of its own: where they are seen the compiler takes
 * them for what they are here. */

#include "kernel/app.h"

__attribute__((weak)) const char app_name[] = "application";
__attribute__((weak)) const bool app_code_on_stacks = false;
