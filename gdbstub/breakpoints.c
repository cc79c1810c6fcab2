/* SPDX-License-Identifier: MIT */

/* Z and z: software breakpoints and debug registers. GDB manual, "Packets". */

#include "gdbstub/trace_internal.h"
#include "tracing/errno.h"

struct request {
	uint64_t type;
	uint64_t address;
	uint64_t kind;
};

static bool same_bytes(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static bool read_all(struct uni_gdb *stub, uint64_t address, void *bytes, size_t len)
{
	return stub->ops->memory_read(stub->context, address, bytes, len) == len;
}

static bool write_all(struct uni_gdb *stub, uint64_t address, const void *bytes, size_t len)
{
	return stub->ops->memory_write(stub->context, address, bytes, len) == len;
}

static struct uni_gdb_breakpoint *find(struct uni_gdb *stub, uint64_t address)
{
	unsigned i = uni_gdb_breakpoint_index(stub, stub->breakpoint_count, address);

	return i < stub->breakpoint_count ? &stub->breakpoints[i] : NULL;
}

bool uni_gdb_breakpoint_at(const struct uni_gdb *stub, uint64_t address)
{
	return uni_gdb_breakpoint_index(stub, stub->breakpoint_count, address) <
	       stub->breakpoint_count;
}

struct uni_gdb_breakpoint *uni_gdb_breakpoint_stand(struct uni_gdb *stub, uint64_t address)
{
	struct uni_gdb_breakpoint *b =
		&stub->breakpoints[uni_gdb_breakpoint_index(stub, stub->standing_count, address)];
	const uint8_t *code;
	size_t len;

	if (b < stub->breakpoints + stub->standing_count)
		return b;
	stub->standing_count++;
	code = uni_gdb_arch_breakpoint(UNI_GDB_BREAKPOINT_KIND, &len);
	*b = (struct uni_gdb_breakpoint){
		.address = address,
		.len = (uint8_t)len,
		.traced = UNI_GDB_TRACE_NONE,
	};
	for (size_t i = 0; i < len; i++)
		b->code[i] = code[i];
	return b;
}

bool uni_gdb_read_clean(const struct uni_gdb *stub, uint64_t address, void *bytes, size_t len)
{
	uint8_t *to = bytes;

	if (stub->ops->memory_read(stub->context, address, bytes, len) != len)
		return false;
	for (unsigned i = 0; i < stub->standing_count; i++) {
		const struct uni_gdb_breakpoint *b = &stub->breakpoints[i];

		for (unsigned k = 0; b->inserted && k < b->len; k++)
			if (b->address + k - address < len)
				to[b->address + k - address] = b->original[k];
	}
	return true;
}

/* The copy of the instruction that runs in place of it; before any breakpoint is in memory. */
static bool place_copy(struct uni_gdb *stub, unsigned index)
{
	struct uni_gdb_breakpoint *b = &stub->breakpoints[index];
	uint64_t room = stub->ops->displaced_room(stub->context, index);
	uint8_t code[UNI_GDB_DISPLACED_SIZE], copies[UNI_GDB_TRAMPOLINE_SIZE];
	size_t got;

	if (!room)
		return false;
	got = stub->ops->memory_read(stub->context, b->address, code, sizeof(code));
	for (; got < sizeof(code); got++)
		code[got] = b->code[0];
	return uni_gdb_arch_trampoline(b->address, room, code, copies, &b->displaced) &&
	       write_all(stub, room, copies, sizeof(copies));
}

static void remove_copy(struct uni_gdb *stub, const struct uni_gdb_breakpoint *b)
{
	uint8_t code[UNI_GDB_TRAMPOLINE_SIZE];

	size_t len;

	for (unsigned i = 0; i < sizeof(code); i++)
		code[i] = *uni_gdb_arch_breakpoint(UNI_GDB_BREAKPOINT_KIND, &len);
	(void)write_all(stub, b->displaced.to, code, sizeof(code));
}

/* Those of gdb's, and behind them those of the stub's own. There is room for each exit of a range
 * and each tracepoint: range.c, set_software(). */
static void stand(struct uni_gdb *stub)
{
	for (unsigned i = 0; i < stub->breakpoint_count; i++) {
		stub->breakpoints[i].traced = UNI_GDB_TRACE_NONE;
		stub->breakpoints[i].is_exit = stub->breakpoints[i].is_fast = false;
	}
	stub->standing_count = stub->breakpoint_count;
	uni_gdb_range_stand(stub);
	stub->untraced_count = stub->standing_count;
	uni_gdb_trace_stand(stub);
}

/* In non-stop mode any is: by a thread that is stopped, on its way off its CPU. */
static bool is_to_be_passed(const struct uni_gdb *stub, const struct uni_gdb_breakpoint *b)
{
	return stub->non_stop || b->agent.conditions.len || b->agent.commands.len || b->is_exit ||
	       b->traced != UNI_GDB_TRACE_NONE;
}

/* A step over a call would end in the platform, and the call writes to the program's stack. */
static bool may_call(const struct uni_gdb *stub)
{
	if (stub->branches.count)
		return false;
	for (unsigned i = 0; i < stub->action_count; i++)
		if (stub->actions[i].kind == UNI_GDB_STEP)
			return false;
	for (unsigned i = 0; i < UNI_GDB_WATCH_SLOTS; i++)
		if (stub->watches[i].watch.kind > UNI_GDB_WATCH_EXECUTE)
			return false;
	return true;
}

/* Another breakpoint stands in the bytes that a call has there. */
static bool is_shared(const struct uni_gdb *stub, uint64_t address)
{
	for (unsigned i = 0; i < stub->standing_count; i++)
		if (stub->breakpoints[i].address - address - 1 < UNI_GDB_CALL_LEN - 1)
			return true;
	return false;
}

/* A call where an int3 would do. */
static void set_call(struct uni_gdb *stub, struct uni_gdb_breakpoint *b)
{
	if (b->is_fast && b->passable && !b->stops && !b->is_exit && !is_shared(stub, b->address) &&
	    uni_gdb_arch_call(b->address, (uintptr_t)stub->ops->call_entry, b->code))
		b->len = UNI_GDB_CALL_LEN;
}

void uni_gdb_breakpoints_insert(struct uni_gdb *stub)
{
	bool calls = may_call(stub);

	stand(stub);
	for (unsigned i = 0; i < stub->standing_count; i++) {
		struct uni_gdb_breakpoint *b = &stub->breakpoints[i];

		b->passable = is_to_be_passed(stub, b) && place_copy(stub, i);
		if (calls)
			set_call(stub, b);
	}
	for (unsigned i = 0; i < stub->standing_count; i++) {
		struct uni_gdb_breakpoint *b = &stub->breakpoints[i];

		/* Memory that was unmapped since has nothing to break at. */
		b->inserted = (b->stops || b->passable) &&
			      read_all(stub, b->address, b->original, b->len) &&
			      write_all(stub, b->address, b->code, b->len);
		if (b->is_exit && !(b->inserted && b->passable))
			uni_gdb_range_give_up(stub);
	}
}

void uni_gdb_breakpoints_lift(struct uni_gdb *stub)
{
	uint8_t now[UNI_GDB_BREAKPOINT_MAX];

	for (unsigned i = stub->standing_count; i-- > 0;) {
		struct uni_gdb_breakpoint *b = &stub->breakpoints[i];

		/* What the guest itself has written over it meanwhile stays. */
		if (b->inserted && read_all(stub, b->address, now, b->len) &&
		    same_bytes(now, b->code, b->len))
			(void)write_all(stub, b->address, b->original, b->len);
		b->inserted = false;
		if (b->passable)
			remove_copy(stub, b);
		b->passable = false;
	}
	stub->standing_count = 0;
}

void uni_gdb_breakpoints_forget(struct uni_gdb *stub)
{
	uni_gdb_breakpoints_lift(stub);
	stub->breakpoint_count = 0;
	stub->expressions.len = 0;
	for (unsigned i = 0; i < UNI_GDB_WATCH_SLOTS; i++)
		stub->watches[i].watch.kind = UNI_GDB_WATCH_NONE;
}

static void set_software(struct uni_gdb *stub, const struct request *request,
			 struct uni_gdb_cursor *args)
{
	size_t len = 0;
	const uint8_t *code = uni_gdb_arch_breakpoint(request->kind, &len);
	struct uni_gdb_breakpoint b = {
		.address = request->address,
		.len = (uint8_t)len,
		.stops = true,
	};
	struct uni_gdb_breakpoint *found;
	struct uni_gdb_agent agent;
	const char *refused;

	if (!code) {
		uni_gdb_error_text(stub, "no breakpoint of this kind");
		return;
	}
	refused = stub->ops->breakpoint_refused(stub->context, request->address, len);
	if (refused) {
		uni_gdb_error_text(stub, refused);
		return;
	}
	/* A write that changes nothing tells whether the address takes one. */
	if (!read_all(stub, b.address, b.original, len) ||
	    !write_all(stub, b.address, b.original, len)) {
		uni_gdb_error(stub, UNI_EFAULT);
		return;
	}
	found = find(stub, request->address);
	if (!found &&
	    stub->breakpoint_count + stub->trace.tracepoint_count >= UNI_GDB_BREAKPOINTS) {
		uni_gdb_error_text(stub, "no room for more breakpoints");
		return;
	}
	refused = uni_gdb_take_agent(stub, args, &agent);
	if (refused) {
		uni_gdb_error_text(stub, refused);
		return;
	}
	if (!found) {
		for (size_t i = 0; i < len; i++)
			b.code[i] = code[i];
		found = &stub->breakpoints[stub->breakpoint_count++];
		*found = b;
	}
	uni_gdb_replace_agent(stub, &found->agent, &agent);
	uni_gdb_ok(stub);
}

static void clear_software(struct uni_gdb *stub, const struct request *request)
{
	struct uni_gdb_breakpoint *b = find(stub, request->address);

	/* gdb repeats a z whose answer was lost, so one that is gone is fine. */
	if (b) {
		uni_gdb_replace_agent(stub, &b->agent, NULL);
		*b = stub->breakpoints[--stub->breakpoint_count];
	}
	uni_gdb_ok(stub);
}

/* gdb takes Z4 where it finds Z3 unknown, and tells by the value that an access was no write; what
 * it hears of as a read, it does not look at. */
static enum uni_gdb_watch_kind watch_kind(uint64_t type)
{
	static const enum uni_gdb_watch_kind kinds[] = {
		[1] = UNI_GDB_WATCH_EXECUTE,
		[2] = UNI_GDB_WATCH_WRITE,
		[3] = UNI_GDB_WATCH_NONE,
		[4] = UNI_GDB_WATCH_ACCESS,
	};

	return kinds[type];
}

static bool is_asked(const struct uni_gdb_watch_slot *slot, const struct request *request)
{
	return slot->watch.kind == watch_kind(request->type) &&
	       slot->asked_address == request->address && slot->asked_len == request->kind;
}

static struct uni_gdb_watch_slot *find_watch(struct uni_gdb *stub, const struct request *request)
{
	for (unsigned i = 0; i < UNI_GDB_WATCH_SLOTS; i++)
		if (is_asked(&stub->watches[i], request))
			return &stub->watches[i];
	return NULL;
}

/* Puts the pieces into free slots; the last of them, NULL when there are too few. */
static struct uni_gdb_watch_slot *place_watch(struct uni_gdb *stub, const struct request *request)
{
	struct uni_gdb_watch pieces[UNI_GDB_WATCH_SLOTS];
	struct uni_gdb_watch_slot *slot = NULL;
	unsigned count, room = 0;

	for (unsigned i = 0; i < UNI_GDB_WATCH_SLOTS; i++)
		if (stub->watches[i].watch.kind == UNI_GDB_WATCH_NONE)
			room++;
	count = uni_gdb_arch_watch_split(watch_kind(request->type), request->address, request->kind,
					 pieces);
	if (count > room)
		return NULL;
	for (unsigned i = 0, placed = 0; placed < count; i++) {
		if (stub->watches[i].watch.kind != UNI_GDB_WATCH_NONE)
			continue;
		slot = &stub->watches[i];
		*slot = (struct uni_gdb_watch_slot){
			.watch = pieces[placed++],
			.asked_address = request->address,
			.asked_len = request->kind,
		};
	}
	return slot;
}

static void set_watch(struct uni_gdb *stub, const struct request *request,
		      struct uni_gdb_cursor *args)
{
	struct uni_gdb_watch_slot *slot = find_watch(stub, request);
	struct uni_gdb_agent agent;
	const char *problem = NULL;

	/* Where nothing is mapped a jump into it stops, before it is a fault. */
	if (watch_kind(request->type) == UNI_GDB_WATCH_EXECUTE)
		problem = stub->ops->breakpoint_refused(stub->context, request->address,
							request->kind);
	else
		problem = stub->ops->watch_refused(stub->context, request->address, request->kind);
	if (problem) {
		/* gdb shows what follows the second dot. */
		uni_gdb_error_text(stub, "hw.");
		uni_gdb_put(&stub->reply, problem);
		return;
	}
	problem = uni_gdb_take_agent(stub, args, &agent);
	if (problem) {
		uni_gdb_error_text(stub, problem);
		return;
	}
	if (!slot)
		slot = place_watch(stub, request);
	if (!slot) {
		uni_gdb_replace_agent(stub, &agent, NULL);
		uni_gdb_error_text(stub, "hw.the processor has too few debug registers for this");
		return;
	}
	uni_gdb_replace_agent(stub, &slot->agent, &agent);
	uni_gdb_ok(stub);
}

static void clear_watch(struct uni_gdb *stub, const struct request *request)
{
	for (unsigned i = 0; i < UNI_GDB_WATCH_SLOTS; i++)
		if (is_asked(&stub->watches[i], request)) {
			uni_gdb_replace_agent(stub, &stub->watches[i].agent, NULL);
			stub->watches[i].watch.kind = UNI_GDB_WATCH_NONE;
		}
	uni_gdb_ok(stub);
}

static bool parse(struct uni_gdb_cursor *args, struct request *request)
{
	return uni_gdb_take_hex(args, &request->type) && uni_gdb_take(args, ',') &&
	       uni_gdb_take_hex(args, &request->address) && uni_gdb_take(args, ',') &&
	       uni_gdb_take_hex(args, &request->kind);
}

static bool is_on(const struct uni_gdb *stub, uint64_t type)
{
	static const enum uni_gdb_feature of[] = {
		UNI_GDB_FEATURE_SOFTWARE_BREAKPOINT, UNI_GDB_FEATURE_HARDWARE_BREAKPOINT,
		UNI_GDB_FEATURE_WRITE_WATCHPOINT,    UNI_GDB_FEATURE_ALWAYS,
		UNI_GDB_FEATURE_ACCESS_WATCHPOINT,
	};

	return type <= 4 && uni_gdb_feature_is_on(stub, of[type]);
}

void uni_gdb_breakpoint_set(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct request request;

	if (!parse(args, &request))
		uni_gdb_error(stub, UNI_EINVAL);
	else if (!is_on(stub, request.type))
		return;
	else if (request.type == 0)
		set_software(stub, &request, args);
	else if (watch_kind(request.type) != UNI_GDB_WATCH_NONE)
		set_watch(stub, &request, args);
}

void uni_gdb_breakpoint_clear(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct request request;

	if (!parse(args, &request))
		uni_gdb_error(stub, UNI_EINVAL);
	else if (request.type == 0)
		clear_software(stub, &request);
	else if (request.type <= 4 && watch_kind(request.type) != UNI_GDB_WATCH_NONE)
		clear_watch(stub, &request);
}
