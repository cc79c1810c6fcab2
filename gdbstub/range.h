/* SPDX-License-Identifier: MIT */
#pragma once

/* A thread that steps through a range of code: range.c. */

#include <stdbool.h>
#include <stdint.h>

#define UNI_GDB_EXITS 64

struct uni_gdb_range {
	uint32_t thread; /* 0: none runs through its range */
	uint64_t start;
	uint64_t end;
	bool seen;	     /* the guest ran since gdb asked for it, and came to no end */
	unsigned exit_count; /* 0: not looked for */
	uint64_t exits[UNI_GDB_EXITS];

	/* Of the CPU that the thread is on, while the guest runs. */
	bool runs;   /* at full speed */
	uint64_t sp; /* its stack pointer then */
};

/* How a thread that gdb makes step goes on. */
enum uni_gdb_way {
	UNI_GDB_WAY_STEP, /* by one instruction */
	UNI_GDB_WAY_RUN,  /* up to a breakpoint */
	UNI_GDB_WAY_LEFT, /* not at all: the range is behind it */
};
