/* SPDX-License-Identifier: MIT */

#include "kernel/sched.h"

/* In C for the sake of gdb 13: before it unwinds from assembly it reads the instruction, once for
 * each thread of a list (amd64_stack_frame_destroyed_p() in gdb/amd64-tdep.c). */
__attribute__((naked)) void thread_switch_end(void)
{
	__asm__ volatile("ret");
}
