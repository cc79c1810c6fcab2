/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/frame_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tracing/errno.h"

#define ROOM_MIN 4096
#define CAPACITY_FIRST (64 * 1024)

static const uint8_t magic[4] = {'U', 'N', 'I', 'F'};

void uni_frame_decoder_init(struct uni_frame_decoder *decoder)
{
	*decoder = (struct uni_frame_decoder){0};
}

void uni_frame_decoder_fini(struct uni_frame_decoder *decoder)
{
	free(decoder->data);
	*decoder = (struct uni_frame_decoder){0};
}

static size_t pending(const struct uni_frame_decoder *decoder)
{
	return decoder->end - decoder->start;
}

int uni_frame_decoder_room(struct uni_frame_decoder *decoder, uint8_t **room, size_t *len)
{
	if (decoder->start > 0) {
		memmove(decoder->data, decoder->data + decoder->start, pending(decoder));
		decoder->end -= decoder->start;
		decoder->start = 0;
	}
	/* Bounded: uni_frame_decoder_next() leaves less than one frame, so pending does not grow
	 * past the largest frame before it is taken. */
	if (decoder->capacity - decoder->end < ROOM_MIN) {
		size_t capacity = decoder->capacity ? decoder->capacity * 2 : CAPACITY_FIRST;
		uint8_t *data = realloc(decoder->data, capacity);

		if (!data)
			return -UNI_ENOMEM;
		decoder->data = data;
		decoder->capacity = capacity;
	}
	*room = decoder->data + decoder->end;
	*len = decoder->capacity - decoder->end;
	return 0;
}

void uni_frame_decoder_fill(struct uni_frame_decoder *decoder, size_t len)
{
	decoder->end += len;
}

static void skip(struct uni_frame_decoder *decoder, size_t len)
{
	if (len == 0)
		return;
	if (!decoder->skipping)
		decoder->skipped_runs++;
	decoder->skipping = true;
	decoder->skipped_bytes += len;
	decoder->start += len;
}

/* Moves to the next place that may be a magic, whole or cut by the end of the data. */
static void find_magic(struct uni_frame_decoder *decoder)
{
	const uint8_t *data = decoder->data + decoder->start;
	size_t len = pending(decoder);
	size_t at = 0;

	while (at < len) {
		const uint8_t *found = memchr(data + at, magic[0], len - at);
		size_t have;

		if (!found) {
			at = len;
			break;
		}
		at = (size_t)(found - data);
		have = len - at < sizeof(magic) ? len - at : sizeof(magic);
		if (memcmp(found, magic, have) == 0)
			break;
		at++;
	}
	skip(decoder, at);
}

static bool is_plausible(const struct uni_frame *frame)
{
	return frame->length <= UNI_FRAME_PAYLOAD_MAX && frame->reserved == 0;
}

bool uni_frame_decoder_next(struct uni_frame_decoder *decoder, struct uni_frame *frame,
			    const uint8_t **payload)
{
	struct uni_frame header;

	for (;;) {
		if (pending(decoder) > 0)
			find_magic(decoder);
		if (pending(decoder) < sizeof(header))
			return false;
		memcpy(&header, decoder->data + decoder->start, sizeof(header));
		if (is_plausible(&header))
			break;
		skip(decoder, 1);
	}
	if (pending(decoder) - sizeof(header) < header.length)
		return false;
	*frame = header;
	*payload = decoder->data + decoder->start + sizeof(header);
	decoder->start += sizeof(header) + header.length;
	decoder->skipping = false;
	decoder->frames++;
	return true;
}

struct uni_frame uni_frame_header(enum uni_frame_type type, uint32_t sequence, size_t payload_len)
{
	return (struct uni_frame){
		.magic = UNI_FRAME_MAGIC,
		.type = (uint16_t)type,
		.length = (uint32_t)payload_len,
		.sequence = sequence,
	};
}

int uni_frame_write(int fd, enum uni_frame_type type, uint32_t sequence, const void *payload,
		    size_t payload_len)
{
	struct uni_frame header = uni_frame_header(type, sequence, payload_len);
	struct iovec parts[2] = {
		{.iov_base = &header, .iov_len = sizeof(header)},
		{.iov_base = (void *)payload, .iov_len = payload_len},
	};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = payload_len > 0 ? 2 : 1};

	while (message.msg_iovlen > 0) {
		ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -errno;
		while (message.msg_iovlen > 0 && (size_t)sent >= message.msg_iov->iov_len) {
			sent -= (ssize_t)message.msg_iov->iov_len;
			message.msg_iov++;
			message.msg_iovlen--;
		}
		if (message.msg_iovlen > 0) {
			message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + sent;
			message.msg_iov->iov_len -= (size_t)sent;
		}
	}
	return 0;
}
