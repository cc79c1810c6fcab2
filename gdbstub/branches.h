/* SPDX-License-Identifier: MIT */
#pragma once

/* The branches that threads take, for gdb's `record btrace`. Part of struct uni_gdb; nothing in
 * here is for the platform.
 *
 * Which threads are recorded changes only while the guest is stopped. While it runs, a thread's
 * ring is written by the CPU that the thread is on, and by no other. */

#include <stdbool.h>
#include <stdint.h>

/* Threads that can be recorded at a time, and the blocks that are kept of each at most. */
#define UNI_GDB_BRANCH_RINGS 64
#define UNI_GDB_BRANCH_BLOCKS 1024

/* Code that ran without taking a branch: the addresses of its first and its last instruction. An
 * `end` of 0 is a gap: how the thread came to `begin` is not known. */
struct uni_gdb_branch_block {
	uint64_t begin;
	uint64_t end;
};

struct uni_gdb_branch_ring {
	uint32_t thread;     /* 0: free */
	uint32_t size;	     /* blocks that are kept, the newest ones */
	bool under_way;	     /* an instruction is being made that the ring is to hear of */
	bool goes_along;     /* to pc, and may not be there yet */
	uint64_t begin;	     /* of the block that the thread is in */
	uint64_t pc;	     /* where it is in there */
	uint64_t count;	     /* blocks ever put */
	uint64_t read_count; /* `count` and `pc` when gdb had read all */
	uint64_t read_pc;
	struct uni_gdb_branch_block *blocks;
};

/* What gdb reads piece by piece. */
struct uni_gdb_branch_reading {
	uint32_t thread; /* 0: nothing */
	bool is_empty;
	bool continues;	 /* its oldest block begins where the reading before ended */
	uint64_t oldest; /* the number of the first block that is put in */
};

struct uni_gdb_branches {
	struct uni_gdb_branch_block *room; /* UNI_GDB_BRANCH_BLOCKS for each ring; NULL: none */
	unsigned count;			   /* threads that are recorded */
	uint32_t asked_len; /* bytes of a ring, as gdb asked for; 0: as many as there are */
	struct uni_gdb_branch_ring rings[UNI_GDB_BRANCH_RINGS];
	struct uni_gdb_branch_reading reading;
};
