/* SPDX-License-Identifier: MIT */

/* The guest as the stub sees it: its memory, its threads, their registers. World stopped. */

#include "kernel/app.h"
#include "kernel/arch/x86_64/fault.h"
#include "kernel/arch/x86_64/tls.h"
#include "kernel/clock.h"
#include "kernel/debug_internal.h"
#include "kernel/image.h"
#include "kernel/page.h"
#include "kernel/sync.h"
#include "kernel/text.h"
#include "kernel/trace.h"
#include "tracing/errno.h"

static size_t read_memory(void *context, uint64_t address, void *bytes, size_t len)
{
	(void)context;
	return len - memory_read_nofault(bytes, (const void *)address, len);
}

/* Says only whether all of it went: a part that did counts as none, and gdb reports an error. */
static size_t write_memory(void *context, uint64_t address, const void *bytes, size_t len)
{
	(void)context;
	return text_write((void *)address, bytes, len) == 0 ? len : 0;
}

/* --- threads --- */

/* gdb asks for one after the other, in the order of the list: it is walked once for all of them. */
static struct thread *find(uint32_t id)
{
	static struct thread *last;
	static uint64_t last_stopped_ns;
	struct thread *thread = last;

	if (last_stopped_ns != debug_stopped_ns || (thread && thread->id > id))
		thread = NULL;
	while (!thread || thread->id < id) {
		thread = thread_next_stopped(thread);
		if (!thread)
			return NULL;
	}
	last = thread;
	last_stopped_ns = debug_stopped_ns;
	return thread->id == id && !debug_is_gone(thread) ? thread : NULL;
}

/* The name of what may be a broken pointer. */
static void put_name(struct uni_gdb_text *text, const char *name)
{
	char copy[THREAD_NAME_SIZE];
	size_t len = sizeof(copy) - memory_read_nofault(copy, name, sizeof(copy));

	for (size_t i = 0; i < len && copy[i]; i++)
		uni_gdb_put_char(text, copy[i]);
}

static void put_mutex_owner(struct uni_gdb_text *text, const struct mutex *mutex)
{
	struct thread *owner = NULL;

	if (memory_read_nofault(&owner, &mutex->owner, sizeof(owner)) != 0 || !owner)
		return;
	uni_gdb_put(text, ", held by ");
	put_name(text, owner->name);
}

static void put_wait(struct uni_gdb_text *text, const struct thread_wait *wait)
{
	uint64_t now_ns = debug_stopped_ns;

	uni_gdb_put(text, wait_kind_name(wait->kind));
	if (wait->object_name) {
		uni_gdb_put_char(text, ' ');
		put_name(text, wait->object_name);
	}
	if (wait->kind == WAIT_MUTEX)
		put_mutex_owner(text, wait->object);
	if (wait->kind == WAIT_JOIN) {
		uni_gdb_put_char(text, ' ');
		put_name(text, ((const struct thread *)wait->object)->name);
	}
	uni_gdb_put(text, ", since ");
	uni_gdb_put_decimal(text,
			    now_ns > wait->since_ns ? (now_ns - wait->since_ns) / NS_PER_MS : 0);
	uni_gdb_put(text, " ms");
}

static void put_state(struct uni_gdb_text *text, const struct thread *thread, int cpu)
{
	if (thread->called) {
		uni_gdb_put(text, "in a call of gdb's");
	} else if (thread->frozen && debug_stub.non_stop) {
		uni_gdb_put(text, "stopped by gdb");
	} else if (cpu >= 0) {
		uni_gdb_put(text, "running on CPU ");
		uni_gdb_put_decimal(text, (uint64_t)cpu);
	} else if (thread->state == THREAD_BLOCKED && thread->wait.kind != WAIT_NONE) {
		put_wait(text, &thread->wait);
	} else {
		uni_gdb_put(text, thread_state_name(thread->state));
	}
}

