/* SPDX-License-Identifier: MIT */
#pragma once

/* gdb's tracepoints: what gdb defined, and what was collected. GDB manual, "Tracepoints" and
 * "Tracepoint Packets". Part of struct uni_gdb; nothing in here is for the platform.
 *
 * Definitions change only while the guest is stopped. What any number of CPUs write while it runs
 * is marked so. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gdbstub/arch.h"

#define UNI_GDB_VARIABLES 128
#define UNI_GDB_VARIABLE_NAME_SIZE 64
#define UNI_GDB_TRACEPOINTS 256
#define UNI_GDB_TRACE_ACTIONS 1024
#define UNI_GDB_TRACE_CODE_SIZE 0x8000
#define UNI_GDB_TRACE_SOURCES_SIZE 0x4000
#define UNI_GDB_TRACE_READ_ONLY 64
#define UNI_GDB_TRACE_NOTE_SIZE 256
#define UNI_GDB_TRACE_STEPS_MAX 10000
#define UNI_GDB_TRACE_PARTS 16

/* CPUs are numbered below this. */
#define UNI_GDB_TRACE_CPUS 16

/* What one hit may collect. */
#define UNI_GDB_TRACE_FRAME_MAX 0x4000

/* No index into an array of these. */
#define UNI_GDB_TRACE_NONE UINT16_MAX

/* A trace state variable that gdb defined. */
struct uni_gdb_variable {
	uint32_t number;
	int64_t initial;
	int64_t value; /* any CPU */
	uint8_t name_len;
	char name[UNI_GDB_VARIABLE_NAME_SIZE];
};

enum uni_gdb_trace_action_kind {
	UNI_GDB_COLLECT_REGISTERS,
	UNI_GDB_COLLECT_MEMORY,
	UNI_GDB_COLLECT_VARIABLE,
	UNI_GDB_COLLECT_EXPRESSION,
};

struct uni_gdb_trace_action {
	enum uni_gdb_trace_action_kind kind;
	bool stepping; /* at each step behind the tracepoint, not at itself */
	bool fpu;      /* REGISTERS: those of the FPU too */
	uint16_t next; /* of the same tracepoint */
	int32_t base;  /* MEMORY: the register that `at` is relative to, -1 for none */
	uint64_t at;   /* MEMORY: address; VARIABLE: number; EXPRESSION: place in code[] */
	uint64_t len;
};

struct uni_gdb_tracepoint {
	uint32_t number; /* several addresses may have the same */
	uint64_t address;
	bool enabled;
	uint8_t fast_len; /* of the instruction of a fast one; 0: it is none */
	bool has_condition;
	uint32_t condition; /* place in code[] */
	uint32_t step_count;
	uint64_t pass_count;
	uint16_t first_action;
	uint16_t last_action;
	uint16_t next_here; /* another at the same address */
	/* Of what it collects, and of what each step behind it does; 0: that varies. */
	uint32_t frame_len[2];
	/* any CPU */
	uint64_t hits;
	uint64_t usage; /* bytes collected */
	uint64_t lost;	/* frames that found no room */
};

/* What a CPU has still to step for a tracepoint. */
struct uni_gdb_trace_walk {
	uint16_t tracepoint;
	bool last; /* the tracepoint has had all its passes then */
	uint32_t thread;
	uint32_t left; /* 0: free */
};

#define UNI_GDB_TRACE_WALKS 4

/* Frames as in gdb's trace files: u16 tracepoint, u32 length, blocks. They lie in parts that are
 * filled one after the other; a circular buffer gives up a whole part at a time. */
struct uni_gdb_trace_buffer {
	uint8_t *bytes;
	uint32_t capacity;
	uint32_t size; /* of it, as gdb asked for */
	uint32_t part_size;
	uint32_t part_count;
	bool circular;
	/* any CPU */
	uint64_t head; /* serial number of the part << 32 | bytes used in it */
	uint64_t created;
	uint64_t lost;	 /* frames that found no room */
	uint64_t cut;	 /* frames without all that they should have, steps that were not made */
	uint64_t unread; /* memory that could not be read, expressions that failed */
	struct {
		uint32_t used;	  /* when it was left for the next one */
		uint32_t writers; /* CPUs that write to it */
	} parts[UNI_GDB_TRACE_PARTS];
};

/* A place in the buffer, while the guest is stopped. */
struct uni_gdb_frame {
	bool is;
	uint32_t number; /* from the oldest one on */
	uint64_t part;	 /* serial number */
	uint32_t at;	 /* of its head in the part */
	uint16_t tracepoint;
	const uint8_t *blocks;
	uint32_t len;
};

enum uni_gdb_trace_end {
	UNI_GDB_TRACE_NOT_RUN,
	UNI_GDB_TRACE_STOPPED,
	UNI_GDB_TRACE_FULL,
	UNI_GDB_TRACE_DISCONNECTED,
	UNI_GDB_TRACE_PASS_COUNT,
	UNI_GDB_TRACE_ERROR,
};

struct uni_gdb_trace_note {
	uint16_t len; /* hexadecimal digits, as gdb sent them */
	char digits[UNI_GDB_TRACE_NOTE_SIZE];
};

struct uni_gdb_trace {
	struct uni_gdb_variable variables[UNI_GDB_VARIABLES];
	unsigned variable_count;
	unsigned variable_told; /* of qTfV, qTsV */

	struct uni_gdb_tracepoint tracepoints[UNI_GDB_TRACEPOINTS];
	unsigned tracepoint_count;
	struct uni_gdb_trace_action actions[UNI_GDB_TRACE_ACTIONS];
	unsigned action_count;
	uint8_t code[UNI_GDB_TRACE_CODE_SIZE];
	uint32_t code_len;
	uint8_t sources[UNI_GDB_TRACE_SOURCES_SIZE]; /* commands_trace_upload.c */
	uint32_t sources_len;
	unsigned told; /* of qTfP, qTsP: the tracepoint */
	uint32_t told_source;

	struct {
		uint64_t start;
		uint64_t end;
	} read_only[UNI_GDB_TRACE_READ_ONLY];
	unsigned read_only_count;

	bool circular;
	bool disconnected; /* goes on without gdb */
	struct uni_gdb_trace_note user, notes, stop_note;

	/* any CPU: the one that changes `running` writes the others */
	bool running;
	enum uni_gdb_trace_end end;
	uint32_t end_number; /* the tracepoint that ended it */
	uint64_t start_us;
	uint64_t end_us;

	struct uni_gdb_trace_buffer buffer;
	uint8_t drafts[UNI_GDB_TRACE_CPUS][UNI_GDB_TRACE_FRAME_MAX];
	struct uni_gdb_trace_walk walks[UNI_GDB_TRACE_CPUS][UNI_GDB_TRACE_WALKS];

	struct uni_gdb_frame selected;
};
