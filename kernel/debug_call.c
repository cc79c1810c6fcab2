/* SPDX-License-Identifier: MIT */

/* Functions that gdb calls in a thread that waits.
 *
 * Such a thread is home at the end of thread_switch(), which kept a few of its registers. When gdb
 * writes others it gets a full set, here, and is frozen: to the scheduler it waits, or is ready,
 * as before, and is woken as before. Where gdb lets it go, a CPU runs it in place of its own
 * thread, whose registers are kept here meanwhile. That ends with the next stop: the CPU goes back
 * to its thread, or takes the other one again. When gdb has written back what the registers were,
 * the thread is home, and all is as if nothing had been.
 *
 * A call runs with interrupts and preemption off, as the scheduler knows nothing of it. So what it
 * calls must not wait: that is found out (KASSERT) before anything happens to what the thread waits
 * for. */

#include "kernel/debug_internal.h"
#include "tracing/errno.h"

struct call {
	struct thread *thread; /* NULL: free */
	struct trap_frame frame;
	uint32_t preempt_count;
};

/* A CPU's own part, while it makes a call. */
struct lent {
	struct call *call; /* NULL: it makes none */
	struct thread *thread;
	struct trap_frame frame;
	void *fpu;
	uint32_t preempt_count;
	bool settable;
};

static struct call calls[UNI_GDB_CALLS];
static struct lent lent[CPU_MAX];

static struct call *call_of(const struct thread *thread)
{
	for (unsigned i = 0; i < UNI_GDB_CALLS; i++)
		if (calls[i].thread == thread)
			return &calls[i];
	return NULL;
}

bool debug_call_is_on(unsigned cpu)
{
	return lent[cpu].call;
}

int debug_call_lender(const struct thread *thread)
{
	for (unsigned i = 0; i < CPU_MAX; i++)
		if (lent[i].call && lent[i].thread == thread)
			return (int)i;
	return UNI_GDB_NO_CPU;
}

struct trap_frame *debug_call_frame(struct thread *thread, void **fpu)
{
	struct call *call = thread->called ? call_of(thread) : NULL;
	int lender = debug_call_lender(thread);

	if (lender >= 0) {
		*fpu = lent[lender].fpu;
		return &lent[lender].frame;
	}
	if (!call || debug_cpu_of(thread) >= 0)
		return NULL;
	*fpu = thread->fpu;
	return &call->frame;
}

int debug_call_set(struct thread *thread, struct trap_frame *frame, void *fpu,
		   const struct uni_gdb_registers *registers)
{
	if (thread->called && !debug_arch_may_set_call(frame, registers, thread->saved_rsp))
		return -UNI_ENOTSUP;
	debug_arch_set(registers, frame, fpu);
	return 0;
}

int debug_call_prepare(struct thread *thread, const struct uni_gdb_registers *registers)
{
	struct call *call = call_of(NULL);
	int err;

	if (!call)
		return -UNI_ENOMEM;
	if (debug_aside_is_switching(thread))
		return -UNI_EBUSY;
	/* The scheduler may need it at any moment. */
	if (cpus[thread->cpu].idle == thread)
		return -UNI_ENOTSUP;
	thread->called = true;
	debug_arch_begin_call(&call->frame, thread->saved_rsp);
	err = debug_call_set(thread, &call->frame, thread->fpu, registers);
	thread->called = err == 0;
	if (err < 0)
		return err;
	call->preempt_count = 1;
	call->thread = thread;
	thread->frozen = true;
	return 0;
}

/* The CPU's own thread is in code of its own, which the CPU goes back to by the frame. */
static bool may_lend(unsigned cpu, bool freely)
{
	const struct debug_cpu *lender = &debug_cpus[cpu];

	return lender->frame && !cpus[cpu].stopped && !lent[cpu].call &&
	       debug_arch_is_left_by(cpu, lender->frame) && lender->thread == cpus[cpu].thread &&
	       lender->thread->state == THREAD_RUNNING &&
	       debug_is_on_stack(lender->thread, lender->frame) &&
	       (!freely || (debug_arch_interrupts(lender->frame) && cpus[cpu].preempt_count == 0 &&
			    cpus[cpu].irq_depth == 0));
}

/* An idle one; or one where nothing waits for its thread to go on; or any. CPU_MAX: there is none.
 */
static unsigned find_lender(void)
{
	for (unsigned i = 0; i < CPU_MAX; i++)
		if (may_lend(i, true) && debug_cpus[i].thread == cpus[i].idle)
			return i;
	for (unsigned i = 0; i < CPU_MAX; i++)
		if (may_lend(i, true))
			return i;
	for (unsigned i = 0; i < CPU_MAX; i++)
		if (may_lend(i, false))
			return i;
	return CPU_MAX;
}

static void put_on(unsigned index, struct thread *thread, const struct trap_frame *frame, void *fpu,
		   uint32_t preempt_count)
{
	struct debug_cpu *cpu = &debug_cpus[index];

	if (cpu->has_event && cpu->event.kind == UNI_GDB_EVENT_WATCH)
		debug_arch_pass(cpu->frame);
	*cpu->frame = *frame;
	cpu->thread = thread;
	cpu->has_event = false;
	cpus[index].thread = thread;
	cpus[index].fpu = fpu;
	cpus[index].preempt_count = preempt_count;
}

static void lend(unsigned index, struct call *call)
{
	struct debug_cpu *cpu = &debug_cpus[index];

	lent[index] = (struct lent){
		.call = call,
		.thread = cpu->thread,
		.frame = *cpu->frame,
		.fpu = cpus[index].fpu,
		.preempt_count = cpus[index].preempt_count,
		.settable = cpu->settable,
	};
	put_on(index, call->thread, &call->frame, call->thread->fpu, call->preempt_count);
	cpu->settable = false;
}

static void take_back(unsigned index)
{
	struct lent *own = &lent[index];

	own->call->frame = *debug_cpus[index].frame;
	own->call->preempt_count = cpus[index].preempt_count;
	put_on(index, own->thread, &own->frame, own->fpu, own->preempt_count);
	debug_cpus[index].settable = own->settable;
	own->call = NULL;
}

static void end(struct call *call)
{
	struct thread *thread = call->thread;

	debug_arch_end_call(&call->frame, thread->saved_rsp);
	call->thread = NULL;
	thread->called = false;
	debug_aside_hold(thread,
			 debug_stub.non_stop &&
				 uni_gdb_resume_of(&debug_stub, thread->id).kind == UNI_GDB_HOLD);
}

void debug_call_place(void)
{
	for (unsigned i = 0; i < CPU_MAX; i++)
		if (lent[i].call)
			take_back(i);
	for (unsigned i = 0; i < UNI_GDB_CALLS; i++) {
		struct thread *thread = calls[i].thread;
		unsigned cpu;

		if (!thread)
			continue;
		if (debug_arch_is_home(&calls[i].frame, thread->saved_rsp)) {
			end(&calls[i]);
			continue;
		}
		cpu = find_lender();
		if (uni_gdb_resume_of(&debug_stub, thread->id).kind != UNI_GDB_HOLD &&
		    cpu < CPU_MAX)
			lend(cpu, &calls[i]);
	}
}
