/* SPDX-License-Identifier: MIT */
/* What record and report both print. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "host-tools/lib/trace_reader.h"

#define UNI_TRACE_COUNT_SIZE 32

/* "1 204 311": every digit, as these are counted and not measured. Returns out. */
const char *uni_trace_count(char out[UNI_TRACE_COUNT_SIZE], uint64_t count);

/* A line for each CPU that lost events: how many, and where. */
void uni_trace_print_losses(const struct uni_trace_info *info, FILE *out);

/* "prev=3 next=5 name=\"orders\"": fields in their order; texts are sanitized. */
void uni_trace_print_fields(const struct uni_trace_event *event, FILE *out);
