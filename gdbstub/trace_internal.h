/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of the tracepoints share. */

#include "gdbstub/stub_internal.h"

/* trace_variables.c: any number of CPUs while the guest runs. */

/* The value as the hit sees it; 0, or -UNI_ENOENT. */
int uni_gdb_variable_get(const struct uni_gdb *stub, const struct uni_gdb_hit *hit, unsigned number,
			 int64_t *value);
/* 0, -UNI_ENOENT, or -UNI_ENOTSUP for one of the stub's own. */
int uni_gdb_variable_set(struct uni_gdb *stub, unsigned number, int64_t value);
