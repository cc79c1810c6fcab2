/* SPDX-License-Identifier: MIT */

#include "kernel/trace.h"

void trace_init(void)
{
}
