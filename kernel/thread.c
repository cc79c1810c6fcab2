/* SPDX-License-Identifier: MIT */

#include "kernel/thread.h"

#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/tls.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/clock.h"
#include "kernel/debug.h"
#include "kernel/format.h"
#include "kernel/heap.h"
#include "kernel/page.h"
#include "kernel/panic.h"
#include "kernel/sched.h"
#include "kernel/tracepoints.h"

#include <string.h>

/* Detached threads that exited, for the reaper to free: linked through queue_link. */
static struct list dead = LIST_INIT(dead);
static struct wait_queue dead_queue = WAIT_QUEUE_INIT(dead_queue, "reaper");

/* --- making one --- */

static void set_name(struct thread *thread, const char *name)
{
	size_t len = strnlen(name, THREAD_NAME_SIZE - 1);

	memcpy(thread->name, name, len);
	thread->name[len] = '\0';
}

static void init(struct thread *thread, void *fpu_room, const char *name, int priority)
{
	memset(thread, 0, sizeof(*thread));
	thread->fpu = fpu_area_init(fpu_room);
	set_name(thread, name);
	thread->priority = (uint8_t)priority;
	thread->pinned_cpu = THREAD_ANY_CPU;
	thread->created_ns = clock_ns();
	wait_queue_init(&thread->exit_queue, "thread exit");
	timer_setup(&thread->timeout, wait_timeout);
}

/* An empty stack whose first switch goes to thread_start(). Zeroes show later how much was used,
 * and cost a dump nothing. */
static void init_stack(struct thread *thread, void *low, size_t size)
{
	uintptr_t top = (uintptr_t)low + size;
	struct switch_frame *frame;

	memset(low, 0, size);
	thread->stack_low = (uintptr_t)low;
	thread->stack_high = top;
	if (tls_size() != 0) {
		thread->tls = tls_init(top);
		top = thread->tls - tls_size();
	}
	frame = (struct switch_frame *)top - 1;
	frame->rip = (uintptr_t)thread_start;
	thread->saved_rsp = (uintptr_t)frame;
}

