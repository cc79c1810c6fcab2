/* SPDX-License-Identifier: MIT */

/* Where a trace starts and ends, and what of it stands in the guest's memory meanwhile. */

#include "gdbstub/trace_internal.h"

void uni_gdb_trace_buffer(struct uni_gdb *stub, void *bytes, uint32_t len)
{
	stub->trace.buffer.bytes = bytes;
	stub->trace.buffer.capacity = stub->trace.buffer.size = len;
	uni_gdb_trace_buffer_reset(&stub->trace.buffer, false);
}

void uni_gdb_trace_start(struct uni_gdb *stub)
{
	struct uni_gdb_trace *trace = &stub->trace;

	uni_gdb_trace_buffer_reset(&trace->buffer, trace->circular);
	for (unsigned i = 0; i < trace->tracepoint_count; i++) {
		trace->tracepoints[i].hits = 0;
		trace->tracepoints[i].usage = 0;
		trace->tracepoints[i].lost = 0;
	}
	for (unsigned i = 0; i < UNI_GDB_TRACE_CPUS; i++)
		for (unsigned k = 0; k < UNI_GDB_TRACE_WALKS; k++)
			trace->walks[i][k].left = 0;
	trace->selected.is = false;
	trace->stop_note.len = 0;
	trace->end = UNI_GDB_TRACE_NOT_RUN;
	trace->start_us = stub->ops->clock_us(stub->context);
	trace->end_us = 0;
	trace->running = true;
}

void uni_gdb_trace_stop(struct uni_gdb *stub, enum uni_gdb_trace_end end, uint32_t number)
{
	struct uni_gdb_trace *trace = &stub->trace;

	if (!__atomic_exchange_n(&trace->running, false, __ATOMIC_SEQ_CST))
		return;
	trace->end = end;
	trace->end_number = number;
	trace->end_us = stub->ops->clock_us(stub->context);
}

void uni_gdb_trace_detach(struct uni_gdb *stub)
{
	stub->trace.selected.is = false;
	if (!stub->trace.disconnected)
		uni_gdb_trace_stop(stub, UNI_GDB_TRACE_DISCONNECTED, 0);
}

static uint32_t frame_len(const struct uni_gdb *stub, const struct uni_gdb_tracepoint *tracepoint,
			  bool stepping)
{
	const struct uni_gdb_trace *trace = &stub->trace;
	uint32_t len = UNI_GDB_FRAME_HEAD;
	uint16_t next = tracepoint->first_action;

	for (; next != UNI_GDB_TRACE_NONE; next = trace->actions[next].next) {
		const struct uni_gdb_trace_action *action = &trace->actions[next];

		if (action->stepping != stepping)
			continue;
		if (action->kind == UNI_GDB_COLLECT_REGISTERS)
			len += 1 + stub->registers.size;
		else if (action->kind == UNI_GDB_COLLECT_VARIABLE &&
			 uni_gdb_variable_exists(stub, (unsigned)action->at))
			len += 1 + UNI_GDB_VARIABLE_BLOCK;
		else
			return 0;
	}
	return len <= UNI_GDB_TRACE_FRAME_MAX ? len : 0;
}

void uni_gdb_trace_stand(struct uni_gdb *stub)
{
	struct uni_gdb_trace *trace = &stub->trace;

	/* From the last one on, so that the first comes first where there are several. */
	for (unsigned i = trace->running ? trace->tracepoint_count : 0; i-- > 0;) {
		struct uni_gdb_tracepoint *tracepoint = &trace->tracepoints[i];
		struct uni_gdb_breakpoint *b;

		if (!tracepoint->enabled)
			continue;
		b = uni_gdb_breakpoint_stand(stub, tracepoint->address);
		b->is_fast |= tracepoint->fast_len > 0;
		tracepoint->next_here = b->traced;
		b->traced = (uint16_t)i;
		tracepoint->frame_len[false] = frame_len(stub, tracepoint, false);
		tracepoint->frame_len[true] = frame_len(stub, tracepoint, true);
	}
}
