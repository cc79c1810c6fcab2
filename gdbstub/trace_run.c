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
	trace->registers_size = (uint32_t)uni_gdb_arch_registers_size(stub->register_sets);
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

bool uni_gdb_trace_is_over(const struct uni_gdb *stub)
{
	return !__atomic_load_n(&stub->trace.running, __ATOMIC_RELAXED) &&
	       stub->standing_count > stub->breakpoint_count;
}

static struct uni_gdb_breakpoint *find_standing(struct uni_gdb *stub, uint64_t address)
{
	for (unsigned i = 0; i < stub->standing_count; i++)
		if (stub->breakpoints[i].address == address)
			return &stub->breakpoints[i];
	return NULL;
}

/* There is room for one of each tracepoint: see uni_gdb_breakpoint_set(). */
static struct uni_gdb_breakpoint *add_standing(struct uni_gdb *stub, uint64_t address)
{
	struct uni_gdb_breakpoint *b = &stub->breakpoints[stub->standing_count++];
	size_t len;
	const uint8_t *code = uni_gdb_arch_breakpoint(UNI_GDB_BREAKPOINT_KIND, &len);

	*b = (struct uni_gdb_breakpoint){
		.address = address,
		.len = (uint8_t)len,
		.traced = UNI_GDB_TRACE_NONE,
	};
	for (size_t i = 0; i < len; i++)
		b->code[i] = code[i];
	return b;
}

void uni_gdb_trace_stand(struct uni_gdb *stub)
{
	struct uni_gdb_trace *trace = &stub->trace;

	for (unsigned i = 0; i < stub->breakpoint_count; i++)
		stub->breakpoints[i].traced = UNI_GDB_TRACE_NONE;
	/* From the last one on, so that the first comes first where there are several. */
	for (unsigned i = trace->running ? trace->tracepoint_count : 0; i-- > 0;) {
		struct uni_gdb_tracepoint *tracepoint = &trace->tracepoints[i];
		struct uni_gdb_breakpoint *b;

		if (!tracepoint->enabled)
			continue;
		b = find_standing(stub, tracepoint->address);
		if (!b)
			b = add_standing(stub, tracepoint->address);
		tracepoint->next_here = b->traced;
		b->traced = (uint16_t)i;
	}
}
