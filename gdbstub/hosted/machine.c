/* SPDX-License-Identifier: MIT */

#include "gdbstub/hosted/machine.h"

#include <string.h>

#include "tracing/errno.h"

static long machine_read(void *context, void *bytes, size_t len)
{
	struct machine *machine = context;
	size_t left = machine->to_stub_len - machine->to_stub_at;

	if (!left)
		return machine->gone ? -UNI_EIO : 0;
	if (len > left)
		len = left;
	if (machine->read_max && len > machine->read_max)
		len = machine->read_max;
	memcpy(bytes, machine->to_stub + machine->to_stub_at, len);
	machine->to_stub_at += len;
	return (long)len;
}

static int machine_write(void *context, const void *bytes, size_t len)
{
	struct machine *machine = context;

	if (machine->write_failed || len > MACHINE_WIRE_SIZE - machine->from_stub_len)
		return -UNI_ETIMEDOUT;
	memcpy(machine->from_stub + machine->from_stub_len, bytes, len);
	machine->from_stub_len += len;
	return 0;
}

/* The bytes of [address, address + len) up to the first bad one. */
static size_t mapped(uint64_t address, size_t len)
{
	uint64_t end = MACHINE_RAM_BASE + MACHINE_RAM_SIZE;

	if (address >= MACHINE_HOLE_BASE && address < MACHINE_HOLE_BASE + MACHINE_HOLE_SIZE)
		return 0;
	if (address < MACHINE_HOLE_BASE)
		end = MACHINE_HOLE_BASE;
	if (address < MACHINE_RAM_BASE || address >= end)
		return 0;
	return len < end - address ? len : (size_t)(end - address);
}

static size_t machine_memory_read(void *context, uint64_t address, void *bytes, size_t len)
{
	struct machine *machine = context;

	len = mapped(address, len);
	if (address + len > MACHINE_DEVICE_BASE &&
	    address < MACHINE_DEVICE_BASE + MACHINE_DEVICE_SIZE)
		machine->device_reads++;
	if (len)
		memcpy(bytes, machine->ram + (address - MACHINE_RAM_BASE), len);
	return len;
}

static size_t machine_memory_write(void *context, uint64_t address, const void *bytes, size_t len)
{
	struct machine *machine = context;

	len = mapped(address, len);
	if (len)
		memcpy(machine->ram + (address - MACHINE_RAM_BASE), bytes, len);
	return len;
}

static struct machine_thread *find(struct machine *machine, uint32_t id)
{
	for (unsigned i = 0; i < machine->thread_count; i++)
		if (machine->threads[i].public.id == id)
			return &machine->threads[i];
	return NULL;
}

static bool machine_thread_next(void *context, const void **cursor, struct uni_gdb_thread *thread)
{
	struct machine *machine = context;
	const struct machine_thread *at = *cursor;

	machine->rendered++;
	at = at ? at + 1 : machine->threads;
	if (at == machine->threads + machine->thread_count)
		return false;
	*cursor = at;
	*thread = at->public;
	return true;
}

static bool machine_thread_find(void *context, uint32_t id, struct uni_gdb_thread *thread)
{
	const struct machine_thread *found = find(context, id);

	if (found && thread)
		*thread = found->public;
	return found;
}

static int machine_registers_get(void *context, uint32_t id, struct uni_gdb_registers *registers)
{
	const struct machine_thread *found = find(context, id);

	if (!found)
		return -UNI_ENOENT;
	*registers = found->registers;
	return 0;
}

static int machine_registers_set(void *context, uint32_t id,
				 const struct uni_gdb_registers *registers)
{
	struct machine_thread *found = find(context, id);

	if (!found)
		return -UNI_ENOENT;
	found->registers = *registers;
	return 0;
}

static bool machine_thread_hold(void *context, uint32_t id, bool hold)
{
	struct machine *machine = context;
	struct machine_thread *found = find(machine, id);

	if (!found)
		return false;
	found->held = hold;
	return found->public.cpu == UNI_GDB_NO_CPU || !machine->stops_late;
}

static void machine_registers_add_fpu(void *context, struct uni_gdb_registers *registers)
{
	(void)context;
	registers->known |= 1u << UNI_GDB_FPU;
}

static const char *machine_breakpoint_refused(void *context, uint64_t address, size_t len)
{
	(void)context;
	if (address + len > MACHINE_REFUSED_BASE &&
	    address < MACHINE_REFUSED_BASE + MACHINE_REFUSED_SIZE)
		return "this is the stub's own code";
	return NULL;
}

/* The bytes at the very start. */
static const char *machine_watch_refused(void *context, uint64_t address, size_t len)
{
	(void)context;
	return address < MACHINE_RAM_BASE + 8 && address + len > MACHINE_RAM_BASE
		       ? "the debug stub itself works there"
		       : NULL;
}

static uint64_t machine_displaced_room(void *context, unsigned index)
{
	(void)context;
	if (index == UNI_GDB_BREAKPOINTS)
		return MACHINE_OWN_ROOM_BASE;
	if (index >= MACHINE_ROOM_COUNT)
		return 0;
	return MACHINE_ROOM_BASE + index * UNI_GDB_TRAMPOLINE_SIZE;
}

