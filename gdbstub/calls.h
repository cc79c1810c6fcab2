/* SPDX-License-Identifier: MIT */
#pragma once

/* Functions that gdb calls in the guest, and steps that it has threads make elsewhere. Part of
 * struct uni_gdb; nothing in here is called from outside of it but uni_gdb_call_is_over()
 * (gdbstub.h). */

#include <stdint.h>

#include "gdbstub/arch.h"

/* At once, in threads of their own: one more is gdb's alone. */
#define UNI_GDB_CALLS 16

/* A thread whose registers gdb has written. */
struct uni_gdb_call {
	uint32_t thread; /* 0: free */
	enum {
		UNI_GDB_CALL_PREPARED, /* or something else that gdb writes registers for */
		UNI_GDB_CALL_RUNNING,
		UNI_GDB_CALL_RETURNED, /* gdb is writing back what they were */
		UNI_GDB_CALL_ORPHANED, /* running, and that gdb is gone */
		UNI_GDB_CALL_IN_COPY,  /* no call: it steps a copy of an instruction, or has */
		UNI_GDB_CALL_LANDED,   /* and gdb has written where it is then */
	} state;
	uint64_t return_pc;		    /* RUNNING, RETURNED, ORPHANED */
	uint64_t copy;			    /* IN_COPY, LANDED: where it lies */
	uint64_t lent;			    /* so: registers that gdb needs for the step alone */
	struct uni_gdb_registers registers; /* before the first write */
};
