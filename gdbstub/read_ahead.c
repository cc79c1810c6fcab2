/* SPDX-License-Identifier: MIT */

/* gdb reads much memory block by block (`dump`). While it takes in one, the next is made ready.
 * Nothing runs between two of gdb's packets, so it is what would be read then; of devices nothing
 * is read that gdb did not ask for. */

#include "gdbstub/stub_internal.h"

/* What is looked at otherwise is less. */
#define LONG_READ 4096

void uni_gdb_read_ahead_from(struct uni_gdb *stub, uint64_t address, size_t len)
{
	struct uni_gdb_read_ahead *ahead = &stub->read_ahead;
	/* What goes out in this way cannot go out again. */
	bool wanted = len >= LONG_READ && stub->acks == UNI_GDB_NO_ACKS && !stub->non_stop &&
		      !stub->trace.selected.is;

	ahead->address = address;
	ahead->len = wanted ? len : 0;
	ahead->frame_len = 0;
}

void uni_gdb_read_ahead_forget(struct uni_gdb *stub)
{
	stub->read_ahead.len = stub->read_ahead.frame_len = 0;
}

static bool is_memory(const struct uni_gdb *stub, uint64_t address, size_t len)
{
	struct uni_gdb_memory memory;

	for (unsigned i = 0; stub->ops->memory_next(stub->context, i, &memory); i++)
		if (!memory.is_device && address >= memory.start && len <= memory.len &&
		    address - memory.start <= memory.len - len)
			return true;
	return false;
}

static int note_len(void *context, const void *frame, size_t len)
{
	struct uni_gdb_read_ahead *ahead = context;

	(void)frame;
	ahead->frame_len = len;
	return 0;
}

void uni_gdb_read_ahead(struct uni_gdb *stub)
{
	struct uni_gdb_read_ahead *ahead = &stub->read_ahead;
	const struct uni_gdb_bytes bytes = {.data = stub->scratch, .len = ahead->len};

	if (!ahead->len || ahead->frame_len)
		return;
	if (is_memory(stub, ahead->address, ahead->len) &&
	    stub->ops->memory_read(stub->context, ahead->address, stub->scratch, ahead->len) ==
		    ahead->len)
		uni_gdb_transmit_bytes(&bytes, stub->options.run_length, ahead->frame,
				       sizeof(ahead->frame), note_len, ahead);
	else
		uni_gdb_read_ahead_forget(stub);
}

bool uni_gdb_read_ahead_has(const struct uni_gdb *stub, uint64_t address, size_t len)
{
	const struct uni_gdb_read_ahead *ahead = &stub->read_ahead;

	return ahead->frame_len && ahead->address == address && ahead->len == len;
}

int uni_gdb_read_ahead_send(struct uni_gdb *stub)
{
	struct uni_gdb_read_ahead *ahead = &stub->read_ahead;
	size_t len = ahead->frame_len;

	uni_gdb_read_ahead_from(stub, ahead->address + ahead->len, ahead->len);
	return stub->ops->write(stub->context, ahead->frame, len);
}
