/* SPDX-License-Identifier: MIT */
/*
 * Numbers as a person reads them: three digits that matter, and a unit on each. All write at most
 * UNI_QUANTITY_SIZE bytes, terminated, and return out.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define UNI_QUANTITY_SIZE 32

/* "0 B", "812 B", "3.1 KiB", "20.1 MiB". */
const char *uni_quantity_bytes(char *out, size_t size, uint64_t bytes);

/* "840 ns", "12 us", "3.1 ms", "41 s", "6 min 12 s", "6 h 12 min", "3 d 04 h". */
const char *uni_quantity_duration(char *out, size_t size, uint64_t ns);

/* "0", "9.8", "980", "18200", "120 k", "12 M": a plain count or a rate. */
const char *uni_quantity_count(char *out, size_t size, double count);

/* A metric's value in its unit (enum uni_metric_unit). */
const char *uni_quantity_value(char *out, size_t size, uint64_t value, uint8_t unit);

/* The rate of a counter in its unit, as "912 KiB/s", "1840/s", "12 ms/s". */
const char *uni_quantity_rate(char *out, size_t size, double per_s, uint8_t unit);
