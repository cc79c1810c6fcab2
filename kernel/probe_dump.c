/* SPDX-License-Identifier: MIT */

/* The dump of a panic: interrupts off, every other CPU held in its NMI handler, no locks. */

#include "guest-probe/dump.h"

#include "kernel/arch/x86_64/stopped_thread.h"
#include "kernel/clock.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/image.h"
#include "kernel/page.h"
#include "kernel/probe.h"
#include "kernel/probe_internal.h"
#include "kernel/thread.h"
#include "tracing/errno.h"

/* What a host may take for one frame, and for all of them: then it is taken for dead. */
#define FRAME_TIMEOUT_US 2000000
#define DUMP_TIMEOUT_NS (60 * NS_PER_S)

/* The id of a context that is no thread: boot, before there are any. */
#define NO_THREAD_ID 0x7fffffff

static struct {
	const struct panic_info *info;
	struct thread *last; /* handed out before */
	uint64_t deadline_ns;
	struct uni_dump_panic panic;
	struct uni_core_range ranges[UNI_CORE_RANGE_MAX];
	struct uni_dump dump;
} state;

static int write_frame(void *context, const struct uni_iov *iov, unsigned count)
{
	struct port_iov parts[UNI_DUMP_IOV_MAX];

	if (clock_ns() >= state.deadline_ns)
		return -UNI_ETIMEDOUT;
	for (unsigned i = 0; i < count; i++)
		parts[i] = (struct port_iov){iov[i].base, iov[i].len};
	return port_poll_write(probe_port, parts, count, FRAME_TIMEOUT_US);
}

/* Pages that are not mapped hold nothing: guard pages. */
static uint64_t view(void *context, uint64_t address, size_t len, const void **bytes)
{
	const bool is_there = page_get_access(address) != PAGE_NONE;
	size_t alike = PAGE_SIZE;

	while (alike < len && (page_get_access(address + alike) != PAGE_NONE) == is_there)
		alike += PAGE_SIZE;
	*bytes = is_there ? (const void *)(uintptr_t)address : NULL;
	return alike;
}

/* The CPU that the thread was stopped on; NULL for one that was off its CPU. */
static const struct cpu *cpu_of(const struct thread *thread)
{
	const struct cpu *cpu = thread->cpu < cpu_count() ? &cpus[thread->cpu] : NULL;

	return cpu != NULL && cpu->thread == thread ? cpu : NULL;
}

static void fill_crashed(struct uni_core_thread *out)
{
	const struct panic_info *info = state.info;

	out->status.pid = info->thread != NULL ? (int32_t)info->thread->id : NO_THREAD_ID;
	stopped_from_fpu(out, cpus[info->cpu].fpu);
	stopped_from_trap(&out->status, info->frame, info->cpu);
}

static void fill_thread(struct uni_core_thread *out, const struct thread *thread)
{
	const struct cpu *cpu = cpu_of(thread);

	out->status.pid = (int32_t)thread->id;
	if (cpu != NULL && cpu->stopped && cpu->frame != NULL) {
		stopped_from_fpu(out, cpu->fpu);
		stopped_from_trap(&out->status, cpu->frame, cpu->id);
	} else if (cpu == NULL) {
		stopped_from_fpu(out, thread->fpu);
		stopped_from_switch(&out->status, thread->saved_rsp);
	}
}

static struct thread *next_other(struct thread *thread)
{
	do
		thread = thread_next_stopped(thread);
	while (thread != NULL && thread == state.info->thread);
	return thread;
}

static void get_thread(void *context, uint32_t index, struct uni_core_thread *out)
{
	if (index == 0) {
		fill_crashed(out);
		state.last = NULL;
		return;
	}
	state.last = next_other(state.last);
	if (state.last != NULL)
		fill_thread(out, state.last);
}

static const struct uni_dump_ops ops = {
	.write = write_frame,
	.view = view,
	.thread = get_thread,
};

