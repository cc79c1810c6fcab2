/* SPDX-License-Identifier: MIT */
/*
 * Frames of guest-probe/probe_abi.h out of a byte stream that may be hostile or joined midway.
 *
 * A decoder holds at most one frame (UNI_FRAME_PAYLOAD_MAX and the header) and grows only as far
 * as the frames that really come. Bytes that cannot be a frame are skipped to the next magic and
 * counted. Payloads are not looked into: that is up to the reader of each type, through cursor.h.
 *
 *	uint8_t *room; size_t len;
 *	if (uni_frame_decoder_room(&decoder, &room, &len) < 0) ...out of memory
 *	got = read(fd, room, len);
 *	uni_frame_decoder_fill(&decoder, got);
 *	while (uni_frame_decoder_next(&decoder, &frame, &payload))
 *		...
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest-probe/probe_abi.h"

struct uni_frame_decoder {
	uint8_t *data;
	size_t capacity;
	size_t start, end;	/* bytes not taken yet */
	uint64_t frames;	/* given out */
	uint64_t skipped_bytes; /* that were no frame */
	uint64_t skipped_runs;	/* stretches of such bytes */
	bool skipping;		/* within such a stretch */
};

void uni_frame_decoder_init(struct uni_frame_decoder *decoder);
void uni_frame_decoder_fini(struct uni_frame_decoder *decoder);

/*
 * Where the next bytes go: at least 4 KiB at *room. Payloads given out are gone after this call.
 * Returns 0 or -UNI_ENOMEM.
 */
int uni_frame_decoder_room(struct uni_frame_decoder *decoder, uint8_t **room, size_t *len)
	__attribute__((warn_unused_result));

/* len bytes have been put at *room; at most what uni_frame_decoder_room() gave. */
void uni_frame_decoder_fill(struct uni_frame_decoder *decoder, size_t len);

/*
 * Takes the next whole frame: true, with the header and frame->length bytes at *payload, which is
 * valid until the next uni_frame_decoder_room(); false when more bytes are needed.
 */
bool uni_frame_decoder_next(struct uni_frame_decoder *decoder, struct uni_frame *frame,
			    const uint8_t **payload);

/* A header for a payload of at most UNI_FRAME_PAYLOAD_MAX bytes. */
struct uni_frame uni_frame_header(enum uni_frame_type type, uint32_t sequence, size_t payload_len);

/*
 * Writes a whole frame to a blocking descriptor. Returns 0 or a negative errno value; a peer that
 * is gone is -EPIPE, without a signal when fd is a socket.
 */
int uni_frame_write(int fd, enum uni_frame_type type, uint32_t sequence, const void *payload,
		    size_t payload_len);
