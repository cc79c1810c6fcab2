/* SPDX-License-Identifier: MIT */

/* Documents that gdb reads in pieces: qXfer:OBJECT:read:ANNEX:OFFSET,LENGTH. */

#include "gdbstub/stub_internal.h"
#include "tracing/errno.h"

/* Escapes may double a piece. */
#define PIECE_MAX (UNI_GDB_PACKET_SIZE / 2 - 16)

bool uni_gdb_take_window(struct uni_gdb_cursor *args, uint64_t *offset, uint64_t *len)
{
	if (!uni_gdb_take_hex(args, offset) || !uni_gdb_take(args, ',') ||
	    !uni_gdb_take_hex(args, len))
		return false;
	if (*len > PIECE_MAX)
		*len = PIECE_MAX;
	return true;
}

void uni_gdb_put_window(struct uni_gdb *stub, const struct uni_gdb_text *xml, uint64_t offset,
			uint64_t len)
{
	if (xml->cut) {
		uni_gdb_error(stub, UNI_ENOMEM);
		return;
	}
	if (offset > xml->len)
		offset = xml->len;
	if (len >= xml->len - offset) {
		uni_gdb_put_char(&stub->reply, 'l');
		len = xml->len - offset;
	} else {
		uni_gdb_put_char(&stub->reply, 'm');
	}
	uni_gdb_put_escaped(&stub->reply, xml->data + offset, len);
}