static uint32_t count_threads(void)
{
	uint32_t count = 1;

	for (struct thread *thread = next_other(NULL); thread != NULL; thread = next_other(thread))
		count++;
	return count;
}

/* RAM that is mapped: a debugger must not read through a null pointer. */
static uint32_t fill_ranges(void)
{
	uint32_t count = 0;

	for (unsigned i = 0; i < page_ram_count() && count < UNI_CORE_RANGE_MAX; i++) {
		struct page_range ram = page_ram(i);

		if (ram.start < PAGE_LOW_END)
			ram.start = PAGE_LOW_END;
		if (ram.end > ram.start)
			state.ranges[count++] =
				(struct uni_core_range){ram.start, ram.end - ram.start};
	}
	return count;
}

enum uni_panic_kind probe_panic_kind(enum panic_kind kind)
{
	switch (kind) {
	case PANIC_EXPLICIT:
	case PANIC_ASSERT:
		return UNI_PANIC_ASSERT;
	case PANIC_FAULT:
		return UNI_PANIC_FAULT;
	case PANIC_STACK_OVERFLOW:
		return UNI_PANIC_STACK_OVERFLOW;
	case PANIC_DOUBLE_FAULT:
		return UNI_PANIC_DOUBLE_FAULT;
	case PANIC_MACHINE_CHECK:
		return UNI_PANIC_MACHINE_CHECK;
	case PANIC_OUT_OF_MEMORY:
		return UNI_PANIC_OOM;
	case PANIC_DEADLOCK:
		return UNI_PANIC_DEADLOCK;
	case PANIC_HANG:
		return UNI_PANIC_HANG;
	case PANIC_REQUESTED:
		return UNI_PANIC_REQUEST;
	}
	return UNI_PANIC_ASSERT;
}

static bool comes_from_trap(enum panic_kind kind)
{
	return kind == PANIC_FAULT || kind == PANIC_STACK_OVERFLOW || kind == PANIC_DOUBLE_FAULT ||
	       kind == PANIC_MACHINE_CHECK;
}

static void fill_record(struct uni_panic_record *record, const struct panic_info *info)
{
	struct uni_core_prstatus status = {0};

	stopped_from_trap(&status, info->frame, info->cpu);
	*record = (struct uni_panic_record){
		.kind = probe_panic_kind(info->kind),
		.cpu = info->cpu,
		.thread = info->thread != NULL ? info->thread->id : NO_THREAD_ID,
		.vector = comes_from_trap(info->kind) ? info->vector : UNI_PANIC_NO_VECTOR,
		.error_code = info->error,
		.address = info->fault_address,
		.pc = uni_core_pc(&status),
		.sp = uni_core_sp(&status),
		.tsc = clock_tsc(),
		.time_ns = info->time_ns,
	};
	record->frame_count = stopped_backtrace(info->frame, record->frames,
						sizeof(record->frames) / sizeof(record->frames[0]));
}

void probe_panic(const struct panic_info *info)
{
	int status;

	if (probe_port == NULL) {
		console_printf_polled("no dump: there is no port %s\n", PORT_NAME_PROBE);
		return;
	}
	stopped_keep_fpu();
	state.info = info;
	state.deadline_ns = clock_deadline(DUMP_TIMEOUT_NS);
	fill_record(&state.panic.record, info);
	state.panic.reason = info->reason;
	state.panic.thread_count = count_threads();
	state.panic.ranges = state.ranges;
	state.panic.range_count = fill_ranges();
	state.panic.image_address = (uintptr_t)kernel_image_start;
	status = uni_dump_send(&state.dump, &probe, &ops, NULL, &state.panic);
	if (status != 0)
		console_printf_polled("no dump: %s took %llu bytes of it (error %d)\n",
				      PORT_NAME_PROBE, (unsigned long long)state.dump.sent, status);
	else
		console_printf_polled("dump sent: %llu bytes\n",
				      (unsigned long long)state.dump.sent);
}
