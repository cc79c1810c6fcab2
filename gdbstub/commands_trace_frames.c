/* SPDX-License-Identifier: MIT */

/* What was collected: QTFrame selects a frame, which then answers for the guest; qTBuffer hands out
 * all of them as they are. GDB manual, "Tracepoint Packets" and "Traceframe Info Format". */

#include "gdbstub/trace_internal.h"
#include "tracing/errno.h"

#define NO_FRAME UINT32_MAX

enum criterion { BY_PC, BY_TRACEPOINT, IN_RANGE, OUTSIDE };

struct search {
	enum criterion criterion;
	uint64_t low; /* or the only value */
	uint64_t high;
};

static bool matches(const struct uni_gdb *stub, const struct uni_gdb_frame *frame,
		    const struct search *search)
{
	uint64_t pc;

	if (search->criterion == BY_TRACEPOINT)
		return frame->tracepoint == search->low;
	pc = uni_gdb_frame_pc(stub, frame);
	if (search->criterion == BY_PC)
		return pc == search->low;
	return (pc >= search->low && pc <= search->high) == (search->criterion == IN_RANGE);
}

static void put_selected(struct uni_gdb *stub, bool found, const struct uni_gdb_frame *frame)
{
	if (!found) {
		uni_gdb_put(&stub->reply, "F-1");
		return;
	}
	stub->trace.selected = *frame;
	uni_gdb_put_char(&stub->reply, 'F');
	uni_gdb_put_hex(&stub->reply, frame->number);
	uni_gdb_put_char(&stub->reply, 'T');
	uni_gdb_put_hex(&stub->reply, frame->tracepoint);
}

/* From the one behind the selected frame on. */
static void search_frame(struct uni_gdb *stub, const struct search *search)
{
	const struct uni_gdb_trace_buffer *buffer = &stub->trace.buffer;
	struct uni_gdb_frame frame = stub->trace.selected;
	bool found =
		frame.is ? uni_gdb_frame_next(buffer, &frame) : uni_gdb_frame_first(buffer, &frame);

	while (found && !matches(stub, &frame, search))
		found = uni_gdb_frame_next(buffer, &frame);
	put_selected(stub, found, &frame);
}

static void select_number(struct uni_gdb *stub, uint64_t number)
{
	const struct uni_gdb_trace_buffer *buffer = &stub->trace.buffer;
	struct uni_gdb_frame frame = stub->trace.selected;
	bool found = true;

	if (!frame.is || frame.number > number)
		found = uni_gdb_frame_first(buffer, &frame);
	while (found && frame.number < number)
		found = uni_gdb_frame_next(buffer, &frame);
	put_selected(stub, found, &frame);
}

static bool take_range(struct uni_gdb_cursor *args, struct search *search)
{
	return uni_gdb_take_hex(args, &search->low) && uni_gdb_take(args, ':') &&
	       uni_gdb_take_hex(args, &search->high);
}

static bool take_search(struct uni_gdb_cursor *args, struct search *search)
{
	if (uni_gdb_take_text(args, "pc:")) {
		search->criterion = BY_PC;
		return uni_gdb_take_hex(args, &search->low);
	}
	if (uni_gdb_take_text(args, "tdp:")) {
		search->criterion = BY_TRACEPOINT;
		return uni_gdb_take_hex(args, &search->low);
	}
	if (uni_gdb_take_text(args, "range:")) {
		search->criterion = IN_RANGE;
		return take_range(args, search);
	}
	search->criterion = OUTSIDE;
	return uni_gdb_take_text(args, "outside:") && take_range(args, search);
}

void uni_gdb_cmd_select_frame(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct search search;
	uint64_t number;

	if (take_search(args, &search)) {
		search_frame(stub, &search);
	} else if (!uni_gdb_take_hex(args, &number) || uni_gdb_left(args)) {
		uni_gdb_error(stub, UNI_EINVAL);
	} else if (number == NO_FRAME) {
		stub->trace.selected.is = false;
		uni_gdb_ok(stub);
	} else {
		select_number(stub, number);
	}
}

/* qTBuffer:offset,length */
void uni_gdb_cmd_trace_buffer(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	uint64_t offset, len;
	size_t got;

	if (!uni_gdb_take_hex(args, &offset) || !uni_gdb_take(args, ',') ||
	    !uni_gdb_take_hex(args, &len)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	if (len > sizeof(stub->scratch) - 1)
		len = sizeof(stub->scratch) - 1;
	got = uni_gdb_trace_buffer_read(&stub->trace.buffer, offset, stub->scratch, len);
	if (got)
		uni_gdb_put_hex_bytes(&stub->reply, stub->scratch, got);
	else
		uni_gdb_put_char(&stub->reply, 'l');
}

void uni_gdb_describe_frame(const struct uni_gdb *stub, struct uni_gdb_text *xml)
{
	struct uni_gdb_block block = {.next = NULL};

	uni_gdb_put(xml, "<?xml version=\"1.0\"?>\n"
			 "<!DOCTYPE traceframe-info SYSTEM \"traceframe-info.dtd\">\n"
			 "<traceframe-info>\n");
	while (uni_gdb_frame_block(stub, &stub->trace.selected, &block)) {
		if (block.kind == 'M') {
			uni_gdb_put(xml, "<memory start=\"0x");
			uni_gdb_put_hex(xml, block.at);
			uni_gdb_put(xml, "\" length=\"0x");
			uni_gdb_put_hex(xml, block.len);
			uni_gdb_put(xml, "\"/>\n");
		} else if (block.kind == 'V') {
			uni_gdb_put(xml, "<tvar id=\"0x");
			uni_gdb_put_hex(xml, block.at);
			uni_gdb_put(xml, "\"/>\n");
		}
	}
	uni_gdb_put(xml, "</traceframe-info>\n");
}
