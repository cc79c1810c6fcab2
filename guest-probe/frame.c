/* SPDX-License-Identifier: MIT */
#include "guest-probe/frame.h"

#include "guest-probe/memory.h"
#include "tracing/errno.h"

void uni_frame_begin(struct uni_frame_writer *writer, void *buffer, size_t size,
		     enum uni_frame_type type, uint32_t sequence)
{
	const struct uni_frame header = {
		.magic = UNI_FRAME_MAGIC,
		.type = (uint16_t)type,
		.sequence = sequence,
	};

	*writer = (struct uni_frame_writer){.buffer = buffer, .size = size};
	uni_frame_put(writer, &header, sizeof(header));
}

void *uni_frame_reserve(struct uni_frame_writer *writer, size_t len)
{
	uint8_t *at = writer->buffer + writer->len;

	if (writer->overflow || len > writer->size - writer->len) {
		writer->overflow = true;
		return NULL;
	}
	memset(at, 0, len);
	writer->len += len;
	return at;
}

void uni_frame_put(struct uni_frame_writer *writer, const void *bytes, size_t len)
{
	void *at = uni_frame_reserve(writer, len);

	if (at && len)
		memcpy(at, bytes, len);
}

size_t uni_frame_room(const struct uni_frame_writer *writer)
{
	return writer->overflow ? 0 : writer->size - writer->len;
}

void uni_frame_trim(struct uni_frame_writer *writer, size_t len)
{
	if (!writer->overflow && len <= writer->len - sizeof(struct uni_frame))
		writer->len -= len;
}

struct uni_table *uni_frame_put_table(struct uni_frame_writer *writer, uint64_t tsc,
				      uint64_t time_ns, size_t record_size)
{
	struct uni_table *table = uni_frame_reserve(writer, sizeof(*table));

	if (table) {
		table->tsc = tsc;
		table->time_ns = time_ns;
		table->record_size = (uint16_t)record_size;
	}
	return table;
}

int uni_frame_finish(struct uni_frame_writer *writer, size_t *len)
{
	const size_t payload = writer->len - sizeof(struct uni_frame);
	const uint32_t length = (uint32_t)payload;

	if (writer->overflow || payload > UNI_FRAME_PAYLOAD_MAX)
		return -UNI_ENOSPC;
	memcpy(writer->buffer + offsetof(struct uni_frame, length), &length, sizeof(length));
	*len = writer->len;
	return 0;
}

void uni_frame_text(char *field, size_t size, const char *text)
{
	size_t len = 0;

	while (len < size && text && text[len])
		len++;
	memset(field, 0, size);
	if (len)
		memcpy(field, text, len);
}

void uni_frame_reader_init(struct uni_frame_reader *reader, void *payload, size_t size)
{
	*reader = (struct uni_frame_reader){.payload = payload, .size = size};
}

void uni_frame_reader_reset(struct uni_frame_reader *reader)
{
	reader->header_have = 0;
	reader->payload_have = 0;
}

static bool magic_may_begin(const uint8_t *bytes, uint32_t len)
{
	const uint32_t magic = UNI_FRAME_MAGIC;
	const uint32_t check = len < sizeof(magic) ? len : (uint32_t)sizeof(magic);

	return memcmp(bytes, &magic, check) == 0;
}

/* Drops bytes of the header's front until what is left may begin a frame. */
static void resynchronise(struct uni_frame_reader *reader)
{
	uint8_t *header = (uint8_t *)&reader->header;
	uint32_t from = 1;

	while (from < reader->header_have &&
	       !magic_may_begin(header + from, reader->header_have - from))
		from++;
	reader->skipped_bytes += from;
	reader->header_have -= from;
	memmove(header, header + from, reader->header_have);
}

/* Takes what is missing of the header. True when it is complete and makes sense. */
static bool take_header(struct uni_frame_reader *reader, const uint8_t **bytes, size_t *len)
{
	uint8_t *header = (uint8_t *)&reader->header;

	while (reader->header_have < sizeof(reader->header) && *len > 0) {
		header[reader->header_have++] = *(*bytes)++;
		--*len;
		if (!magic_may_begin(header, reader->header_have) ||
		    (reader->header_have == sizeof(reader->header) &&
		     reader->header.length > UNI_FRAME_PAYLOAD_MAX))
			resynchronise(reader);
	}
	return reader->header_have == sizeof(reader->header);
}

static void take_payload(struct uni_frame_reader *reader, const uint8_t **bytes, size_t *len)
{
	const uint32_t missing = reader->header.length - reader->payload_have;
	const size_t taken = *len < missing ? *len : missing;

	if (taken && reader->header.length <= reader->size)
		memcpy(reader->payload + reader->payload_have, *bytes, taken);
	reader->payload_have += (uint32_t)taken;
	*bytes += taken;
	*len -= taken;
}

bool uni_frame_read(struct uni_frame_reader *reader, const uint8_t **bytes, size_t *len)
{
	/* The frame that the last call handed out stays readable until this one. */
	if (reader->header_have == sizeof(reader->header) &&
	    reader->payload_have == reader->header.length)
		uni_frame_reader_reset(reader);

	while (take_header(reader, bytes, len)) {
		take_payload(reader, bytes, len);
		if (reader->payload_have < reader->header.length)
			return false;
		if (reader->header.length <= reader->size)
			return true;
		reader->skipped_frames++;
		uni_frame_reader_reset(reader);
	}
	return false;
}
