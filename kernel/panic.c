/* SPDX-License-Identifier: MIT */

#include "kernel/panic.h"

#include "kernel/arch/x86_64/fault.h"
#include "kernel/arch/x86_64/stopped_thread.h"
#include "kernel/clock.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/debug.h"
#include "kernel/format.h"
#include "kernel/image.h"
#include "kernel/irq.h"
#include "kernel/page.h"
#include "kernel/panic_print.h"
#include "kernel/probe.h"
#include "kernel/shutdown.h"
#include "kernel/text.h"
#include "kernel/thread.h"

/* On a busy host a CPU may not run for a while. */
#define STOP_TIMEOUT_NS NS_PER_S

/* The CPU that panics, its id + 1; 0: none. */
static uint32_t winner;
static struct panic_info info;

const struct panic_info *panic_current(void)
{
	return __atomic_load_n(&winner, __ATOMIC_ACQUIRE) != 0 ? &info : NULL;
}

/* Returns on the first CPU only. Others wait here for its NMI; a panic of the winner's own ends
 * all. */
static void win(void)
{
	uint32_t self = cpu_id() + 1;
	uint32_t expected = 0;

	irq_disable();
	if (__atomic_compare_exchange_n(&winner, &expected, self, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return;
	if (expected != self)
		cpu_halt();
	console_printf_polled("panic: once more, while panicking\n");
	panic_end();
}

static bool still_runs(unsigned cpu)
{
	return cpu != info.cpu && cpus[cpu].online && !cpus[cpu].stopped;
}

static bool others_stopped(void)
{
	for (unsigned i = 0; i < CPU_MAX; i++)
		if (still_runs(i))
			return false;
	return true;
}

static void stop_others(void)
{
	uint64_t end_ns = clock_deadline(STOP_TIMEOUT_NS);

	irq_send_nmi_others();
	while (!others_stopped() && clock_ns() < end_ns)
		cpu_relax();
}

/* Their threads are in the dump without registers. */
static void print_cpus_not_stopped(void)
{
	for (unsigned i = 0; i < CPU_MAX; i++)
		if (still_runs(i))
			console_printf_polled("cpu %u did not stop\n", i);
}

bool panic_nmi(struct trap_frame *frame)
{
	uint32_t panicking = __atomic_load_n(&winner, __ATOMIC_ACQUIRE);
	struct cpu *cpu = cpu_current();

	if (panicking == 0)
		return false;
	/* The winner goes on with what the NMI interrupted. */
	if (panicking == cpu->id + 1)
		return true;
	cpu->frame = frame;
	stopped_keep_fpu();
	__atomic_store_n(&cpu->stopped, true, __ATOMIC_RELEASE);
	cpu_halt();
}

static _Noreturn void die(struct trap_frame *frame)
{
	info.frame = frame;
	info.cpu = cpu_id();
	info.thread = thread_current();
	info.time_ns = clock_ns();
	stop_others();
	debug_dies();
	panic_print(&info);
	print_cpus_not_stopped();
	probe_panic(&info);
	panic_end();
}

static void set_reason(enum panic_kind kind, const char *format, va_list arguments)
{
	info.kind = kind;
	format_text_v(info.reason, sizeof(info.reason), format, arguments);
}

/* gdb, where one is attached, has its look before the panic is one: it stops the other CPUs its own
 * way. */
static void offer_to_debugger(struct trap_frame *frame)
{
	if (panic_current() == NULL)
		debug_panic(frame);
}

/* The frame is that of the function that this stands in; it never returns, so the frame stays. */
#define PANIC_HERE(kind, format)                      \
	do {                                          \
		struct trap_frame frame_;             \
		va_list arguments_;                   \
		trap_capture(&frame_);                \
		offer_to_debugger(&frame_);           \
		win();                                \
		va_start(arguments_, format);         \
		set_reason(kind, format, arguments_); \
		va_end(arguments_);                   \
		die(&frame_);                         \
	} while (0)

void panic(const char *format, ...)
{
	PANIC_HERE(PANIC_EXPLICIT, format);
}

void panic_kind(enum panic_kind kind, const char *format, ...)
{
	PANIC_HERE(kind, format);
}

void panic_at(struct trap_frame *frame, enum panic_kind kind, const char *format, ...)
{
	va_list arguments;

	offer_to_debugger(frame);
	win();
	va_start(arguments, format);
	set_reason(kind, format, arguments);
	va_end(arguments);
	info.vector = (uint32_t)frame->vector;
	die(frame);
}

void panic_assert(const char *condition, const char *file, int line)
{
	panic_kind(PANIC_ASSERT, "assertion failed: %s, at %s:%d", condition, file, line);
}

/* --- traps --- */

/* SDM vol. 3, 4.7 */
#define PF_WRITE (1u << 1)
#define PF_EXECUTE (1u << 4)

static const char *page_fault_verb(uint64_t error)
{
	if (error & PF_EXECUTE)
		return "executing";
	return error & PF_WRITE ? "writing" : "reading";
}

static const char *page_fault_what(uint64_t address)
{
	if (address < PAGE_SIZE)
		return ", the null page";
	if (page_is_guard(address))
		return ", the guard page of a stack";
	if (text_contains(address, 1))
		return ", read-only text";
	return page_get_access(address) == PAGE_NONE ? ", which is not mapped" : "";
}

/* A push onto a guard page cannot push the fault either: that is what makes it a double fault. */
static bool is_stack_overflow(const struct trap_frame *frame, uint64_t address)
{
	return page_is_guard(address) &&
	       (frame->vector == TRAP_DF || frame->rsp - PAGE_SIZE < address + PAGE_SIZE);
}

static void describe_trap(const struct trap_frame *frame, uint64_t address)
{
	const struct thread *thread = thread_current();
	unsigned vector = (unsigned)frame->vector;

	info.kind = vector == TRAP_MC ? PANIC_MACHINE_CHECK : PANIC_FAULT;
	if (is_stack_overflow(frame, address)) {
		info.kind = PANIC_STACK_OVERFLOW;
		format_text(info.reason, sizeof(info.reason),
			    "stack overflow: thread \"%s\" ran into the guard page at %#llx",
			    thread != NULL ? thread->name : "?", (unsigned long long)address);
	} else if (vector == TRAP_PF) {
		format_text(info.reason, sizeof(info.reason), "page fault: %s %#llx%s",
			    page_fault_verb(frame->error), (unsigned long long)address,
			    page_fault_what(address));
	} else {
		if (vector == TRAP_DF)
			info.kind = PANIC_DOUBLE_FAULT;
		format_text(info.reason, sizeof(info.reason), "%s, error %#llx", trap_name(vector),
			    (unsigned long long)frame->error);
	}
}

void panic_trap(struct trap_frame *frame, uint64_t fault_address)
{
	win();
	describe_trap(frame, fault_address);
	info.vector = (uint32_t)frame->vector;
	info.error = frame->error;
	info.fault_address = fault_address;
	die(frame);
}

const char *panic_kind_name(enum panic_kind kind)
{
	static const char *const names[] = {
		[PANIC_EXPLICIT] = "panic",
		[PANIC_ASSERT] = "assert",
		[PANIC_FAULT] = "fault",
		[PANIC_STACK_OVERFLOW] = "stack overflow",
		[PANIC_DOUBLE_FAULT] = "double fault",
		[PANIC_MACHINE_CHECK] = "machine check",
		[PANIC_OUT_OF_MEMORY] = "out of memory",
		[PANIC_DEADLOCK] = "deadlock",
		[PANIC_HANG] = "hang",
		[PANIC_REQUESTED] = "requested",
	};

	return kind <= PANIC_REQUESTED ? names[kind] : "?";
}