static void describe(const struct thread *thread, struct uni_gdb_thread *out)
{
	struct uni_gdb_text text;

	out->id = thread->id;
	out->cpu = debug_cpu_of(thread);
	if (out->cpu < 0)
		out->cpu = debug_call_lender(thread);
	out->waits = out->cpu < 0 && thread->state == THREAD_BLOCKED;
	out->handle = (uintptr_t)thread;
	uni_gdb_text_init(&text, out->name, sizeof(out->name) - 1);
	put_name(&text, thread->name);
	out->name[text.len] = 0;
	uni_gdb_text_init(&text, out->extra, sizeof(out->extra) - 1);
	put_state(&text, thread, out->cpu);
	out->extra[text.len] = 0;
}

static bool next_thread(void *context, const void **cursor, struct uni_gdb_thread *out)
{
	const struct thread *thread = *cursor;

	(void)context;
	do
		thread = thread_next_stopped(thread);
	while (thread && debug_is_gone(thread));
	if (!thread)
		return false;
	*cursor = thread;
	describe(thread, out);
	return true;
}

static bool find_thread(void *context, uint32_t id, struct uni_gdb_thread *out)
{
	const struct thread *thread = find(id);

	(void)context;
	if (thread && out)
		describe(thread, out);
	return thread;
}

/* --- registers --- */

/* On a CPU that did not stop its registers are anybody's guess. */
static bool is_out_of_reach(const struct thread *thread)
{
	for (unsigned i = 0; i < CPU_MAX; i++)
		if (cpus[i].online && !debug_cpus[i].frame && cpus[i].thread == thread)
			return true;
	return false;
}

/* The registers of a thread whose code is stopped, and its FPU. NULL: it gave up its CPU by itself.
 */
static struct trap_frame *frame_of(struct thread *thread, void **fpu)
{
	int cpu = debug_cpu_of(thread);
	struct trap_frame *frame = debug_aside_frame(thread);

	*fpu = cpu >= 0 ? cpus[cpu].fpu : thread->fpu;
	if (frame)
		return frame;
	return cpu >= 0 ? debug_cpus[cpu].frame : debug_call_frame(thread, fpu);
}

static int get_registers(void *context, uint32_t id, struct uni_gdb_registers *registers)
{
	struct thread *thread = find(id);
	struct trap_frame *frame;
	void *fpu;
	int cpu;

	(void)context;
	if (!thread)
		return -UNI_ENOENT;
	cpu = debug_cpu_of(thread);
	frame = frame_of(thread, &fpu);
	if (frame && cpu >= 0 && frame == debug_cpus[cpu].frame)
		debug_arch_get(registers, frame, &debug_cpus[cpu].extra, fpu);
	else if (frame)
		debug_arch_get_aside(registers, frame, fpu);
	else if (is_out_of_reach(thread))
		return -UNI_EBUSY;
	else
		return debug_arch_get_saved(registers, thread->saved_rsp, fpu);
	return 0;
}

static int set_registers(void *context, uint32_t id, const struct uni_gdb_registers *registers)
{
	struct thread *thread = find(id);
	struct trap_frame *frame;
	void *fpu;
	int err;

	(void)context;
	if (!thread)
		return -UNI_ENOENT;
	frame = frame_of(thread, &fpu);
	if (frame)
		return debug_call_set(thread, frame, fpu, registers);
	if (is_out_of_reach(thread))
		return -UNI_EBUSY;
	err = debug_arch_set_saved(registers, thread->saved_rsp, fpu);
	return err == -UNI_ENOTSUP ? debug_call_prepare(thread, registers) : err;
}

static uint64_t get_tls_address(void *context, uint32_t id, uint64_t offset)
{
	const struct thread *thread = find(id);

	(void)context;
	if (!thread || !thread->tls || offset >= tls_size())
		return 0;
	return thread->tls - tls_size() + offset;
}