static uint64_t machine_clock_us(void *context)
{
	const struct machine *machine = context;

	return machine->clock_us;
}

static uint64_t machine_tls_address(void *context, uint32_t thread, uint64_t offset)
{
	(void)context;
	return thread <= 2 && offset < 0x40 ? MACHINE_RAM_BASE + thread * 0x100 + offset : 0;
}

static bool machine_memory_next(void *context, unsigned index, struct uni_gdb_memory *memory)
{
	static const uint64_t hole_end = MACHINE_HOLE_BASE + MACHINE_HOLE_SIZE;
	static const struct uni_gdb_memory all[] = {
		{MACHINE_RAM_BASE, MACHINE_HOLE_BASE - MACHINE_RAM_BASE, false},
		{hole_end, MACHINE_DEVICE_BASE - hole_end, false},
		{MACHINE_DEVICE_BASE, MACHINE_DEVICE_SIZE, true},
	};

	(void)context;
	if (index >= sizeof(all) / sizeof(all[0]))
		return false;
	*memory = all[index];
	return true;
}

static unsigned machine_memory_access(void *context, uint64_t address)
{
	(void)context;
	if (!mapped(address, 1))
		return 0;
	if (address - MACHINE_REFUSED_BASE < MACHINE_REFUSED_SIZE)
		return UNI_GDB_READ | UNI_GDB_EXECUTE;
	if (address < MACHINE_HOLE_BASE)
		return UNI_GDB_READ | UNI_GDB_WRITE | UNI_GDB_EXECUTE;
	return UNI_GDB_READ | UNI_GDB_WRITE;
}

static void machine_describe_cpus(void *context, struct uni_gdb_text *text)
{
	struct machine *machine = context;

	for (unsigned i = 0; i < machine->thread_count; i++) {
		if (machine->threads[i].public.cpu == UNI_GDB_NO_CPU)
			continue;
		uni_gdb_put(text, "CPU ");
		uni_gdb_put_decimal(text, (uint64_t)machine->threads[i].public.cpu);
		uni_gdb_put(text, ": ");
		uni_gdb_put(text, machine->threads[i].public.name);
		uni_gdb_put_char(text, '\n');
	}
}

static const struct uni_gdb_ops machine_ops = {
	.read = machine_read,
	.write = machine_write,
	.memory_read = machine_memory_read,
	.memory_write = machine_memory_write,
	.thread_next = machine_thread_next,
	.thread_find = machine_thread_find,
	.registers_get = machine_registers_get,
	.registers_set = machine_registers_set,
	.thread_hold = machine_thread_hold,
	.registers_add_fpu = machine_registers_add_fpu,
	.breakpoint_refused = machine_breakpoint_refused,
	.watch_refused = machine_watch_refused,
	.displaced_room = machine_displaced_room,
	.call_entry = (void (*)(void))MACHINE_CALL_ENTRY,
	.clock_us = machine_clock_us,
	.tls_address = machine_tls_address,
	.memory_next = machine_memory_next,
	.memory_access = machine_memory_access,
	.program = "machine",
	.describe_cpus = machine_describe_cpus,
};

struct machine_thread *machine_add_thread(struct machine *machine, uint32_t id, int cpu,
					  const char *name)
{
	struct machine_thread *thread = &machine->threads[machine->thread_count++];

	memset(thread, 0, sizeof(*thread));
	thread->public.id = id;
	thread->public.cpu = cpu;
	thread->public.waits = cpu == UNI_GDB_NO_CPU;
	strncpy(thread->public.name, name, sizeof(thread->public.name) - 1);
	strcpy(thread->public.extra, cpu == UNI_GDB_NO_CPU ? "ready" : "running");
	for (unsigned i = 0; i < UNI_GDB_WORDS; i++)
		thread->registers.words[i] = id * 0x1000 + i;
	thread->registers.words[UNI_GDB_RIP] = MACHINE_RAM_BASE + id * 0x100;
	thread->registers.known = UINT32_MAX;
	return thread;
}

static struct uni_gdb_branch_block branches[UNI_GDB_BRANCH_RINGS * UNI_GDB_BRANCH_BLOCKS];

void machine_init(struct machine *machine)
{
	memset(machine, 0, sizeof(*machine));
	for (size_t i = 0; i < sizeof(machine->ram); i++)
		machine->ram[i] = (uint8_t)(i * 7 + (i >> 8));
	machine_add_thread(machine, 1, 0, "main");
	machine_add_thread(machine, 2, 1, "worker");
	machine_add_thread(machine, 3, UNI_GDB_NO_CPU, "sleeper");
	uni_gdb_init(&machine->stub, &machine_ops, machine, 0);
	uni_gdb_trace_buffer(&machine->stub, machine->frames, sizeof(machine->frames));
	uni_gdb_branch_room(&machine->stub, branches);
}

void machine_send(struct machine *machine, const void *bytes, size_t len)
{
	if (machine->to_stub_at == machine->to_stub_len)
		machine->to_stub_at = machine->to_stub_len = 0;
	if (len > MACHINE_WIRE_SIZE - machine->to_stub_len)
		len = MACHINE_WIRE_SIZE - machine->to_stub_len;
	memcpy(machine->to_stub + machine->to_stub_len, bytes, len);
	machine->to_stub_len += len;
}
