/* SPDX-License-Identifier: MIT */

/* What a CPU does at a tracepoint. Runs while the guest runs, with breakpoints in memory: calls
 * nothing that may carry one, memcpy() and its like among them. */

#include "gdbstub/trace_internal.h"
#include "tracing/bytecode.h"
#include "tracing/errno.h"

/* Opcodes that one expression may take. */
#define STEPS 10000

/* The longest string that is collected. */
#define STRING_MAX 4096

/* The context of expressions that collect. */
struct collection {
	struct uni_gdb_evaluation evaluation; /* first: it is theirs too */
	uint8_t *bytes;			      /* of the frame */
	uint32_t len;
	uint32_t room;
	bool cut;
	bool unread;
};

/* --- blocks --- */

/* NULL where there is no room. */
static uint8_t *start_block(struct collection *collection, char kind, uint32_t len)
{
	uint8_t *block = collection->bytes + collection->len;

	if (len >= collection->room - collection->len) {
		collection->cut = true;
		return NULL;
	}
	block[0] = (uint8_t)kind;
	collection->len += 1 + len;
	return block + 1;
}

static void drop_block(struct collection *collection, uint32_t len)
{
	collection->len -= 1 + len;
}

/* In the order of the target's own numbers. */
static void put_16(uint8_t *to, uint16_t value)
{
	typedef uint16_t __attribute__((aligned(1), may_alias)) unaligned;

	*(unaligned *)to = value;
}

static void put_32(uint8_t *to, uint32_t value)
{
	typedef uint32_t __attribute__((aligned(1), may_alias)) unaligned;

	*(unaligned *)to = value;
}

static void put_64(uint8_t *to, uint64_t value)
{
	typedef uint64_t __attribute__((aligned(1), may_alias)) unaligned;

	*(unaligned *)to = value;
}

static void put_registers(struct collection *collection, bool fpu)
{
	const struct uni_gdb *stub = collection->evaluation.stub;
	struct uni_gdb_registers *registers = collection->evaluation.hit->registers;
	uint8_t *to = start_block(collection, 'R', stub->registers.size);

	if (!to)
		return;
	if (fpu)
		stub->ops->registers_add_fpu(stub->context, registers);
	uni_gdb_arch_register_block_put(&stub->registers, registers, to);
}

#define MEMORY_HEAD (8 + 2)

static int put_memory(struct collection *collection, uint64_t address, uint64_t len)
{
	uint8_t *to;

	if (!len)
		return 0;
	if (len > UNI_GDB_TRACE_FRAME_MAX) {
		collection->cut = true;
		return 0;
	}
	to = start_block(collection, 'M', (uint32_t)(MEMORY_HEAD + len));
	if (!to)
		return 0;
	put_64(to, address);
	put_16(to + 8, (uint16_t)len);
	if (!uni_gdb_read_clean(collection->evaluation.stub, address, to + MEMORY_HEAD, len)) {
		drop_block(collection, (uint32_t)(MEMORY_HEAD + len));
		collection->unread = true;
	}
	return 0;
}

static int put_string(struct collection *collection, uint64_t address, uint64_t limit)
{
	uint64_t len = 0;
	char character = 1;

	if (!limit || limit > STRING_MAX)
		limit = STRING_MAX;
	for (; len < limit && character; len++) {
		if (!uni_gdb_read_clean(collection->evaluation.stub, address + len, &character,
					1)) {
			collection->unread = true;
			break;
		}
	}
	return put_memory(collection, address, len);
}

static int put_variable(struct collection *collection, unsigned number)
{
	int64_t value;
	int err = uni_gdb_variable_get(collection->evaluation.stub, collection->evaluation.hit,
				       number, &value);
	uint8_t *to = err < 0 ? NULL : start_block(collection, 'V', UNI_GDB_VARIABLE_BLOCK);

	if (to) {
		put_32(to, number);
		put_64(to + 4, (uint64_t)value);
	}
	return err;
}

/* --- expressions --- */

static int trace(void *context, uint64_t address, uint64_t len)
{
	return put_memory(context, address, len);
}

static int trace_string(void *context, uint64_t address, uint64_t limit)
{
	return put_string(context, address, limit);
}

static int trace_variable(void *context, unsigned number)
{
	return put_variable(context, number);
}

static const struct uni_bytecode_ops collecting_ops = {
	.register_get = uni_gdb_eval_register,
	.memory_read = uni_gdb_eval_memory,
	.variable_get = uni_gdb_eval_variable,
	.variable_set = uni_gdb_eval_set_variable,
	.trace = trace,
	.trace_string = trace_string,
	.trace_variable = trace_variable,
};

/* --- actions --- */

static void run_memory(struct collection *collection, const struct uni_gdb_trace_action *action)
{
	uint64_t base = 0;

	if (action->base >= 0 &&
	    uni_gdb_eval_register(collection, (unsigned)action->base, &base) < 0)
		collection->unread = true;
	else
		(void)put_memory(collection, base + action->at, action->len);
}

