/* SPDX-License-Identifier: MIT */

/* A test program as an application of the kernel. */

#include "tests/guest/gdb_testsuite/guest.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "kernel/app.h"
#include "kernel/arch/x86_64/io.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/arch/x86_64/uart.h"
#include "kernel/clock.h"
#include "kernel/cmdline.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/debug.h"
#include "kernel/debug_internal.h"
#include "kernel/heap.h"
#include "kernel/page.h"
#include "kernel/panic.h"
#include "kernel/port.h"
#include "kernel/shutdown.h"
#include "kernel/thread.h"
#include "tests/guest/gdb_testsuite/exec.h"

#define CONSOLE_UART 0
#define MAIN_STACK_SIZE (1u << 20)
#define END_OF_FILE 4

const char app_name[] = "gdb-testsuite";

/* Of nested functions. */
const bool app_code_on_stacks = true;

static struct {
	char typed[1024];
	unsigned read;	/* by the program */
	unsigned ready; /* whole lines; up to the last byte that was typed is more */
	bool is_over;
} terminal;

void guest_write(const void *bytes, size_t len)
{
	const uint8_t *next = bytes;

	while (len-- > 0)
		uart_put(CONSOLE_UART, *next++);
}

/* As a program finds a terminal: what is typed comes back, is read by lines, and ^D ends it. */
static int run_terminal(void *argument)
{
	unsigned end = 0;
	char byte;

	(void)argument;
	while (console_read(&byte, 1) > 0) {
		if (byte == END_OF_FILE) {
			__atomic_store_n(&terminal.is_over, end == terminal.ready,
					 __ATOMIC_RELEASE);
		} else {
			guest_write(&byte, 1);
			terminal.typed[end++ % sizeof(terminal.typed)] = byte;
		}
		if (byte == '\n' || byte == END_OF_FILE)
			__atomic_store_n(&terminal.ready, end, __ATOMIC_RELEASE);
	}
	return 0;
}

/* Spins: a debugger that interrupts finds the program, not an idle thread. */
size_t guest_read(void *bytes, size_t size)
{
	char *next = bytes;
	size_t len = 0;

	while (__atomic_load_n(&terminal.ready, __ATOMIC_ACQUIRE) == terminal.read) {
		if (__atomic_exchange_n(&terminal.is_over, false, __ATOMIC_ACQUIRE))
			return 0;
		thread_yield();
	}
	while (len < size && terminal.read != terminal.ready) {
		next[len] = terminal.typed[terminal.read++ % sizeof(terminal.typed)];
		if (next[len++] == '\n')
			break;
	}
	return len;
}

void *guest_alloc(size_t size)
{
	return heap_try_alloc(size);
}

void guest_free(void *block)
{
	heap_free(block);
}

