/* SPDX-License-Identifier: MIT */

/* How tracing stands. GDB manual, "Tracepoint Packets". */

#include "gdbstub/trace_internal.h"

void uni_gdb_cmd_trace_status(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	(void)args;
	uni_gdb_put(&stub->reply, "T0;tnotrun:0");
}