static bool hold_thread(void *context, uint32_t id, bool hold)
{
	struct thread *thread = find(id);

	(void)context;
	return thread && debug_aside_hold(thread, hold);
}

static void add_fpu(void *context, struct uni_gdb_registers *registers)
{
	(void)context;
	debug_arch_peek_fpu(registers);
}

/* --- the rest --- */

/* What runs between a trap and the lifting of breakpoints, or after they were laid again; and the
 * copies of instructions with breakpoints. */
static const char *refuse_breakpoint(void *context, uint64_t address, size_t len)
{
	(void)context;
	if (debug_overlaps(address, len, kernel_stub_text_start, kernel_stub_text_end) ||
	    debug_overlaps(address, len, debug_copies, debug_copies + DEBUG_COPIES))
		return "the debug stub itself runs here";
	if (len > 1 && trace_switches(address, len))
		return "a tracepoint of the program's own is switched here";
	return NULL;
}

static const char *refuse_watch(void *context, uint64_t address, size_t len)
{
	(void)context;
	return debug_watch_works_at(address, len) ? "the debug stub itself works there" : NULL;
}

static uint64_t displaced_room(void *context, unsigned index)
{
	(void)context;
	return (uintptr_t)debug_copies[index];
}

static uint64_t get_clock_us(void *context)
{
	(void)context;
	return (debug_is_stopping() ? debug_stopped_ns : clock_ns()) / NS_PER_US;
}

static bool next_memory(void *context, unsigned index, struct uni_gdb_memory *memory)
{
	unsigned ram = page_ram_count();
	struct page_range range;

	(void)context;
	if (index >= ram + page_device_count())
		return false;
	range = index < ram ? page_ram(index) : page_device(index - ram);
	*memory = (struct uni_gdb_memory){
		.start = range.start,
		.len = range.end - range.start,
		.is_device = index >= ram,
	};
	return true;
}

static unsigned get_access(void *context, uint64_t address)
{
	(void)context;
	switch (page_get_access(address)) {
	case PAGE_READ:
		return UNI_GDB_READ;
	case PAGE_READ_WRITE:
		return UNI_GDB_READ | UNI_GDB_WRITE;
	case PAGE_READ_EXECUTE:
		return UNI_GDB_READ | UNI_GDB_EXECUTE;
	case PAGE_READ_WRITE_EXECUTE:
		return UNI_GDB_READ | UNI_GDB_WRITE | UNI_GDB_EXECUTE;
	default:
		return 0;
	}
}

static void describe_cpus(void *context, struct uni_gdb_text *text)
{
	(void)context;
	for (unsigned i = 0; i < CPU_MAX; i++) {
		if (!cpus[i].online)
			continue;
		uni_gdb_put(text, "CPU ");
		uni_gdb_put_decimal(text, i);
		uni_gdb_put(text, ": ");
		if (!debug_cpus[i].frame) {
			uni_gdb_put(text, "does not stop\n");
			continue;
		}
		put_name(text, debug_cpus[i].thread->name);
		uni_gdb_put(text, " at 0x");
		uni_gdb_put_hex(text, debug_arch_frame_pc(debug_cpus[i].frame));
		uni_gdb_put_char(text, '\n');
	}
}

const struct uni_gdb_ops debug_ops = {
	.read = debug_link_read,
	.write = debug_link_write,
	.memory_read = read_memory,
	.memory_write = write_memory,
	.thread_next = next_thread,
	.thread_find = find_thread,
	.registers_get = get_registers,
	.registers_set = set_registers,
	.thread_hold = hold_thread,
	.registers_add_fpu = add_fpu,
	.breakpoint_refused = refuse_breakpoint,
	.watch_refused = refuse_watch,
	.displaced_room = displaced_room,
	.call_entry = trap_call,
	.clock_us = get_clock_us,
	.tls_address = get_tls_address,
	.memory_next = next_memory,
	.memory_access = get_access,
	.program = app_name,
	.describe_cpus = describe_cpus,
};
