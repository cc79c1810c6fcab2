/* SPDX-License-Identifier: MIT */

/* Watchpoints of a CPU that makes one instruction alone.
 *
 * A processor has one trap for a step and for what the stepped instruction touched. QEMU without
 * KVM has two, and takes the second at the first instruction of the first one's handler: both on
 * the one stack that such traps have, where the second writes over the first, and nobody knows any
 * more where the program was. There, while a single instruction is made, what is watched is
 * compared. So of what the instruction reads, or writes as it was, nothing is told; gdb itself
 * tells of changes alone, but for `awatch`. */

#include "kernel/arch/x86_64/fault.h"
#include "kernel/debug_internal.h"

struct look {
	bool paused;
	int changed; /* slot + 1, 0 for none */
	uint64_t values[UNI_GDB_WATCH_SLOTS];
};

static struct look looks[CPU_MAX];

static bool is_of_data(unsigned slot)
{
	enum uni_gdb_watch_kind kind = debug_stub.watches[slot].watch.kind;

	return kind == UNI_GDB_WATCH_WRITE || kind == UNI_GDB_WATCH_ACCESS;
}

static uint64_t value_of(unsigned slot)
{
	const struct uni_gdb_watch *watch = &debug_stub.watches[slot].watch;
	uint64_t value = 0;

	if (memory_read_nofault(&value, (const void *)watch->address, watch->len) != 0)
		return 0;
	return value;
}

void debug_watch_set(void)
{
	struct look *look = &looks[cpu_id()];

	look->changed = 0;
	debug_arch_watch(debug_stub.watches);
	if (look->paused)
		debug_arch_pause_data();
}

bool debug_watch_is_in_the_way(void)
{
	for (unsigned i = 0; i < UNI_GDB_WATCH_SLOTS; i++)
		if (is_of_data(i))
			return debug_arch_splits_traps();
	return false;
}

void debug_watch_pause(void)
{
	struct look *look = &looks[cpu_id()];

	look->paused = debug_watch_is_in_the_way();
	if (!look->paused)
		return;
	for (unsigned i = 0; i < UNI_GDB_WATCH_SLOTS; i++)
		if (is_of_data(i))
			look->values[i] = value_of(i);
	debug_arch_pause_data();
}

void debug_watch_look(void)
{
	struct look *look = &looks[cpu_id()];

	look->changed = 0;
	if (!look->paused)
		return;
	look->paused = false;
	for (unsigned i = 0; i < UNI_GDB_WATCH_SLOTS; i++)
		if (is_of_data(i) && value_of(i) != look->values[i])
			look->changed = (int)i + 1;
	debug_arch_watch(debug_stub.watches);
}

int debug_watch_changed(void)
{
	struct look *look = &looks[cpu_id()];
	int slot = look->changed - 1;

	look->changed = 0;
	return slot;
}
