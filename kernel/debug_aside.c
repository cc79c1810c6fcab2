/* SPDX-License-Identifier: MIT */

/* Threads that are stopped for gdb while the guest runs.
 *
 * Such a thread is frozen: the scheduler does not pick it. One that is on no CPU stays where it is.
 * One that is on a CPU is set aside: its registers are kept here, and the CPU returns not into it,
 * but to where the thread, on a stack of its place here, gives the CPU away as any thread does.
 * When gdb lets it go it comes back there, and goes on with its registers from there.
 *
 * Between the stop and the moment when the CPU runs another thread, and on the way back, the thread
 * is on a CPU and yet at another place than gdb sees. debug_aside_owner() tells.
 *
 * Where it cannot be set aside the CPU is kept: it may hold locks, or be in the middle of an
 * interrupt. Before it comes to that a CPU whose thread gdb wants stopped is let go for a moment,
 * so that it gets out of there. An idle thread stops in name only: else its CPU did nothing for
 * others. */

#include "kernel/debug_internal.h"
#include "kernel/run_queue.h"

#define PLACES 64

static struct debug_aside places[PLACES];
static bool thawed;

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

void debug_aside_finish(struct trap_frame *frame)
{
	struct debug_aside *place = place_at(debug_arch_frame_sp(frame));
	uint64_t vector = frame->vector;

	if (!place || place->held || !debug_arch_leaves_aside(frame))
		return;
	*frame = place->frame;
	frame->vector = vector;
	place->thread = NULL;
}

/* Something happened there, so that the CPU must not go on before gdb has heard of it. */
static bool has_news(const struct debug_cpu *cpu)
{
	return cpu->has_event && cpu->event.kind != UNI_GDB_EVENT_ATTENTION;
}

static bool is_away(const struct debug_cpu *cpu)
{
	return debug_aside_owner(debug_arch_frame_sp(cpu->frame));
}

static bool is_idle(const struct thread *thread)
{
	return cpus[thread->cpu].idle == thread;
}

static bool set_aside(struct debug_cpu *cpu)
{
	struct debug_aside *place = place_of(NULL);

	if (!place || !cpu->settable)
		return false;
	debug_arch_set_aside(place, cpu->frame);
	if (cpu->has_event && cpu->event.kind == UNI_GDB_EVENT_WATCH)
		debug_arch_pass(&place->frame);
	place->held = true;
	place->thread = cpu->thread;
	cpu->settable = false;
	return true;
}

bool debug_aside_keeps(unsigned index)
{
	struct debug_cpu *cpu = &debug_cpus[index];

	if (!cpu->thread->frozen)
		return false;
	if (is_idle(cpu->thread) || is_away(cpu))
		return has_news(cpu);
	return !set_aside(cpu);
}

/* --- stopping --- */

/* Ready, and about to be put on a CPU: the one that holds the run queue knows. -1: no. */
static int switching_cpu(const struct thread *thread)
{
	const struct spinlock *lock = &run_queue_of(thread->cpu)->lock;

	return thread->state != THREAD_BLOCKED && lock->taken ? (int)lock->holder - 1 : -1;
}

/* The CPU that must go on before the thread stands still, -1 for none. */
static int awaited_cpu(const struct thread *thread)
{
	int cpu = debug_cpu_of(thread);

	if (is_idle(thread))
		return -1;
	if (cpu < 0)
		return switching_cpu(thread);
	if (debug_cpus[cpu].settable || is_away(&debug_cpus[cpu]) || has_news(&debug_cpus[cpu]))
		return -1;
	return cpu;
}

bool debug_aside_hold(struct thread *thread, bool hold)
{
	struct debug_aside *place = place_of(thread);

	thread->frozen = hold;
	if (place)
		place->held = hold;
	if (!hold)
		thawed = true;
	return awaited_cpu(thread) < 0;
}

bool debug_aside_thawed(void)
{
	bool was = thawed;

	thawed = false;
	return was;
}

/* The first at or behind *index that gdb waits for. */
static struct thread *next_awaited(unsigned *index, uint32_t *id)
{
	for (; *index < debug_stub.stop_count; ++*index) {
		const struct uni_gdb_stop *stop = &debug_stub.stops[*index];

		if (stop->state != UNI_GDB_STOP_WANTED)
			continue;
		*id = stop->event.thread;
		return thread_by_id_stopped(*id);
	}
	*id = 0;
	return NULL;
}

bool debug_aside_is_awaited(void)
{
	unsigned index = 0;
	uint32_t id;

	(void)next_awaited(&index, &id);
	return id;
}

uint32_t debug_aside_awaited_cpus(void)
{
	uint32_t mask = 0;
	unsigned index = 0;
	struct thread *thread;
	uint32_t id;

	for (; (thread = next_awaited(&index, &id)) || id; index++) {
		int cpu = thread ? awaited_cpu(thread) : -1;

		if (cpu >= 0)
			mask |= 1u << cpu;
	}
	return mask;
}

void debug_aside_arrive(bool all)
{
	unsigned index = 0;
	struct thread *thread;
	uint32_t id;

	while ((thread = next_awaited(&index, &id)) || id) {
		unsigned before = debug_stub.stop_count;

		if (!thread || all || awaited_cpu(thread) < 0)
			uni_gdb_event(&debug_stub, &(struct uni_gdb_event){
							   .kind = UNI_GDB_EVENT_HALTED,
							   .thread = id,
						   });
		if (debug_stub.stop_count == before)
			index++;
	}
}

/* --- steps --- */

void debug_aside_begin_steps(void)
{
	for (unsigned i = 0; i < PLACES; i++) {
		struct debug_aside *place = &places[i];

		if (!place->thread || place->held ||
		    uni_gdb_resume_of(&debug_stub, place->thread->id).kind != UNI_GDB_STEP)
			continue;
		/* A `hlt` is passed over, and what is behind it is the step. */
		if (!debug_step_begin(place->thread, &place->frame))
			(void)debug_step_begin(place->thread, &place->frame);
	}
}

void debug_aside_end_steps(void)
{
	for (unsigned i = 0; i < PLACES; i++)
		if (places[i].thread)
			debug_step_end(places[i].thread, &places[i].frame);
}