/* GDB manual, "Target Descriptions". */
void uni_gdb_cmd_xfer_features(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_text xml;
	uint64_t offset, len;

	if (!uni_gdb_take_text(args, "target.xml:")) {
		uni_gdb_error(stub, 0); /* no such annex */
		return;
	}
	if (!uni_gdb_take_window(args, &offset, &len)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	uni_gdb_text_init(&xml, (char *)stub->scratch, sizeof(stub->scratch));
	uni_gdb_arch_describe(&xml, stub->register_sets);
	uni_gdb_put_window(stub, &xml, offset, len);
}

/* The vector of a program of Linux. Where threads stop one by one gdb 13 steps one off a breakpoint
 * by a copy of the instruction, and puts that at the program's entry (linux-tdep.c,
 * linux_displaced_step_location); without one it stops every thread for that. The page size tells
 * that this is no uClinux. Where all stop at once there is none: gdb would look for a dynamic
 * linker and for its thread-local storage. */
void uni_gdb_cmd_xfer_auxv(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	enum { AT_NULL, AT_PAGESZ = 6, AT_ENTRY = 9 };
	uint64_t room = stub->ops->displaced_room(stub->context, UNI_GDB_BREAKPOINTS);
	uint64_t vector[] = {AT_PAGESZ, 4096, AT_ENTRY, room, AT_NULL, 0};
	struct uni_gdb_text text = {
		.data = (char *)vector,
		.len = stub->non_stop && room ? sizeof(vector) : 0,
	};
	uint64_t offset, len;

	if (!uni_gdb_take(args, ':') || !uni_gdb_take_window(args, &offset, &len)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	uni_gdb_put_window(stub, &text, offset, len);
}

/* GDB manual, "Traceframe Info Format". */
void uni_gdb_cmd_xfer_frame_info(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_text xml;
	uint64_t offset, len;

	if (!stub->trace.selected.is || !uni_gdb_take(args, ':') ||
	    !uni_gdb_take_window(args, &offset, &len)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	uni_gdb_text_init(&xml, (char *)stub->scratch, sizeof(stub->scratch));
	uni_gdb_describe_frame(stub, &xml);
	uni_gdb_put_window(stub, &xml, offset, len);
}

/* GDB manual, "Memory Map Format". All of it is ram to gdb: into rom it would set hardware
 * breakpoints, and flash it would erase. */
void uni_gdb_cmd_xfer_memory_map(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_memory memory;
	struct uni_gdb_text xml;
	uint64_t offset, len;

	if (!uni_gdb_take(args, ':') || !uni_gdb_take_window(args, &offset, &len)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	uni_gdb_text_init(&xml, (char *)stub->scratch, sizeof(stub->scratch));
	uni_gdb_put(&xml, "<?xml version=\"1.0\"?>\n<memory-map>\n");
	for (unsigned i = 0; stub->ops->memory_next(stub->context, i, &memory); i++) {
		uni_gdb_put(&xml, "<memory type=\"ram\" start=\"0x");
		uni_gdb_put_hex(&xml, memory.start);
		uni_gdb_put(&xml, "\" length=\"0x");
		uni_gdb_put_hex(&xml, memory.len);
		uni_gdb_put(&xml, "\"/>\n");
	}
	uni_gdb_put(&xml, "</memory-map>\n");
	uni_gdb_put_window(stub, &xml, offset, len);
}

static void render_thread(const struct uni_gdb *stub, struct uni_gdb_text *xml,
			  const struct uni_gdb_thread *thread)
{
	uni_gdb_put(xml, "<thread id=\"");
	uni_gdb_put_thread(stub, xml, thread->id);
	if (thread->cpu != UNI_GDB_NO_CPU) {
		uni_gdb_put(xml, "\" core=\"");
		uni_gdb_put_decimal(xml, (uint64_t)thread->cpu);
	}
	if (thread->handle) {
		uni_gdb_put(xml, "\" handle=\"");
		uni_gdb_put_hex_bytes(xml, &thread->handle, sizeof(thread->handle));
	}
	uni_gdb_put(xml, "\" name=\"");
	uni_gdb_put_xml(xml, thread->name);
	uni_gdb_put(xml, "\">");
	uni_gdb_put_xml(xml, thread->extra);
	uni_gdb_put(xml, "</thread>\n");
}

static void start_listing(struct uni_gdb_listing *listing)
{
	listing->cursor = NULL;
	listing->last = 0;
	listing->ended = false;
	listing->position = 0;
	uni_gdb_text_init(&listing->element, listing->data, sizeof(listing->data));
	uni_gdb_put(&listing->element, "<?xml version=\"1.0\"?>\n<threads>\n");
}

/* Replaces the element by the one after it; false when the document is over. */
static bool next_element(struct uni_gdb *stub)
{
	struct uni_gdb_listing *listing = &stub->threads_xml;
	struct uni_gdb_thread thread;

	if (listing->ended)
		return false;
	listing->position += listing->element.len;
	listing->element.len = 0;
	if (uni_gdb_next_thread(stub, &listing->cursor, &listing->last, &thread)) {
		render_thread(stub, &listing->element, &thread);
	} else {
		listing->ended = true;
		uni_gdb_put(&listing->element, "</threads>\n");
	}
	return true;
}

/* GDB manual, "Thread List Format". gdb reads on from where it was, so no element is rendered
 * twice; a request for something before that starts over. */
void uni_gdb_cmd_xfer_threads(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_listing *listing = &stub->threads_xml;
	uint64_t offset, len;

	/* gdb reads the list when it shows a stop to its user, and at no stop that it keeps to
	 * itself (gdb 13, infrun.c, normal_stop). */
	stub->interrupted = false;
	if (!uni_gdb_take(args, ':') || !uni_gdb_take_window(args, &offset, &len)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	if (!offset || offset < listing->position || !listing->element.data)
		start_listing(listing);
	uni_gdb_put_char(&stub->reply, 'm');
	for (;;) {
		uint64_t skip = offset - listing->position;

		if (skip < listing->element.len) {
			uint64_t part = listing->element.len - skip;

			if (part > len)
				part = len;
			uni_gdb_put_escaped(&stub->reply, listing->element.data + skip, part);
			offset += part;
			len -= part;
		}
		if (!len)
			return;
		if (!next_element(stub)) {
			stub->reply.data[0] = 'l';
			return;
		}
	}
}