static void run_action(struct collection *collection, const struct uni_gdb_trace_action *action)
{
	const struct uni_gdb_trace *trace = &collection->evaluation.stub->trace;

	switch (action->kind) {
	case UNI_GDB_COLLECT_REGISTERS:
		put_registers(collection, action->fpu);
		break;
	case UNI_GDB_COLLECT_MEMORY:
		run_memory(collection, action);
		break;
	case UNI_GDB_COLLECT_VARIABLE:
		if (put_variable(collection, (unsigned)action->at) < 0)
			collection->unread = true;
		break;
	case UNI_GDB_COLLECT_EXPRESSION:
		if (uni_bytecode_run(trace->code + action->at, &collecting_ops, collection, STEPS,
				     NULL) < 0)
			collection->unread = true;
		break;
	}
}

/* --- frames --- */

typedef uint64_t __attribute__((aligned(1), may_alias)) unaligned_word;

static void copy_word(uint8_t *to, const uint8_t *from, unsigned at)
{
	*(volatile unaligned_word *)(to + at) = *(const unaligned_word *)(from + at);
}

static void copy(uint8_t *to, const uint8_t *from, uint32_t len)
{
	for (; len >= 32; len -= 32, to += 32, from += 32) {
		copy_word(to, from, 0);
		copy_word(to, from, 8);
		copy_word(to, from, 16);
		copy_word(to, from, 24);
	}
	for (; len >= 8; len -= 8, to += 8, from += 8)
		copy_word(to, from, 0);
	for (; len; len--, to++, from++)
		*(volatile uint8_t *)to = *from;
}

static void lose(struct uni_gdb *stub, struct uni_gdb_tracepoint *tracepoint, int err)
{
	__atomic_fetch_add(&tracepoint->lost, 1, __ATOMIC_RELAXED);
	if (err == -UNI_ENOSPC)
		uni_gdb_trace_stop(stub, UNI_GDB_TRACE_FULL, 0);
}

static void finish(const struct collection *collection, struct uni_gdb_tracepoint *tracepoint,
		   const struct uni_gdb_trace_room *room)
{
	struct uni_gdb_trace_buffer *buffer = &collection->evaluation.stub->trace.buffer;

	uni_gdb_trace_buffer_commit(buffer, room);
	__atomic_fetch_add(&tracepoint->usage, collection->len, __ATOMIC_RELAXED);
}

/* What it lacks is counted also where it is lost. */
static void count_faults(const struct collection *collection)
{
	struct uni_gdb_trace_buffer *buffer = &collection->evaluation.stub->trace.buffer;

	if (collection->cut)
		__atomic_fetch_add(&buffer->cut, 1, __ATOMIC_RELAXED);
	if (collection->unread)
		__atomic_fetch_add(&buffer->unread, 1, __ATOMIC_RELAXED);
}

static void collect_to(struct collection *collection, const struct uni_gdb_tracepoint *tracepoint,
		       bool stepping, uint8_t *bytes, uint32_t room)
{
	const struct uni_gdb_trace *trace = &collection->evaluation.stub->trace;
	uint16_t next = tracepoint->first_action;

	collection->bytes = bytes;
	collection->len = UNI_GDB_FRAME_HEAD;
	collection->room = room;
	for (; next != UNI_GDB_TRACE_NONE; next = trace->actions[next].next)
		if (trace->actions[next].stepping == stepping)
			run_action(collection, &trace->actions[next]);
	put_16(bytes, (uint16_t)tracepoint->number);
	put_32(bytes + 2, collection->len - UNI_GDB_FRAME_HEAD);
}

/* A frame whose length is known is made where it stays. */
static void collect(struct uni_gdb *stub, struct uni_gdb_tracepoint *tracepoint,
		    const struct uni_gdb_hit *hit, bool stepping)
{
	struct collection collection = {.evaluation = {.stub = stub, .hit = hit}};
	struct uni_gdb_trace_buffer *buffer = &stub->trace.buffer;
	uint8_t *draft = stub->trace.drafts[hit->cpu];
	uint32_t len = tracepoint->frame_len[stepping];
	struct uni_gdb_trace_room room;
	int err;

	if (!len)
		collect_to(&collection, tracepoint, stepping, draft, UNI_GDB_TRACE_FRAME_MAX);
	err = uni_gdb_trace_buffer_reserve(buffer, len ? len : collection.len, &room);
	if (err < 0) {
		lose(stub, tracepoint, err);
	} else if (len) {
		collect_to(&collection, tracepoint, stepping, room.bytes, len);
		finish(&collection, tracepoint, &room);
	} else {
		copy(room.bytes, draft, collection.len);
		finish(&collection, tracepoint, &room);
	}
	count_faults(&collection);
}

/* --- hits --- */

static bool holds(struct uni_gdb *stub, const struct uni_gdb_tracepoint *tracepoint,
		  const struct uni_gdb_hit *hit)
{
	struct uni_gdb_evaluation evaluation = {.stub = stub, .hit = hit};
	const uint8_t *code = stub->trace.code + tracepoint->condition;
	uint64_t value;

	if (!tracepoint->has_condition)
		return true;
	if (uni_bytecode_run(code, &uni_gdb_condition_ops, &evaluation, STEPS, &value) >= 0)
		return value;
	uni_gdb_trace_stop(stub, UNI_GDB_TRACE_ERROR, tracepoint->number);
	return false;
}

