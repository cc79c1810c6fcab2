/* SPDX-License-Identifier: MIT */

#include "kernel/probe.h"

void probe_init(void)
{
}

void probe_panic(const struct panic_info *info)
{
	(void)info;
}

bool probe_nmi(struct trap_frame *frame)
{
	(void)frame;
	return false;
}
