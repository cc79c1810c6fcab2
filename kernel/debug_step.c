/* SPDX-License-Identifier: MIT */

/* Threads that make single steps. A step belongs to the thread, not to the CPU: an interrupt
 * handler that was under way may let another thread run before the step is made. */

#include "kernel/debug_internal.h"

/* Where a slot's thread stands. */
struct step {
	struct thread *thread; /* NULL: free */
	struct debug_step_flags flags;
};

struct landing {
	struct thread *thread; /* NULL: free */
	uint64_t pc;
};

/* One a CPU, and some whose threads were sent off their CPU before they made their step, or were
 * set aside. */
#define STEPS (2 * CPU_MAX + UNI_GDB_ACTIONS)

static struct step steps[STEPS];
static struct landing landings[UNI_GDB_ACTIONS];

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

	if (!debug_arch_step_begin(frame, debug_stub.options.step_masks_irqs, &flags))
		return false;
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

bool debug_step_end(struct thread *thread, struct trap_frame *frame)
{
	for (unsigned i = 0; i < STEPS; i++) {
		if (__atomic_load_n(&steps[i].thread, __ATOMIC_ACQUIRE) != thread)
			continue;
		debug_watch_look();
		debug_arch_step_end(frame, &steps[i].flags);
		__atomic_store_n(&steps[i].thread, NULL, __ATOMIC_RELEASE);
		return true;
	}
	return false;
}

void debug_step_send(struct thread *thread)
{
	uint64_t *pc = debug_arch_saved_pc(thread->saved_rsp);

	for (unsigned i = 0; pc && i < UNI_GDB_ACTIONS; i++) {
		if (landings[i].thread)
			continue;
		landings[i] = (struct landing){.thread = thread, .pc = *pc};
		*pc = (uintptr_t)debug_landing;
		return;
	}
}

void debug_step_recall(void)
{
	for (unsigned i = 0; i < UNI_GDB_ACTIONS; i++) {
		struct landing *landing = &landings[i];
		uint64_t *pc;

		if (!landing->thread)
			continue;
		pc = debug_arch_saved_pc(landing->thread->saved_rsp);
		if (pc && *pc == (uintptr_t)debug_landing)
			*pc = landing->pc;
		landing->thread = NULL;
	}
}

bool debug_step_landed(struct thread *thread, struct trap_frame *frame)
{
	for (unsigned i = 0; i < UNI_GDB_ACTIONS; i++) {
		if (landings[i].thread != thread)
			continue;
		debug_arch_set_frame_pc(frame, landings[i].pc);
		landings[i].thread = NULL;
		return true;
	}
	return false;
}
