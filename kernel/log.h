/* SPDX-License-Identifier: MIT */
#pragma once

/* The log: records in a bounded ring, oldest overwritten, and lines on the console.
 *
 * A record's text is cut to LOG_TEXT_MAX bytes. Sequence numbers start at 0 and have no holes, so a
 * reader that finds its next number gone knows exactly how many it missed. */

#include <stdbool.h>
#include <stdint.h>

#define LOG_TEXT_MAX 119
#define LOG_RECORD_COUNT 512

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

struct log_record {
	uint64_t sequence;
	uint64_t time_ns; /* clock_ns() */
	uint32_t thread;  /* id; 0 before threads exist */
	uint16_t cpu;
	uint8_t level; /* enum log_level */
	uint8_t len;   /* of text, which has no 0 at the end */
	char text[LOG_TEXT_MAX + 1];
};

/* Any context, NMI included (there the record is written, the console line is not). Never waits for
 * another CPU longer than that writes a line. LOG_DEBUG does not go to the console. No newline at
 * the end. */
void log_printf(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The sequence number that the next record gets. */
uint64_t log_next(void);

/* The oldest record still held. */
uint64_t log_oldest(void);

/* Copies a record; lock-free, any context, world stopped or not. Returns false when it was
 * overwritten or is not there yet. */
bool log_read(uint64_t sequence, struct log_record *out);

const char *log_level_name(enum log_level level);
