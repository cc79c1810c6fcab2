/* SPDX-License-Identifier: MIT */
#pragma once

/* A machine in memory for the stub to debug: threads with registers, some on CPUs, a stretch of RAM
 * with an unmapped hole, and a wire whose two ends are buffers. It runs no code: the test moves
 * threads and makes events. */

#include "gdbstub/gdbstub.h"

#define MACHINE_THREADS 64
#define MACHINE_RAM_BASE 0x100000
#define MACHINE_RAM_SIZE 0x30000
/* Inside of it: no address here can be read or written. */
#define MACHINE_HOLE_BASE 0x110000
#define MACHINE_HOLE_SIZE 0x1000
/* No breakpoint may stand here. */
#define MACHINE_REFUSED_BASE 0x120000
#define MACHINE_REFUSED_SIZE 0x1000
/* For copies of instructions. */
#define MACHINE_ROOM_BASE 0x128000
#define MACHINE_ROOM_COUNT 64
#define MACHINE_OWN_ROOM_BASE 0x129000
/* Where fast tracepoints lead. */
#define MACHINE_CALL_ENTRY 0x12a000
/* Registers of a device. */
#define MACHINE_DEVICE_BASE 0x12f000
#define MACHINE_DEVICE_SIZE 0x1000
#define MACHINE_FRAMES_SIZE 0x20000
#define MACHINE_WIRE_SIZE 0x40000

struct machine_thread {
	struct uni_gdb_thread public;
	struct uni_gdb_registers registers;
	bool held;
};

struct machine {
	struct uni_gdb stub;
	struct machine_thread threads[MACHINE_THREADS];
	unsigned thread_count;
	uint8_t ram[MACHINE_RAM_SIZE];
	uint8_t to_stub[MACHINE_WIRE_SIZE];
	size_t to_stub_at, to_stub_len;
	uint8_t from_stub[MACHINE_WIRE_SIZE];
	size_t from_stub_len;
	bool gone;	   /* gdb's end is closed */
	bool write_failed; /* the wire takes nothing */
	unsigned read_max; /* bytes a read gives at most; 0: no limit */
	uint64_t clock_us;
	uint8_t frames[MACHINE_FRAMES_SIZE];
	unsigned rendered; /* calls of thread_next */
	unsigned device_reads;
	bool stops_late; /* a thread on a CPU does not stand as soon as it is to be held */
};

/* Three threads: 1 and 2 on CPUs 0 and 1, 3 on none; RAM filled with a pattern. */
void machine_init(struct machine *machine);

struct machine_thread *machine_add_thread(struct machine *machine, uint32_t id, int cpu,
					  const char *name);

/* Puts bytes on the wire to the stub. */
void machine_send(struct machine *machine, const void *bytes, size_t len);
