/* SPDX-License-Identifier: MIT */

/* The branches that a thread takes, while it makes one step after the other. */

#include "gdbstub/stub_internal.h"

/* Instructions that a thread goes along at most. */
#define ALONG_MAX 64

void uni_gdb_branch_room(struct uni_gdb *stub, struct uni_gdb_branch_block *room)
{
	stub->branches.room = room;
}

/* Numbers of threads follow each other: most are found where they are looked for first. */
struct uni_gdb_branch_ring *uni_gdb_branch_ring_of(struct uni_gdb *stub, uint32_t thread)
{
	struct uni_gdb_branch_ring *rings = stub->branches.rings;

	for (unsigned i = 0; stub->branches.count && i < UNI_GDB_BRANCH_RINGS; i++)
		if (rings[(thread + i) % UNI_GDB_BRANCH_RINGS].thread == thread)
			return &rings[(thread + i) % UNI_GDB_BRANCH_RINGS];
	return NULL;
}

static void put(struct uni_gdb_branch_ring *ring, uint64_t begin, uint64_t end)
{
	ring->blocks[ring->count++ % ring->size] = (struct uni_gdb_branch_block){begin, end};
}

static bool read_flow(struct uni_gdb *stub, uint64_t pc, struct uni_gdb_flow *flow)
{
	uint8_t code[UNI_GDB_DISPLACED_SIZE];

	*flow = (struct uni_gdb_flow){0};
	return uni_gdb_read_clean(stub, pc, code, sizeof(code)) &&
	       uni_gdb_arch_flow(pc, code, flow);
}

static bool may_lead_to(const struct uni_gdb_flow *flow, uint64_t pc)
{
	if (flow->kind == UNI_GDB_FLOW_AWAY)
		return true;
	return flow->next == pc || (flow->kind != UNI_GDB_FLOW_ON && flow->target == pc);
}

/* Whether the step took a branch, and the instruction that did. */
static bool find_branch(struct uni_gdb *stub, uint64_t from, uint64_t to, uint64_t *branch)
{
	struct uni_gdb_flow flow, late;

	*branch = from;
	if (!read_flow(stub, from, &flow))
		return true;
	/* The trap behind a step may come an instruction late: QEMU's does behind `pause`. */
	if (flow.kind == UNI_GDB_FLOW_ON && flow.next != to && read_flow(stub, flow.next, &late) &&
	    may_lead_to(&late, to)) {
		*branch = flow.next;
		flow = late;
	}
	return flow.next != to;
}

bool uni_gdb_branch_is_due(struct uni_gdb *stub, uint32_t thread)
{
	const struct uni_gdb_branch_ring *ring = uni_gdb_branch_ring_of(stub, thread);

	return ring && !ring->under_way;
}

uint64_t uni_gdb_branch_pc(struct uni_gdb *stub, uint32_t thread)
{
	const struct uni_gdb_branch_ring *ring = uni_gdb_branch_ring_of(stub, thread);

	return ring ? ring->pc : 0;
}

void uni_gdb_branch_ring_at(struct uni_gdb_branch_ring *ring, uint64_t pc)
{
	if (ring->pc == pc)
		return;
	put(ring, ring->begin, ring->pc);
	put(ring, pc, 0);
	ring->begin = ring->pc = pc;
}

void uni_gdb_branch_from(struct uni_gdb *stub, uint32_t thread, uint64_t pc)
{
	struct uni_gdb_branch_ring *ring = uni_gdb_branch_ring_of(stub, thread);

	if (!ring)
		return;
	uni_gdb_branch_ring_at(ring, pc);
	ring->under_way = true;
	ring->goes_along = false;
}

void uni_gdb_branch_to(struct uni_gdb *stub, uint32_t thread, uint64_t pc)
{
	struct uni_gdb_branch_ring *ring = uni_gdb_branch_ring_of(stub, thread);
	uint64_t branch;

	if (!ring || !ring->under_way)
		return;
	ring->under_way = false;
	/* It was not made; or it repeats, as `rep movsb` does, and will come out of that. */
	if (pc == ring->pc)
		return;
	if (find_branch(stub, ring->pc, pc, &branch)) {
		put(ring, ring->begin, branch);
		ring->begin = pc;
	}
	ring->pc = pc;
}

void uni_gdb_branch_along(struct uni_gdb *stub, uint32_t thread, uint64_t pc)
{
	struct uni_gdb_branch_ring *ring = uni_gdb_branch_ring_of(stub, thread);
	struct uni_gdb_flow flow;

	if (!ring)
		return;
	ring->under_way = false;
	ring->goes_along = true;
	for (unsigned i = 0; ring->pc != pc && i < ALONG_MAX; i++) {
		if (!read_flow(stub, ring->pc, &flow) ||
		    (flow.kind != UNI_GDB_FLOW_ON && flow.kind != UNI_GDB_FLOW_JUMP))
			break;
		if (flow.kind == UNI_GDB_FLOW_ON) {
			ring->pc = flow.next;
			continue;
		}
		put(ring, ring->begin, ring->pc);
		ring->begin = ring->pc = flow.target;
	}
	uni_gdb_branch_ring_at(ring, pc);
}

void uni_gdb_branches_forget(struct uni_gdb *stub)
{
	for (unsigned i = 0; i < UNI_GDB_BRANCH_RINGS; i++)
		stub->branches.rings[i].thread = 0;
	stub->branches.count = 0;
	stub->branches.asked_len = 0;
	stub->branches.reading.thread = 0;
}
