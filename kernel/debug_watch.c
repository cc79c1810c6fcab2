/* SPDX-License-Identifier: MIT */

/* Watchpoints of a CPU.
 *
 * Traps of the debugger have one stack, so no such trap must come in the middle of another: nothing
 * is watched there, whatever memory it works with. What it reads and writes before it has turned
 * that off, or after it has turned it on, is not for gdb to watch: debug_watch_works_at().
 *
 * One instruction that is made alone: a processor has one trap for a step and for what the stepped
 * instruction touched. QEMU without KVM has two, and takes the second at the first instruction of
 * the first one's handler: both on the one stack that such traps have, where the second writes over
 * the first, and nobody knows any more where the program was. There, while a single instruction is
 * made, what is watched is compared. So of what the instruction reads, or writes as it was, nothing
 * is told; gdb itself tells of changes alone, but for `awatch`. */

#include "kernel/arch/x86_64/fault.h"
#include "kernel/debug.h"
#include "kernel/debug_internal.h"

struct look {
	uint64_t control; /* for debug_arch_arm() when the CPU is out of the debugger; 0: none */
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

static bool is_armed(const struct look *look)
{
	return look->control & ~DEBUG_ARCH_DISARMED;
}

void debug_watch_off(void)
{
	if (is_armed(&looks[cpu_id()]))
		debug_arch_arm(DEBUG_ARCH_DISARMED);
}

void debug_watch_on(void)
{
	const struct look *look = &looks[cpu_id()];

	if (is_armed(look))
		debug_arch_arm(look->control);
}

bool debug_watch_works_at(uintptr_t address, size_t len)
{
	for (unsigned i = 0; i < CPU_MAX; i++)
		if (debug_overlaps(address, len, &cpus[i].self, &cpus[i].thread) ||
		    debug_overlaps(address, len, &cpus[i].nmi_blocked, &cpus[i].hw_id) ||
		    debug_arch_is_trap_stack(i, address, len))
			return true;
	return debug_overlaps(address, len, looks, looks + CPU_MAX);
}

void debug_watch_set(void)
{
	struct look *look = &looks[cpu_id()];

	look->changed = 0;
	look->control = debug_arch_watch(debug_stub.watches);
	if (look->paused)
		look->control = debug_arch_without_data(look->control);
}

bool debug_watch_is_in_the_way(void)
{
	bool some = false;

	/* At each breakpoint: branches are what an emulator takes longest for. */
#pragma GCC unroll 4
	for (unsigned i = 0; i < UNI_GDB_WATCH_SLOTS; i++)
		some |= is_of_data(i);
	return some && debug_arch_splits_traps();
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
	look->control = debug_arch_without_data(look->control);
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
	look->control = debug_arch_watch(debug_stub.watches);
}

int debug_watch_changed(void)
{
	struct look *look = &looks[cpu_id()];
	int slot = look->changed - 1;

	look->changed = 0;
	return slot;
}