static size_t whole_pages(size_t size)
{
	return (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

void *guest_alloc_pages(size_t size)
{
	void *pages = page_alloc_span(whole_pages(size) / PAGE_SIZE);

	if (pages) {
		page_protect((uintptr_t)pages, whole_pages(size), PAGE_READ_WRITE_EXECUTE);
		memset(pages, 0, whole_pages(size));
	}
	return pages;
}

void guest_free_pages(void *pages, size_t size)
{
	page_protect((uintptr_t)pages, whole_pages(size), PAGE_READ_WRITE);
	page_free_span(pages, whole_pages(size) / PAGE_SIZE);
}

uint64_t guest_time_ns(void)
{
	return clock_ns();
}

/* Spins, as above. */
void guest_sleep_ns(uint64_t duration_ns)
{
	uint64_t end_ns = clock_deadline(duration_ns);

	while (clock_ns() < end_ns)
		thread_yield();
}

void guest_exit(int status)
{
	debug_exited(status);
	shutdown();
}

void guest_abort(void)
{
	panic("abort() was called");
}

/* The linker puts these five in the place of the kernel's. The debugger comes in first in the
 * program's own thread; the kernel's threads are shown when gdb hears of a stop in one, and not
 * else. So a program of one thread is that to gdb too, as the tests expect. */
void *__real_page_stack_alloc(size_t size);
void *__wrap_page_stack_alloc(size_t size);
void __real_page_stack_free(void *low, size_t size);
void __wrap_page_stack_free(void *low, size_t size);
void __real_debug_init(void);
void __wrap_debug_init(void);
struct thread *__real_thread_next_stopped(const struct thread *thread);
struct thread *__wrap_thread_next_stopped(const struct thread *thread);

bool __real_debug_trap(struct trap_frame *frame, unsigned vector, uint64_t address);
bool __wrap_debug_trap(struct trap_frame *frame, unsigned vector, uint64_t address);

static uint32_t first_id;
static char path[CMDLINE_WORD_MAX] = "program";
static char main_stack[MAIN_STACK_SIZE] __attribute__((aligned(PAGE_SIZE)));

/* The program's stack lies in a section: `record save` keeps those, and of a stack outside only
 * what is in use when the record begins. */
void *__wrap_page_stack_alloc(size_t size)
{
	if (size != sizeof(main_stack))
		return __real_page_stack_alloc(size);
	page_protect((uintptr_t)main_stack, sizeof(main_stack), page_stack_access());
	return main_stack;
}

void __wrap_page_stack_free(void *low, size_t size)
{
	if (low != main_stack)
		__real_page_stack_free(low, size);
}

void __wrap_debug_init(void)
{
}

/* gdb hears of a stop in this thread. In non-stop mode a look at the link is none. */
static bool is_news(const struct thread *thread)
{
	int cpu = debug_cpu_of(thread);

	return cpu != UNI_GDB_NO_CPU && debug_cpus[cpu].has_event &&
	       (!debug_stub.non_stop || debug_cpus[cpu].event.kind != UNI_GDB_EVENT_ATTENTION);
}

struct thread *__wrap_thread_next_stopped(const struct thread *thread)
{
	struct thread *next = (struct thread *)thread;

	do
		next = __real_thread_next_stopped(next);
	while (next && next->id < first_id && !is_news(next));
	return next;
}

static uint32_t last_id(void)
{
	const struct thread *thread = NULL;
	uint32_t last = 0;

	while ((thread = __real_thread_next_stopped(thread)))
		last = thread->id > last ? thread->id : last;
	return last;
}

/* System calls are undefined instructions here. There is one: execve(). */
bool __wrap_debug_trap(struct trap_frame *frame, unsigned vector, uint64_t address)
{
	static const uint8_t syscall[] = {0x0f, 0x05};

	if (vector != TRAP_UD || memcmp((const void *)frame->rip, syscall, sizeof(syscall)) != 0)
		return __real_debug_trap(frame, vector, address);
	if (frame->rax == SYS_execve && exec_image((const char *)frame->rdi, last_id()))
		__builtin_unreachable();
	frame->rip += sizeof(syscall);
	frame->rax = (uint64_t)-ENOSYS;
	return true;
}

/* The gdb of the image that was here before waits for a stop. */
static void go_on_with_session(void)
{
	uint64_t session = cmdline_get_u64("session", 0);

	if (!session)
		return;
	while (!port_is_open(port_find(PORT_NAME_GDB)))
		thread_yield();
	uni_gdb_succeed(&debug_stub, session, path);
	debug_break();
}

static int program(void *argument)
{
	(void)argument;
	first_id = thread_current()->id;
	cmdline_get("program", path, sizeof(path));
	__real_debug_init();
	go_on_with_session();
	libc_start(path);
}

/* Where the file says that it begins, for tests that run it on the host: it ends at once. A machine
 * begins where the PVH note says. */
void guest_on_host(void)
{
	__builtin_trap();
}

static int do_nothing(void *argument)
{
	(void)argument;
	return 0;
}

/* To gdb a thread with the id of one that the image before had would be that one. */
static void use_up_ids(uint64_t last)
{
	struct thread *thread;
	uint32_t id;

	do {
		thread = thread_spawn("past", do_nothing, NULL);
		id = thread->id;
		thread_join(thread);
	} while (id < last);
}

int app_main(void)
{
	const struct thread_options options = {.name = "program", .stack_size = MAIN_STACK_SIZE};

	if (cmdline_has("last-thread"))
		use_up_ids(cmdline_get_u64("last-thread", 0));
	thread_spawn("terminal", run_terminal, NULL);
	thread_create(&options, program, NULL);
	thread_exit(0);
}