static struct thread *create(const struct thread_options *options, int (*entry)(void *argument),
			     void *argument)
{
	size_t stack_size = options->stack_size != 0 ? options->stack_size : THREAD_STACK_DEFAULT;
	struct thread *thread;
	void *stack;

	if (tls_size() > stack_size / 2)
		return NULL;
	thread = heap_try_alloc(sizeof(*thread) + fpu_room_size());
	if (thread == NULL)
		return NULL;
	stack_size = (stack_size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	stack = page_stack_alloc(stack_size);
	if (stack == NULL) {
		heap_free(thread);
		return NULL;
	}
	init(thread, thread + 1, options->name,
	     options->priority != 0 ? options->priority : THREAD_PRIORITY_DEFAULT);
	init_stack(thread, stack, stack_size);
	thread->entry = entry;
	thread->argument = argument;
	thread->detached = options->detached;
	thread->service = options->service;
	if (options->pinned)
		thread->pinned_cpu = (int16_t)options->cpu;
	thread->cpu = (uint16_t)cpu_id();
	if (!thread_list_add(thread)) {
		page_stack_free(stack, stack_size);
		heap_free(thread);
		return NULL;
	}
	return thread;
}

struct thread *thread_create(const struct thread_options *options, int (*entry)(void *argument),
			     void *argument)
{
	struct thread *thread;

	KASSERT(options->priority >= 0 && options->priority <= THREAD_PRIORITY_MAX);
	KASSERT(!options->pinned || options->cpu < cpu_count());
	thread = create(options, entry, argument);
	if (thread != NULL)
		sched_start(thread);
	return thread;
}

struct thread *thread_spawn(const char *name, int (*entry)(void *argument), void *argument)
{
	struct thread_options options = {.name = name};
	struct thread *thread = thread_create(&options, entry, argument);

	if (thread == NULL)
		panic_kind(PANIC_OUT_OF_MEMORY, "out of memory: no room for thread \"%s\"", name);
	return thread;
}

void thread_main(void)
{
	struct thread *self = thread_current();

	sched_finish_switch();
	irq_enable();
	uni_trace_sched_thread_start(self->id, self->name);
	debug_thread_begins();
	thread_exit(self->entry(self->argument));
}

/* --- its end --- */

static void destroy(struct thread *thread)
{
	sched_wait_off_cpu(thread);
	thread_list_remove(thread);
	page_stack_free((void *)thread->stack_low, thread->stack_high - thread->stack_low);
	heap_free(thread);
}

static int reaper(void *argument)
{
	for (;;) {
		uint64_t flags = spin_lock(&dead_queue.lock);
		struct list *node;

		while ((node = list_pop(&dead)) == NULL)
			wait_block(&dead_queue, &flags, WAIT_IO, &dead, "exited threads",
				   CLOCK_NEVER);
		spin_unlock(&dead_queue.lock, flags);
		destroy(list_entry(node, struct thread, queue_link));
	}
	return 0;
}

/* Interrupts off: nothing comes between this and the exiting thread's last switch. */
static void leave_to_reaper(struct thread *thread)
{
	spin_lock_irqs_off(&dead_queue.lock);
	list_append(&dead, &thread->queue_link);
	wait_wake_one(&dead_queue);
	spin_unlock_irqs_off(&dead_queue.lock);
}

void thread_exit(int code)
{
	struct thread *self = thread_current();
	bool detached;

	KASSERT(self->mutexes_held == 0 && self->entry != NULL);
	uni_trace_sched_thread_exit(self->id, code);
	debug_thread_ends(code);
	irq_disable();
	spin_lock_irqs_off(&self->exit_queue.lock);
	self->exit_code = code;
	self->state = THREAD_EXITED;
	detached = self->detached;
	wait_wake_all(&self->exit_queue);
	spin_unlock_irqs_off(&self->exit_queue.lock);
	if (detached)
		leave_to_reaper(self);
	debug_thread_gone();
	sched_block();
	__builtin_unreachable();
}

int thread_join(struct thread *thread)
{
	uint64_t flags = spin_lock(&thread->exit_queue.lock);
	int code;

	KASSERT(!thread->detached && thread != thread_current());
	while (thread->state != THREAD_EXITED)
		wait_block(&thread->exit_queue, &flags, WAIT_JOIN, thread, thread->name,
			   CLOCK_NEVER);
	spin_unlock(&thread->exit_queue.lock, flags);
	code = thread->exit_code;
	destroy(thread);
	return code;
}

void thread_detach(struct thread *thread)
{
	uint64_t flags = spin_lock(&thread->exit_queue.lock);
	bool has_exited = thread->state == THREAD_EXITED;

	thread->detached = true;
	spin_unlock(&thread->exit_queue.lock, flags);
	if (has_exited)
		destroy(thread);
}

/* --- running --- */

/* A thread cannot put itself into another CPU's queue while it stands on its stack: it sleeps, and
 * the timer that wakes it sends it where it belongs. */
void thread_pin(int cpu)
{
	struct thread *self = thread_current();

	KASSERT(cpu == THREAD_ANY_CPU || (unsigned)cpu < cpu_count());
	__atomic_store_n(&self->pinned_cpu, (int16_t)cpu, __ATOMIC_RELAXED);
	while (cpu != THREAD_ANY_CPU && cpu_id() != (unsigned)cpu)
		thread_sleep_ns(0);
}

/* --- boot --- */

void thread_init_cpu(struct cpu *cpu, uintptr_t stack_low, uintptr_t stack_high)
{
	static struct thread idle[CPU_MAX];
	struct thread *thread = &idle[cpu->id];
	char name[THREAD_NAME_SIZE];

	format_text(name, sizeof(name), "idle/%u", cpu->id);
	init(thread, heap_alloc(fpu_room_size()), name, THREAD_PRIORITY_IDLE);
	thread->stack_low = stack_low;
	thread->stack_high = stack_high;
	thread->cpu = (uint16_t)cpu->id;
	thread->pinned_cpu = (int16_t)cpu->id;
	thread->service = true;
	thread->state = THREAD_RUNNING;
	thread->running_since_ns = clock_ns();
	thread_list_add(thread);
	sched_init_cpu(thread);
}

void thread_start_reaper(void)
{
	thread_spawn("reaper", reaper, NULL)->service = true;
}
