/* SPDX-License-Identifier: MIT */
/*
 * Reads a crash dump (guest-probe/dump_abi.h): threads, notes by owner and type, memory by address.
 *
 * The file is hostile, whoever wrote it: every count, size and offset is checked against the file,
 * and a dump that was cut off gives what it has. What the dump leaves out reads as zeroes, as holes
 * of a file do; there is no telling a zero page from one that never came. Reading changes nothing,
 * so any number of threads may share an open reader.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "guest-probe/arch/x86_64/core_abi.h"
#include "guest-probe/dump_abi.h"
#include "host-tools/lib/error.h"

/* More notes than this in a dump make it no dump of ours. */
#define UNI_CORE_READER_NOTES_MAX (64u << 20)
#define UNI_CORE_READER_THREADS_MAX 65536

struct uni_core_reader;

/* -UNI_EINVAL: no core of this machine, or one that does not fit together. */
int uni_core_reader_open(const char *path, struct uni_core_reader **out, struct uni_error *error)
	__attribute__((warn_unused_result));

/* NULL is fine. */
void uni_core_reader_close(struct uni_core_reader *core);

/* Threads in the order of the file: the one that crashed is the first. */
size_t uni_core_reader_thread_count(const struct uni_core_reader *core);
const struct uni_core_prstatus *uni_core_reader_thread(const struct uni_core_reader *core,
						       size_t index);

/* The contents of the first note of this owner and type, valid as long as the reader; NULL: there
 * is none. */
const void *uni_core_reader_note(const struct uni_core_reader *core, const char *owner,
				 uint32_t type, size_t *len);

/* Copies guest memory. -UNI_EFAULT: not all of it is in the dump; nothing is promised of `out`. */
int uni_core_reader_read(const struct uni_core_reader *core, uint64_t address, void *out,
			 size_t len) __attribute__((warn_unused_result));
