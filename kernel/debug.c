/* SPDX-License-Identifier: MIT */

#include "kernel/debug.h"

void debug_init_early(void)
{
}

void debug_init(void)
{
}

bool debug_trap(struct trap_frame *frame, unsigned vector)
{
	(void)frame;
	(void)vector;
	return false;
}

bool debug_nmi(struct trap_frame *frame)
{
	(void)frame;
	return false;
}
