/* SPDX-License-Identifier: MIT */

/* What a trace frame has, and how it answers for the guest while gdb has selected it. */

#include "gdbstub/trace_internal.h"

static uint64_t number_at(const uint8_t *bytes, unsigned len)
{
	uint64_t value = 0;

	for (unsigned i = len; i-- > 0;)
		value = value << 8 | bytes[i];
	return value;
}

#define MEMORY_HEAD (8 + 2)
#define VARIABLE_HEAD 4
#define VARIABLE_SIZE 8

bool uni_gdb_frame_block(const struct uni_gdb *stub, const struct uni_gdb_frame *frame,
			 struct uni_gdb_block *block)
{
	const uint8_t *end = frame->blocks + frame->len;
	const uint8_t *at = block->next ? block->next : frame->blocks;
	size_t left = (size_t)(end - at), head, len;

	if (left < 1)
		return false;
	block->kind = (char)*at++;
	left--;
	if (block->kind == 'R') {
		head = 0;
		len = stub->registers.size;
	} else if (block->kind == 'M' && left >= MEMORY_HEAD) {
		head = MEMORY_HEAD;
		len = number_at(at + 8, 2);
		block->at = number_at(at, 8);
	} else if (block->kind == 'V' && left >= VARIABLE_HEAD) {
		head = VARIABLE_HEAD;
		len = VARIABLE_SIZE;
		block->at = number_at(at, 4);
	} else {
		return false;
	}
	if (head + len > left)
		return false;
	block->bytes = at + head;
	block->len = (uint32_t)len;
	block->next = block->bytes + len;
	return true;
}

static const uint8_t *registers_of(const struct uni_gdb *stub, const struct uni_gdb_frame *frame)
{
	struct uni_gdb_block block = {.next = NULL};

	while (uni_gdb_frame_block(stub, frame, &block))
		if (block.kind == 'R')
			return block.bytes;
	return NULL;
}

static size_t offset_of(const struct uni_gdb *stub, unsigned number)
{
	size_t offset = 0;

	for (unsigned i = 0; i < number; i++)
		if (uni_gdb_arch_register_exists(stub->register_sets, i))
			offset += uni_gdb_arch_register_size(i);
	return offset;
}

const struct uni_gdb_tracepoint *uni_gdb_frame_tracepoint(const struct uni_gdb *stub,
							  const struct uni_gdb_frame *frame)
{
	const struct uni_gdb_trace *trace = &stub->trace;

	for (unsigned i = 0; i < trace->tracepoint_count; i++)
		if (trace->tracepoints[i].number == frame->tracepoint)
			return &trace->tracepoints[i];
	return NULL;
}

uint64_t uni_gdb_frame_pc(const struct uni_gdb *stub, const struct uni_gdb_frame *frame)
{
	const struct uni_gdb_tracepoint *tracepoint = uni_gdb_frame_tracepoint(stub, frame);
	const uint8_t *registers = registers_of(stub, frame);

	if (registers)
		return number_at(registers + offset_of(stub, uni_gdb_arch_pc_number),
				 (unsigned)uni_gdb_arch_register_size(uni_gdb_arch_pc_number));
	return tracepoint ? tracepoint->address : 0;
}

/* The FPU is read for those alone that collect it. */
static bool has_fpu(const struct uni_gdb *stub, const struct uni_gdb_frame *frame)
{
	const struct uni_gdb_trace *trace = &stub->trace;

	for (unsigned i = 0; i < trace->tracepoint_count; i++) {
		const struct uni_gdb_tracepoint *tracepoint = &trace->tracepoints[i];
		uint16_t next = tracepoint->first_action;

		if (tracepoint->number != frame->tracepoint)
			continue;
		for (; next != UNI_GDB_TRACE_NONE; next = trace->actions[next].next)
			if (trace->actions[next].fpu)
				return true;
	}
	return false;
}

bool uni_gdb_selected_register(const struct uni_gdb *stub, unsigned number, void *bytes)
{
	const struct uni_gdb_frame *frame = &stub->trace.selected;
	const uint8_t *registers = registers_of(stub, frame);
	size_t size = uni_gdb_arch_register_size(number);
	uint8_t *to = bytes;

	/* gdb shows a frame without registers at the tracepoint. */
	if (!registers && number != uni_gdb_arch_pc_number)
		return false;
	if (registers && uni_gdb_arch_register_is_fpu(number) && !has_fpu(stub, frame))
		return false;
	for (size_t i = 0; i < size; i++)
		to[i] = registers ? registers[offset_of(stub, number) + i]
				  : (uint8_t)(uni_gdb_frame_pc(stub, frame) >> 8 * i);
	return true;
}

/* What gdb said nobody writes is served as it is. */
static size_t read_only_bytes(const struct uni_gdb_trace *trace, uint64_t address, size_t len)
{
	for (unsigned i = 0; i < trace->read_only_count; i++) {
		uint64_t start = trace->read_only[i].start, end = trace->read_only[i].end;

		if (address >= start && address < end)
			return len < end - address ? len : (size_t)(end - address);
	}
	return 0;
}

size_t uni_gdb_selected_memory(const struct uni_gdb *stub, uint64_t address, void *bytes,
			       size_t len)
{
	struct uni_gdb_block block = {.next = NULL};
	uint8_t *to = bytes;

	while (uni_gdb_frame_block(stub, &stub->trace.selected, &block)) {
		uint64_t skip = address - block.at;

		if (block.kind != 'M' || skip >= block.len)
			continue;
		if (len > block.len - skip)
			len = (size_t)(block.len - skip);
		for (size_t i = 0; i < len; i++)
			to[i] = block.bytes[skip + i];
		return len;
	}
	len = read_only_bytes(&stub->trace, address, len);
	return stub->ops->memory_read(stub->context, address, bytes, len);
}

bool uni_gdb_frame_variable(const struct uni_gdb *stub, const struct uni_gdb_frame *frame,
			    unsigned number, int64_t *value)
{
	struct uni_gdb_block block = {.next = NULL};
	bool found = false;

	/* A variable that was collected twice has the later value. */
	while (uni_gdb_frame_block(stub, frame, &block)) {
		if (block.kind != 'V' || block.at != number)
			continue;
		*value = (int64_t)number_at(block.bytes, VARIABLE_SIZE);
		found = true;
	}
	return found;
}
