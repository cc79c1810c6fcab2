/* SPDX-License-Identifier: MIT */

/* `record btrace`: which threads are recorded, and what gdb reads of it. GDB manual, "Branch Trace
 * Format", "Branch Trace Configuration Format". */

#include "gdbstub/stub_internal.h"
#include "tracing/errno.h"

/* A block of the document has the same length whatever its addresses are, so that each piece of the
 * document is found without those before it. */
#define DIGITS 16
#define BLOCK_LEN (sizeof("<block begin=\"0x\" end=\"0x\"/>\n") - 1 + 2 * DIGITS)

static const char head[] = "<btrace version=\"1.0\">\n";
static const char tail[] = "</btrace>\n";

#define HEAD_LEN (sizeof(head) - 1)
#define TAIL_LEN (sizeof(tail) - 1)

static uint64_t oldest_kept(const struct uni_gdb_branch_ring *ring)
{
	return ring->count > ring->size ? ring->count - ring->size : 0;
}

/* --- which threads --- */

static uint32_t ring_size(const struct uni_gdb *stub)
{
	uint32_t size = stub->branches.asked_len / sizeof(struct uni_gdb_branch_block);

	if (!size || size > UNI_GDB_BRANCH_BLOCKS)
		return UNI_GDB_BRANCH_BLOCKS;
	return size;
}

