/* SPDX-License-Identifier: MIT */
#pragma once

/* gdb's tracepoints: what gdb defined, and what was collected. GDB manual, "Tracepoints" and
 * "Tracepoint Packets". Part of struct uni_gdb; nothing in here is for the platform. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNI_GDB_VARIABLES 128
#define UNI_GDB_VARIABLE_NAME_SIZE 64

/* A trace state variable that gdb defined. */
struct uni_gdb_variable {
	uint32_t number;
	int64_t initial;
	int64_t value; /* any number of CPUs */
	uint8_t name_len;
	char name[UNI_GDB_VARIABLE_NAME_SIZE];
};

struct uni_gdb_trace {
	struct uni_gdb_variable variables[UNI_GDB_VARIABLES];
	unsigned variable_count;
	unsigned variable_told; /* of qTfV, qTsV */
};
