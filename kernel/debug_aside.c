/* SPDX-License-Identifier: MIT */

/* Threads that are stopped for gdb while the guest runs: in non-stop mode, and where all stop
 * together and gdb lets only some of them go.
 *
 * Such a thread is frozen: the scheduler does not pick it. One that is on no CPU stays where it is.
 * One that is on a CPU is set aside: its registers are kept here, and the CPU returns not into it,
 * but to where the thread, on a stack of its place here, gives the CPU away as any thread does.
 * When gdb lets it go it comes back there, and by a trap to its registers.
 *
 * Between the stop and the moment when the CPU runs another thread, and on the way back, the thread
 * is on a CPU and yet at another place than gdb sees. debug_aside_owner() tells.
 *
 * Where it cannot be set aside the CPU is kept: it may hold locks, or be in the middle of an
 * interrupt. Before it comes to that a CPU whose thread gdb wants stopped is let go for a moment,
 * so that it gets out of there. An idle thread stops in name only: else its CPU did nothing for
 * others. */

#include "kernel/debug.h"
#include "kernel/debug_internal.h"
#include "kernel/run_queue.h"

#define PLACES 32

static struct debug_aside places[PLACES];
static bool thawed;

/* Where all threads stop together. */
static bool some_frozen; /* gdb let only some of them go */
static bool cpus_go;	 /* the CPUs of the others go without them */

static struct debug_aside *place_of(const struct thread *thread)
{
	for (unsigned i = 0; i < PLACES; i++)
		if (places[i].thread == thread)
			return &places[i];
	return NULL;
}

static struct debug_aside *place_at(uintptr_t sp)
{
	if (sp < (uintptr_t)places || sp >= (uintptr_t)(places + PLACES))
		return NULL;
	return &places[(sp - (uintptr_t)places) / sizeof(places[0])];
}

struct trap_frame *debug_aside_frame(const struct thread *thread)
{
	struct debug_aside *place = place_of(thread);

	return place ? &place->frame : NULL;
}

struct thread *debug_aside_owner(uintptr_t sp)
{
	const struct debug_aside *place = place_at(sp);

	return place ? place->thread : NULL;
}

bool debug_aside_back(struct trap_frame *frame)
{
	struct debug_aside *place = place_at(debug_arch_frame_sp(frame));

	if (place->thread->frozen) {
		debug_arch_stay_aside(frame);
		return false;
	}
	debug_arch_leave_aside(place, frame);
	place->thread = NULL;
	return true;
}

static bool is_idle(const struct thread *thread)
{
	return cpus[thread->cpu].idle == thread;
}

bool debug_aside_is_called(void)
{
	const struct thread *thread = thread_current();

	return thread->frozen && !is_idle(thread);
}

/* Something happened there, so that the CPU must not go on before gdb has heard of it. */
static bool has_news(const struct debug_cpu *cpu)
{
	return cpu->has_event && cpu->event.kind != UNI_GDB_EVENT_ATTENTION &&
	       (debug_stub.non_stop || !cpu->told ||
		uni_gdb_event_pends(&debug_stub, cpu->thread->id));
}

static bool is_away(const struct debug_cpu *cpu)
{
	return debug_aside_owner(debug_arch_frame_sp(cpu->frame));
}

static bool is_held(const struct thread *thread)
{
	return uni_gdb_resume_of(&debug_stub, thread->id).kind == UNI_GDB_HOLD;
}

static bool set_aside(struct debug_cpu *cpu)
{
	struct debug_aside *place = place_of(NULL);

	if (!place || !cpu->settable || (cpu->has_event && !cpu->told && !debug_stub.non_stop))
		return false;
	if (cpu->has_event && cpu->event.kind == UNI_GDB_EVENT_WATCH)
		debug_arch_pass(cpu->frame);
	debug_arch_set_aside(place, cpu->frame);
	place->thread = cpu->thread;
	/* What happened is the thread's. */
	cpu->has_event = false;
	cpu->settable = false;
	return true;
}

/* Where all threads stop together nothing has brought the CPU to where its thread can be set aside.
 * It gets there soon if it is in a section that ends, which others may wait for. */
static bool gets_out(unsigned index)
{
	return cpus[index].preempt_count > 0 || cpus[index].irq_depth > 0 ||
	       cpus[index].spinlocks > 0;
}

bool debug_aside_keeps(unsigned index)
{
	struct debug_cpu *cpu = &debug_cpus[index];

	if (debug_is_gone(cpu->thread) || debug_call_is_on(index))
		return false;
	if (debug_stub.non_stop ? !cpu->thread->frozen : !cpus_go || !is_held(cpu->thread))
		return is_held(cpu->thread);
	if (is_away(cpu))
		return has_news(cpu);
	if (is_idle(cpu->thread))
		return has_news(cpu) || uni_gdb_call_pends(&debug_stub, cpu->thread->id);
	/* So far one that began since gdb let others go has not been. */
	cpu->thread->frozen = true;
	if (set_aside(cpu))
		return false;
	if (debug_stub.non_stop || has_news(cpu) || !gets_out(index) ||
	    uni_gdb_call_pends(&debug_stub, cpu->thread->id))
		return true;
	/* It goes, and the end of that section takes the thread off. */
	cpus[index].need_resched = 1;
	return false;
}

