/* SPDX-License-Identifier: MIT */
/*
 * Frames (probe_abi.h) as bytes: a writer into the caller's buffer and an incremental reader of
 * what came over a port or a socket.
 *
 * Used by the guest for control frames and by the host for everything, so the reader trusts no
 * byte: it is bounded by the caller's storage, skips what does not fit, and finds the next frame by
 * its magic when bytes make no sense. Not thread-safe: one writer or reader per stream. Any
 * context.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest-probe/probe_abi.h"

/* --- writing --- */

/* A frame in the making. Putting more than fits makes uni_frame_finish() fail; until then every put
 * is harmless, so that callers check once. */
struct uni_frame_writer {
	uint8_t *buffer;
	size_t size;
	size_t len; /* bytes so far, the header included */
	bool overflow;
};

/* Starts a frame in buffer (size bytes, at least sizeof(struct uni_frame), 8-byte aligned). */
void uni_frame_begin(struct uni_frame_writer *writer, void *buffer, size_t size,
		     enum uni_frame_type type, uint32_t sequence);

/* Room for len bytes of payload, set to zero, which the caller may change until the frame is
 * finished. NULL when it does not fit. */
void *uni_frame_reserve(struct uni_frame_writer *writer, size_t len);

/* Appends len bytes. */
void uni_frame_put(struct uni_frame_writer *writer, const void *bytes, size_t len);

/* Bytes of payload that still fit. */
size_t uni_frame_room(const struct uni_frame_writer *writer);

/* Takes back the last len bytes of payload. */
void uni_frame_trim(struct uni_frame_writer *writer, size_t len);

/* Appends the structure that opens a table, with no record yet; the caller counts. NULL when it
 * does not fit. */
struct uni_table *uni_frame_put_table(struct uni_frame_writer *writer, uint64_t tsc,
				      uint64_t time_ns, size_t record_size);

/* Completes the header. Returns 0 and the bytes of the whole frame, or -UNI_ENOSPC. */
__attribute__((warn_unused_result)) int uni_frame_finish(struct uni_frame_writer *writer,
							 size_t *len);

/* Copies text into a fixed field of `size` bytes: cut if it is longer, padded with zeroes. */
void uni_frame_text(char *field, size_t size, const char *text);

/* --- reading --- */

struct uni_frame_reader {
	uint8_t *payload; /* the caller's storage */
	size_t size;
	struct uni_frame header; /* of the frame that is coming */
	uint32_t header_have;	 /* bytes of it */
	uint32_t payload_have;	 /* bytes of its payload, kept or skipped */
	uint64_t skipped_bytes;	 /* that belonged to no frame */
	uint64_t skipped_frames; /* whose payload is larger than the storage */
};

/* payload (size bytes, 8-byte aligned) is the caller's and must outlive the reader. Frames with a
 * larger payload are skipped and counted. */
void uni_frame_reader_init(struct uni_frame_reader *reader, void *payload, size_t size);

/* Forgets a frame that came in part: the stream begins anew. Keeps the counts. */
void uni_frame_reader_reset(struct uni_frame_reader *reader);

/* Takes bytes from *bytes until a frame is complete or they are used up, and moves *bytes and *len
 * past what it took. Returns true with a complete frame: reader->header says what it is and
 * reader->payload holds header.length bytes, until the next call. */
bool uni_frame_read(struct uni_frame_reader *reader, const uint8_t **bytes, size_t *len);
