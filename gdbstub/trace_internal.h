/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of the tracepoints share. */

#include "gdbstub/stub_internal.h"

/* trace_variables.c: any number of CPUs while the guest runs. */

/* The value as the hit sees it; 0, or -UNI_ENOENT. */
int uni_gdb_variable_get(const struct uni_gdb *stub, const struct uni_gdb_hit *hit, unsigned number,
			 int64_t *value);
bool uni_gdb_variable_exists(const struct uni_gdb *stub, unsigned number);
/* 0, -UNI_ENOENT, or -UNI_ENOTSUP for one of the stub's own. */
int uni_gdb_variable_set(struct uni_gdb *stub, unsigned number, int64_t value);

/* commands_trace_define.c */
struct uni_gdb_tracepoint *uni_gdb_tracepoint_find(struct uni_gdb *stub, uint64_t number,
						   uint64_t address);
/* "number:address" */
bool uni_gdb_take_tracepoint(struct uni_gdb_cursor *args, uint64_t *number, uint64_t *address);
/* The one that "number:address" names; NULL, and the reply says so, if there is none. */
struct uni_gdb_tracepoint *uni_gdb_tracepoint_named(struct uni_gdb *stub,
						    struct uni_gdb_cursor *args);

/* trace_collect.c: any number of CPUs while the guest runs. */

/* A CPU is at the address of this tracepoint, and of those that follow in `next_here`. */
void uni_gdb_trace_hit(struct uni_gdb *stub, uint16_t tracepoint, const struct uni_gdb_hit *hit);

/* trace_run.c */

/* Forgets what was collected. */
void uni_gdb_trace_start(struct uni_gdb *stub);
/* Only the first of several has an effect. Any number of CPUs. */
void uni_gdb_trace_stop(struct uni_gdb *stub, enum uni_gdb_trace_end end, uint32_t number);
/* Appends breakpoints for the tracepoints to those that gdb asked for. */
void uni_gdb_trace_stand(struct uni_gdb *stub);

/* trace_buffer.c */

/* Empties it, and shares out `size` bytes of it. */
void uni_gdb_trace_buffer_reset(struct uni_gdb_trace_buffer *buffer, bool circular);
/* Room for a frame, which is there as soon as it is committed. Any number of CPUs while the guest
 * runs. -UNI_ENOSPC: there is none, for good; -UNI_EAGAIN: not at this moment; both are counted. */
struct uni_gdb_trace_room {
	uint8_t *bytes;
	unsigned part;
};

int uni_gdb_trace_buffer_reserve(struct uni_gdb_trace_buffer *buffer, uint32_t len,
				 struct uni_gdb_trace_room *room);
void uni_gdb_trace_buffer_commit(struct uni_gdb_trace_buffer *buffer,
				 const struct uni_gdb_trace_room *room);
/* While the guest is stopped. */
uint64_t uni_gdb_trace_buffer_used(const struct uni_gdb_trace_buffer *buffer);
/* Bytes of the frames, one behind the other, from `offset` on. Returns how many. */
size_t uni_gdb_trace_buffer_read(const struct uni_gdb_trace_buffer *buffer, uint64_t offset,
				 uint8_t *bytes, size_t len);
/* False where there is no such frame; *frame is untouched then. */
bool uni_gdb_frame_first(const struct uni_gdb_trace_buffer *buffer, struct uni_gdb_frame *frame);
bool uni_gdb_frame_next(const struct uni_gdb_trace_buffer *buffer, struct uni_gdb_frame *frame);

/* trace_frame.c: what a frame has. */

#define UNI_GDB_FRAME_HEAD 6
#define UNI_GDB_VARIABLE_BLOCK (4 + 8) /* number, value */

struct uni_gdb_block {
	char kind;   /* 'R', 'M', 'V' */
	uint64_t at; /* address, or number of the variable */
	const uint8_t *bytes;
	uint32_t len;
	const uint8_t *next; /* what is behind it */
};

/* *block is zero at first. False after the last one. */
bool uni_gdb_frame_block(const struct uni_gdb *stub, const struct uni_gdb_frame *frame,
			 struct uni_gdb_block *block);
/* The pc that was collected, or the tracepoint's address. */
uint64_t uni_gdb_frame_pc(const struct uni_gdb *stub, const struct uni_gdb_frame *frame);
bool uni_gdb_frame_variable(const struct uni_gdb *stub, const struct uni_gdb_frame *frame,
			    unsigned number, int64_t *value);
const struct uni_gdb_tracepoint *uni_gdb_frame_tracepoint(const struct uni_gdb *stub,
							  const struct uni_gdb_frame *frame);
