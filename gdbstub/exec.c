/* SPDX-License-Identifier: MIT */

/* A session that goes on in another image. */

#include "gdbstub/stub_internal.h"

#define FEATURES_OFF_SHIFT 32

enum {
	ATTACHED = 1 << 0,
	MULTIPROCESS = 1 << 1,
	NO_RESUMED = 1 << 2,
	EXEC_EVENTS = 1 << 3,
	NO_ACKS = 1 << 4,
	THREAD_EVENTS = 1 << 5,
	NON_STOP = 1 << 6,
	RUN_LENGTH = 1 << 7,
	STEP_MASKS_IRQS = 1 << 8,
};

uint64_t uni_gdb_session(const struct uni_gdb *stub)
{
	uint64_t session = ATTACHED;

	if (!stub->attached)
		return 0;
	session |= stub->multiprocess ? MULTIPROCESS : 0;
	session |= stub->no_resumed ? NO_RESUMED : 0;
	session |= stub->exec_events ? EXEC_EVENTS : 0;
	session |= stub->acks == UNI_GDB_NO_ACKS ? NO_ACKS : 0;
	session |= stub->thread_events ? THREAD_EVENTS : 0;
	session |= stub->non_stop ? NON_STOP : 0;
	session |= stub->options.run_length ? RUN_LENGTH : 0;
	session |= stub->options.step_masks_irqs ? STEP_MASKS_IRQS : 0;
	return session | (uint64_t)stub->options.features_off << FEATURES_OFF_SHIFT;
}

void uni_gdb_succeed(struct uni_gdb *stub, uint64_t session, const char *program)
{
	if (!session)
		return;
	stub->attached = true;
	stub->multiprocess = session & MULTIPROCESS;
	stub->no_resumed = session & NO_RESUMED;
	stub->exec_events = session & EXEC_EVENTS;
	stub->acks = session & NO_ACKS ? UNI_GDB_NO_ACKS : UNI_GDB_ACKS;
	stub->thread_events = session & THREAD_EVENTS;
	stub->non_stop = session & NON_STOP;
	stub->options.run_length = session & RUN_LENGTH;
	stub->options.step_masks_irqs = session & STEP_MASKS_IRQS;
	stub->options.features_off = (uint32_t)(session >> FEATURES_OFF_SHIFT);
	stub->owes_stop = !stub->non_stop;
	stub->executed = program;
}
