/* SPDX-License-Identifier: MIT */

/* Threads that make single steps for gdb. A step belongs to the thread, not to the CPU: an
 * interrupt handler that was under way may let another thread run before the step is made. */

#include "kernel/debug_internal.h"

/* Where a slot's thread stands. */
struct step {
	struct thread *thread; /* NULL: free */
	struct debug_step_flags flags;
};

/* A thread comes out at debug_landing() instead of `pc`. */
struct landing {
	struct thread *thread; /* NULL: free */
	uint64_t *at;	       /* the return address of its thread_switch() */
	uint64_t pc;
};

/* One a CPU, and some whose threads were sent off their CPU before they made their step. */
#define STEPS (2 * CPU_MAX)

static struct step steps[STEPS];
/* Those that gdb makes step, and those that are recorded. */
#define LANDINGS (UNI_GDB_ACTIONS + UNI_GDB_BRANCH_RINGS)

static struct landing landings[LANDINGS];

/* Several CPUs may do this at once. */
static void keep(struct thread *thread, const struct debug_step_flags *flags)
{
	for (unsigned i = 0; i < STEPS; i++) {
		struct thread *expected = NULL;

		if (!__atomic_compare_exchange_n(&steps[i].thread, &expected, thread, false,
						 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			continue;
		steps[i].flags = *flags;
		return;
	}
}

static bool begin_one(struct thread *thread, struct trap_frame *frame)
{
	struct debug_step_flags flags;
	uint64_t *return_address;

	/* Behind that instruction it would be another thread's step. */
	if (debug_arch_is_switching(frame, &return_address) && return_address) {
		debug_step_send(thread, return_address);
		return true;
	}
	uni_gdb_branch_from(&debug_stub, thread->id, debug_arch_frame_pc(frame));
	if (!debug_arch_step_begin(frame, debug_stub.options.step_masks_irqs, &flags)) {
		uni_gdb_branch_to(&debug_stub, thread->id, debug_arch_frame_pc(frame));
		return false;
	}
	keep(thread, &flags);
	/* It stays on this CPU only with interrupts off. */
	if (debug_stub.options.step_masks_irqs)
		debug_watch_pause();
	return true;
}

bool debug_step_begin(struct thread *thread, struct trap_frame *frame)
{
	switch (uni_gdb_range_way(&debug_stub, thread->id, debug_arch_frame_pc(frame),
				  debug_arch_frame_sp(frame))) {
	case UNI_GDB_WAY_STEP:
		return begin_one(thread, frame);
	case UNI_GDB_WAY_RUN:
		return true;
	case UNI_GDB_WAY_LEFT:
		return false;
	}
	return false;
}

bool debug_step_is_made(const struct thread *thread)
{
	for (unsigned i = 0; i < STEPS; i++)
		if (__atomic_load_n(&steps[i].thread, __ATOMIC_ACQUIRE) == thread)
			return true;
	return false;
}

bool debug_step_end(struct thread *thread, struct trap_frame *frame, bool stepped)
{
	/* `popf` and `iret` take the trap flag out by themselves. */
	if (!stepped && !debug_arch_is_stepping(frame))
		return false;
	for (unsigned i = 0; i < STEPS; i++) {
		if (__atomic_load_n(&steps[i].thread, __ATOMIC_ACQUIRE) != thread)
			continue;
		debug_watch_look();
		debug_arch_step_end(frame, &steps[i].flags);
		__atomic_store_n(&steps[i].thread, NULL, __ATOMIC_RELEASE);
		uni_gdb_branch_to(&debug_stub, thread->id, debug_arch_frame_pc(frame));
		return true;
	}
	return false;
}

static struct landing *landing_of(const struct thread *thread)
{
	for (unsigned i = 0; i < LANDINGS; i++)
		if (__atomic_load_n(&landings[i].thread, __ATOMIC_ACQUIRE) == thread)
			return &landings[i];
	return NULL;
}

void debug_step_send(struct thread *thread, uint64_t *return_address)
{
	if (!return_address || landing_of(thread))
		return;
	for (unsigned i = 0; i < LANDINGS; i++) {
		struct thread *expected = NULL;

		if (!__atomic_compare_exchange_n(&landings[i].thread, &expected, thread, false,
						 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			continue;
		landings[i].at = return_address;
		landings[i].pc = *return_address;
		*return_address = (uintptr_t)debug_landing;
		return;
	}
}

bool debug_step_is_sent(const struct thread *thread)
{
	return landing_of(thread);
}

static bool is_to_land(struct thread *thread)
{
	void *fpu;

	/* That comes back by a trap of its own. */
	if (debug_aside_frame(thread) || debug_call_frame(thread, &fpu))
		return false;
	if (uni_gdb_resume_of(&debug_stub, thread->id).kind == UNI_GDB_STEP)
		return !uni_gdb_range_runs(&debug_stub, thread->id);
	return debug_record_is_due(thread);
}

void debug_step_send_all(void)
{
	struct thread *thread = NULL;

	for (unsigned i = 0; i < LANDINGS; i++) {
		struct landing *landing = &landings[i];

		if (landing->thread && *landing->at == landing->pc && is_to_land(landing->thread))
			*landing->at = (uintptr_t)debug_landing;
		else
			landing->thread = NULL;
	}
	while (!debug_stub.as_before && (thread = thread_next_stopped(thread)))
		if (debug_cpu_of(thread) == UNI_GDB_NO_CPU && is_to_land(thread))
			debug_step_send(thread, debug_arch_saved_pc(thread->saved_rsp));
}

void debug_step_recall(void)
{
	for (unsigned i = 0; i < LANDINGS; i++)
		if (landings[i].thread && *landings[i].at == (uintptr_t)debug_landing)
			*landings[i].at = landings[i].pc;
}

bool debug_step_landed(struct thread *thread, struct trap_frame *frame)
{
	struct landing *landing = landing_of(thread);

	if (!landing)
		return false;
	uni_gdb_branch_from(&debug_stub, thread->id, debug_arch_shown_pc(landing->pc));
	uni_gdb_branch_to(&debug_stub, thread->id, landing->pc);
	debug_arch_set_frame_pc(frame, landing->pc);
	__atomic_store_n(&landing->thread, NULL, __ATOMIC_RELEASE);
	return true;
}
