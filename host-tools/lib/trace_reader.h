/* SPDX-License-Identifier: MIT */
/*
 * Reading a recording: the events of all CPUs in the order of time.
 *
 * The recording may be anybody's: each byte is checked, and what is wrong is an error that names
 * file and offset. Memory is one packet a CPU, whatever the size of the recording.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "host-tools/lib/error.h"
#include "host-tools/lib/trace_info.h"

/* The most bytes of a string field that are shown. */
#define UNI_TRACE_VALUE_SIZE 1024

struct uni_trace_reader;

struct uni_trace_value {
	const struct uni_trace_field *field;
	uint64_t number;  /* sign-extended where the field is signed */
	const char *text; /* NULL but for strings; raw, terminated */
};

/* Valid until the next call for the reader. */
struct uni_trace_event {
	uint64_t time_ns; /* of the guest, since it booted */
	uint32_t cpu;
	const struct uni_trace_point *point;
	struct uni_trace_value values[UNI_TRACE_FIELDS_MAX]; /* point->field_count of them */
};

int uni_trace_reader_open(const char *folder, struct uni_trace_reader **out,
			  struct uni_error *error) __attribute__((warn_unused_result));

/* NULL is fine. */
void uni_trace_reader_close(struct uni_trace_reader *reader);

const struct uni_trace_info *uni_trace_reader_info(const struct uni_trace_reader *reader);

/* Threads' names that events tell on the way may be added here. */
struct uni_trace_info *uni_trace_reader_info_mutable(struct uni_trace_reader *reader);

/* 1 with the next event; 0 at the end; a negative code with the error. */
int uni_trace_reader_next(struct uni_trace_reader *reader, struct uni_trace_event *event,
			  struct uni_error *error) __attribute__((warn_unused_result));

/* The value of a field by its name; 0 where the event has none. */
uint64_t uni_trace_event_number(const struct uni_trace_event *event, const char *field);

/* The string of a field by its name; "" where the event has none. */
const char *uni_trace_event_text(const struct uni_trace_event *event, const char *field);