void uni_gdb_cmd_branch_size(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	uint64_t len;

	(void)uni_gdb_take_text(args, "0x");
	if (!uni_gdb_take_hex(args, &len) || uni_gdb_left(args)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	stub->branches.asked_len = len > UINT32_MAX ? UINT32_MAX : (uint32_t)len;
	uni_gdb_ok(stub);
}

static void free_ring(struct uni_gdb *stub, struct uni_gdb_branch_ring *ring)
{
	ring->thread = 0;
	stub->branches.count--;
}

/* gdb does not say so of threads that ended. */
static void free_ended(struct uni_gdb *stub)
{
	for (unsigned i = 0; i < UNI_GDB_BRANCH_RINGS; i++) {
		struct uni_gdb_branch_ring *ring = &stub->branches.rings[i];

		if (ring->thread && !uni_gdb_thread_exists(stub, ring->thread))
			free_ring(stub, ring);
	}
}

/* NULL: there is no room. */
static struct uni_gdb_branch_ring *take_ring(struct uni_gdb *stub, uint32_t thread, uint64_t pc)
{
	struct uni_gdb_branches *branches = &stub->branches;

	for (unsigned i = 0; branches->room && i < UNI_GDB_BRANCH_RINGS; i++) {
		unsigned index = (thread + i) % UNI_GDB_BRANCH_RINGS;

		if (branches->rings[index].thread)
			continue;
		branches->count++;
		branches->rings[index] = (struct uni_gdb_branch_ring){
			.thread = thread,
			.size = ring_size(stub),
			.begin = pc,
			.pc = pc,
			.read_pc = pc,
			.blocks = branches->room + index * UNI_GDB_BRANCH_BLOCKS,
		};
		return &branches->rings[index];
	}
	return NULL;
}

void uni_gdb_cmd_branch_start(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	uint32_t thread = uni_gdb_general_thread(stub);
	struct uni_gdb_registers registers;

	(void)args;
	if (uni_gdb_branch_ring_of(stub, thread)) {
		uni_gdb_error_text(stub, "it is recorded already");
		return;
	}
	free_ended(stub);
	if (stub->ops->registers_get(stub->context, thread, &registers) < 0)
		uni_gdb_error_text(stub, "its CPU does not answer");
	else if (!take_ring(stub, thread, uni_gdb_arch_pc(&registers)))
		uni_gdb_error_text(stub, "there is no room to record another thread");
	else
		uni_gdb_ok(stub);
}

static struct uni_gdb_branch_ring *find_ring(struct uni_gdb *stub)
{
	struct uni_gdb_branch_ring *ring =
		uni_gdb_branch_ring_of(stub, uni_gdb_general_thread(stub));

	if (!ring)
		uni_gdb_error_text(stub, "it is not recorded");
	return ring;
}

void uni_gdb_cmd_branch_stop(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_branch_ring *ring = find_ring(stub);

	(void)args;
	if (!ring)
		return;
	free_ring(stub, ring);
	uni_gdb_ok(stub);
}

void uni_gdb_cmd_xfer_branch_config(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	const struct uni_gdb_branch_ring *ring = find_ring(stub);
	struct uni_gdb_text xml;
	uint64_t offset, len;

	if (!ring)
		return;
	if (!uni_gdb_take(args, ':') || !uni_gdb_take_window(args, &offset, &len)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	uni_gdb_text_init(&xml, (char *)stub->scratch, sizeof(stub->scratch));
	uni_gdb_put(&xml, "<btrace-conf version=\"1.0\">\n<bts size=\"0x");
	uni_gdb_put_hex(&xml, ring->size * sizeof(struct uni_gdb_branch_block));
	uni_gdb_put(&xml, "\"/>\n</btrace-conf>\n");
	uni_gdb_put_window(stub, &xml, offset, len);
}

/* --- the document --- */

/* A thread whose instruction is under way is in a handler of interrupts, or waits in one for a CPU:
 * it comes back to where it was. */
static void settle(struct uni_gdb *stub, struct uni_gdb_branch_ring *ring)
{
	struct uni_gdb_registers registers;

	if (!ring->under_way && !ring->goes_along &&
	    stub->ops->registers_get(stub->context, ring->thread, &registers) == 0)
		uni_gdb_branch_ring_at(ring, uni_gdb_arch_pc(&registers));
}

/* The annex: how much gdb wants. False: the reply says why not. */
static bool take_reading(struct uni_gdb *stub, struct uni_gdb_cursor *args,
			 const struct uni_gdb_branch_ring *ring,
			 struct uni_gdb_branch_reading *reading)
{
	*reading = (struct uni_gdb_branch_reading){
		.thread = ring->thread,
		.oldest = oldest_kept(ring),
	};
	if (uni_gdb_take_text(args, "delta:")) {
		if (ring->read_count < reading->oldest) {
			uni_gdb_error_text(stub, "blocks that were not read are lost");
			return false;
		}
		reading->oldest = ring->read_count;
		reading->continues = true;
	} else if (uni_gdb_take_text(args, "new:")) {
		reading->is_empty = ring->count == ring->read_count && ring->pc == ring->read_pc;
	} else if (!uni_gdb_take_text(args, "all:")) {
		uni_gdb_error_text(stub, "no such annex");
		return false;
	}
	return true;
}

/* Whether blocks before the oldest one were lost; a gap tells. */
static bool has_lost(const struct uni_gdb_branch_reading *reading)
{
	return !reading->continues && reading->oldest;
}

static uint64_t block_count(const struct uni_gdb_branch_reading *reading,
			    const struct uni_gdb_branch_ring *ring)
{
	return reading->is_empty ? 0 : ring->count - reading->oldest + 1 + has_lost(reading);
}

/* The index-th of the document: the newest first, the one that the thread is in. */
static struct uni_gdb_branch_block block_at(const struct uni_gdb_branch_reading *reading,
					    const struct uni_gdb_branch_ring *ring, uint64_t index)
{
	uint64_t before = ring->count - reading->oldest;
	struct uni_gdb_branch_block block = {ring->begin, ring->pc};

	if (index > before)
		return (struct uni_gdb_branch_block){block_at(reading, ring, before).begin, 0};
	if (index)
		block = ring->blocks[(ring->count - index) % ring->size];
	if (index == before && reading->continues)
		block.begin = 0;
	return block;
}

static void put_address(struct uni_gdb_text *xml, uint64_t address)
{
	for (unsigned i = DIGITS; i-- > 0;)
		uni_gdb_put_hex(xml, address >> 4 * i & 15);
}

static void put_block(struct uni_gdb_text *xml, const struct uni_gdb_branch_block *block)
{
	uni_gdb_put(xml, "<block begin=\"0x");
	put_address(xml, block->begin);
	uni_gdb_put(xml, "\" end=\"0x");
	put_address(xml, block->end);
	uni_gdb_put(xml, "\"/>\n");
}

static void put_element(struct uni_gdb_text *xml, const struct uni_gdb_branch_reading *reading,
			const struct uni_gdb_branch_ring *ring, uint64_t index)
{
	struct uni_gdb_branch_block block;

	if (index == 0) {
		uni_gdb_put(xml, head);
	} else if (index <= block_count(reading, ring)) {
		block = block_at(reading, ring, index - 1);
		put_block(xml, &block);
	} else {
		uni_gdb_put(xml, tail);
	}
}

/* True: the document ends with it. */
static bool put_piece(struct uni_gdb *stub, const struct uni_gdb_branch_ring *ring, uint64_t offset,
		      uint64_t len)
{
	const struct uni_gdb_branch_reading *reading = &stub->branches.reading;
	uint64_t count = block_count(reading, ring);
	uint64_t tail_at = HEAD_LEN + count * BLOCK_LEN;

	while (offset < tail_at + TAIL_LEN) {
		uint64_t index = offset < HEAD_LEN  ? 0
				 : offset < tail_at ? 1 + (offset - HEAD_LEN) / BLOCK_LEN
						    : count + 1;
		uint64_t skip = index ? offset - HEAD_LEN - (index - 1) * BLOCK_LEN : offset;
		char data[BLOCK_LEN];
		struct uni_gdb_text element;

		if (!len)
			return false;
		uni_gdb_text_init(&element, data, sizeof(data));
		put_element(&element, reading, ring, index);
		if (element.len - skip < len) {
			offset += element.len - skip;
			len -= element.len - skip;
		} else {
			element.len = skip + len;
			offset += len;
			len = 0;
		}
		/* None of its characters needs an escape. */
		uni_gdb_put_raw(&stub->reply, element.data + skip, element.len - skip);
	}
	return true;
}

void uni_gdb_cmd_xfer_branches(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_branch_ring *ring = find_ring(stub);
	struct uni_gdb_branch_reading reading;
	uint64_t offset, len;

	if (!ring)
		return;
	settle(stub, ring);
	if (!take_reading(stub, args, ring, &reading))
		return;
	if (!uni_gdb_take_window(args, &offset, &len)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	if (!offset)
		stub->branches.reading = reading;
	if (stub->branches.reading.thread != ring->thread) {
		uni_gdb_error_text(stub, "it is read from its beginning");
		return;
	}
	uni_gdb_put_char(&stub->reply, 'm');
	if (!put_piece(stub, ring, offset, len))
		return;
	stub->reply.data[0] = 'l';
	ring->read_count = ring->count;
	ring->read_pc = ring->pc;
}
