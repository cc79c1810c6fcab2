/* SPDX-License-Identifier: MIT */
#pragma once

/* Functions that gdb calls in the guest. Part of struct uni_gdb; nothing in here is called from
 * outside of it but uni_gdb_call_is_over() (gdbstub.h). */

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
	} state;
	uint64_t return_pc;		    /* but for PREPARED */
	struct uni_gdb_registers registers; /* before the first write */
};
