/* SPDX-License-Identifier: MIT */

/* The smallest thing one can build on this kernel. */

#include "kernel/app.h"
#include "kernel/console.h"

const char app_name[] = "hello";

int app_main(void)
{
	console_printf("hello from a unikernel\n");
	return 0;
}