/* False: it has had all its passes. */
static bool count_hit(struct uni_gdb_tracepoint *tracepoint, uint64_t *number)
{
	*number = __atomic_add_fetch(&tracepoint->hits, 1, __ATOMIC_RELAXED);
	if (!tracepoint->pass_count || *number <= tracepoint->pass_count)
		return true;
	__atomic_fetch_sub(&tracepoint->hits, 1, __ATOMIC_RELAXED);
	return false;
}

/* False: the CPU steps for as many as it can already. */
static bool start_walk(struct uni_gdb *stub, uint16_t index, const struct uni_gdb_hit *hit,
		       bool last)
{
	struct uni_gdb_trace_walk *walks = stub->trace.walks[hit->cpu];

	for (unsigned i = 0; i < UNI_GDB_TRACE_WALKS; i++) {
		if (walks[i].left)
			continue;
		walks[i].tracepoint = index;
		walks[i].thread = hit->thread;
		walks[i].last = last;
		walks[i].left = stub->trace.tracepoints[index].step_count;
		return true;
	}
	__atomic_fetch_add(&stub->trace.buffer.cut, 1, __ATOMIC_RELAXED);
	return false;
}

static void hit_one(struct uni_gdb *stub, uint16_t index, const struct uni_gdb_hit *hit)
{
	struct uni_gdb_tracepoint *tracepoint = &stub->trace.tracepoints[index];
	uint64_t number;
	bool last;

	if (!holds(stub, tracepoint, hit) || !count_hit(tracepoint, &number))
		return;
	collect(stub, tracepoint, hit, false);
	last = number == tracepoint->pass_count;
	if (tracepoint->step_count && start_walk(stub, index, hit, last))
		return;
	if (last)
		uni_gdb_trace_stop(stub, UNI_GDB_TRACE_PASS_COUNT, tracepoint->number);
}

static bool is_running(const struct uni_gdb *stub)
{
	return __atomic_load_n(&stub->trace.running, __ATOMIC_RELAXED);
}

void uni_gdb_trace_hit(struct uni_gdb *stub, uint16_t tracepoint, const struct uni_gdb_hit *hit)
{
	if (hit->cpu < 0 || hit->cpu >= UNI_GDB_TRACE_CPUS)
		return;
	for (; tracepoint != UNI_GDB_TRACE_NONE && is_running(stub);
	     tracepoint = stub->trace.tracepoints[tracepoint].next_here)
		hit_one(stub, tracepoint, hit);
}

/* --- steps behind a hit --- */

bool uni_gdb_trace_steps(const struct uni_gdb *stub, unsigned cpu)
{
	const struct uni_gdb_trace_walk *walks = stub->trace.walks[cpu];
	uint64_t left = 0;

#pragma GCC unroll 4
	for (unsigned i = 0; i < UNI_GDB_TRACE_WALKS; i++)
		left |= walks[i].left;
	return left;
}

static void end_walk(struct uni_gdb *stub, struct uni_gdb_trace_walk *walk)
{
	walk->left = 0;
	if (walk->last)
		uni_gdb_trace_stop(stub, UNI_GDB_TRACE_PASS_COUNT,
				   stub->trace.tracepoints[walk->tracepoint].number);
}

static void cut_walk(struct uni_gdb *stub, struct uni_gdb_trace_walk *walk)
{
	__atomic_fetch_add(&stub->trace.buffer.cut, 1, __ATOMIC_RELAXED);
	end_walk(stub, walk);
}

void uni_gdb_trace_end_steps(struct uni_gdb *stub, unsigned cpu)
{
	for (unsigned i = 0; i < UNI_GDB_TRACE_WALKS; i++)
		if (stub->trace.walks[cpu][i].left)
			cut_walk(stub, &stub->trace.walks[cpu][i]);
}

static void step_one(struct uni_gdb *stub, struct uni_gdb_trace_walk *walk,
		     const struct uni_gdb_hit *hit)
{
	struct uni_gdb_tracepoint *tracepoint = &stub->trace.tracepoints[walk->tracepoint];

	if (walk->thread != hit->thread || !is_running(stub)) {
		cut_walk(stub, walk);
		return;
	}
	collect(stub, tracepoint, hit, true);
	walk->left--;
	if (!walk->left)
		end_walk(stub, walk);
}

bool uni_gdb_trace_stepped(struct uni_gdb *stub, const struct uni_gdb_hit *hit)
{
	struct uni_gdb_trace_walk *walks = stub->trace.walks[hit->cpu];

	for (unsigned i = 0; i < UNI_GDB_TRACE_WALKS; i++)
		if (walks[i].left)
			step_one(stub, &walks[i], hit);
	return uni_gdb_trace_steps(stub, (unsigned)hit->cpu);
}
