/* SPDX-License-Identifier: MIT */
/*
 * The tracepoints of a guest: names and fields, from the section UNI_TRACE_META_SECTION of its ELF
 * file or from a recording.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host-tools/lib/error.h"
#include "tracing/trace_abi.h"

#define UNI_TRACE_FIELDS_MAX 32

enum uni_trace_type_kind { UNI_TRACE_UNSIGNED, UNI_TRACE_SIGNED, UNI_TRACE_HEX, UNI_TRACE_STRING };

struct uni_trace_field {
	char name[64];
	enum uni_trace_type_kind kind;
	uint8_t size; /* bytes; 0: a string */
};

struct uni_trace_point {
	uint32_t id;
	char name[sizeof(((struct uni_trace_meta *)0)->name) + 1];     /* "group:event" */
	char fields[sizeof(((struct uni_trace_meta *)0)->fields) + 1]; /* as in the ELF file */
	uint32_t field_count;
	struct uni_trace_field field[UNI_TRACE_FIELDS_MAX];
};

struct uni_trace_points {
	struct uni_trace_point *list; /* index = id */
	size_t count;
};

/* Makes one of its two texts. Names are [A-Za-z0-9_]+ with one colon in the event's. Returns 0 or
 * -UNI_EINVAL. */
int uni_trace_point_parse(struct uni_trace_point *point, uint32_t id, const char *name,
			  const char *fields) __attribute__((warn_unused_result));

/* Appends; -UNI_ENOSPC when there are UNI_TRACE_EVENTS_MAX, -UNI_EINVAL, -UNI_ENOMEM. */
int uni_trace_points_add(struct uni_trace_points *points, const char *name, const char *fields)
	__attribute__((warn_unused_result));

/* All of an ELF file. *points is to be given to _fini() also after an error. */
int uni_trace_points_read(const char *image, struct uni_trace_points *points,
			  struct uni_error *error);

void uni_trace_points_fini(struct uni_trace_points *points);

/* NULL: no such name. */
const struct uni_trace_point *uni_trace_points_find(const struct uni_trace_points *points,
						    const char *name);

/*
 * Sets the bits (bit n % 8 of byte n / 8; bitmap has count bits) of what a list of globs (glob(7)
 * without braces, separated by commas or spaces) matches; "sched" is "sched:*". A glob that matches
 * nothing is an error that names what is near it.
 */
int uni_trace_points_match(const struct uni_trace_points *points, const char *globs,
			   uint8_t *bitmap, struct uni_error *error);
