/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/* What an application defines. Runs as thread "main", after drivers, tracing, probe and stub came
 * up; when it returns the guest is powered off. The value is printed where it is not 0. */
int app_main(void);

/* What the tools call it: an application says `const char app_name[] = "shop";`, and is called
 * "application" where it does not. */
extern const char app_name[];

/* True: its threads may execute what lies on their stacks, as gcc's nested functions do where their
 * address is taken. False where the application does not define it. */
extern const bool app_code_on_stacks;