/* --- where all threads stop together --- */

/* One that is on its CPU and makes a step needs nothing of others, who are only to keep still. */
static bool needs_cpus(const struct thread *thread)
{
	return uni_gdb_resume_of(&debug_stub, thread->id).kind != UNI_GDB_STEP ||
	       debug_cpu_of(thread) == UNI_GDB_NO_CPU;
}

static void freeze(struct thread *thread)
{
	bool hold = is_held(thread);

	if (thread->called)
		return;
	cpus_go |= !hold && needs_cpus(thread);
	if (is_idle(thread))
		return;
	/* Most stood still where they were, and nobody is to be interrupted for them. */
	if (thread->frozen && !hold &&
	    ((thread->state == THREAD_READY && thread->put_aside) ||
	     debug_aside_is_switching(thread)))
		__atomic_store_n(&thawed, true, __ATOMIC_SEQ_CST);
	thread->frozen = hold;
	some_frozen |= hold;
}

void debug_aside_freeze(void)
{
	struct thread *thread = NULL;

	if (!debug_stub.non_stop && !some_frozen && !uni_gdb_holds_others(&debug_stub))
		return;
	cpus_go = false;
	if (debug_stub.non_stop)
		return;
	some_frozen = false;
	while ((thread = thread_next_stopped(thread)))
		freeze(thread);
	cpus_go &= some_frozen;
}

bool debug_aside_cpus_go(void)
{
	return cpus_go;
}

/* --- stopping --- */

/* Ready, and about to be put on a CPU: the one that holds the run queue knows. -1: no. */
static int switching_cpu(const struct thread *thread)
{
	const struct spinlock *lock = &run_queue_of(thread->cpu)->lock;

	return thread->state != THREAD_BLOCKED && lock->taken ? (int)lock->holder - 1 : -1;
}

bool debug_aside_is_switching(const struct thread *thread)
{
	return switching_cpu(thread) >= 0;
}

/* The CPU that must go on before the thread stands still, -1 for none. */
static int awaited_cpu(const struct thread *thread)
{
	int index = debug_cpu_of(thread);

	if (is_idle(thread) || thread->called)
		return -1;
	if (index < 0)
		index = switching_cpu(thread);
	else if (debug_cpus[index].settable || is_away(&debug_cpus[index]))
		return -1;
	return index >= 0 && !has_news(&debug_cpus[index]) ? index : -1;
}

bool debug_aside_hold(struct thread *thread, bool hold)
{
	thread->frozen = hold || thread->called;
	if (!hold)
		__atomic_store_n(&thawed, true, __ATOMIC_SEQ_CST);
	return awaited_cpu(thread) < 0;
}

bool debug_aside_has_thawed(void)
{
	return __atomic_load_n(&thawed, __ATOMIC_SEQ_CST);
}

bool debug_takes_thawed(void)
{
	return debug_aside_has_thawed() && __atomic_exchange_n(&thawed, false, __ATOMIC_SEQ_CST);
}

bool debug_aside_is_awaited(void)
{
	for (unsigned i = 0; i < debug_stub.stop_count; i++)
		if (debug_stub.stops[i].state == UNI_GDB_STOP_WANTED)
			return true;
	return false;
}

uint32_t debug_aside_awaited_cpus(void)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < debug_stub.stop_count; i++) {
		const struct uni_gdb_stop *stop = &debug_stub.stops[i];
		struct thread *thread;
		int cpu = -1;

		if (stop->state != UNI_GDB_STOP_WANTED)
			continue;
		thread = thread_by_id_stopped(stop->event.thread);
		if (thread)
			cpu = awaited_cpu(thread);
		if (cpu >= 0)
			mask |= 1u << cpu;
	}
	return mask;
}

void debug_aside_arrive(bool all)
{
	unsigned i = 0;

	while (i < debug_stub.stop_count) {
		const struct uni_gdb_stop *stop = &debug_stub.stops[i];
		struct uni_gdb_event event = {.kind = UNI_GDB_EVENT_HALTED};
		unsigned before = debug_stub.stop_count;
		struct thread *thread;

		event.thread = stop->event.thread;
		if (stop->state == UNI_GDB_STOP_WANTED) {
			thread = thread_by_id_stopped(event.thread);
			if (!thread || all || awaited_cpu(thread) < 0)
				uni_gdb_event(&debug_stub, &event);
		}
		/* One that ended is in the list no more. */
		if (debug_stub.stop_count == before)
			i++;
	}
}
