/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/trace_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/cursor.h"
#include "host-tools/lib/trace_packet.h"
#include "tracing/errno.h"

/* One CPU's file, and the packet and event where reading it stands. */
struct stream {
	int fd; /* -1: the CPU recorded nothing */
	char name[24];
	uint64_t file_offset;	/* of the next packet */
	uint64_t packet_offset; /* of the one in `packet` */
	uint8_t *packet;
	struct uni_trace_packet header;
	struct uni_cursor cursor; /* behind the event that is next */
	bool in_packet;
	uint64_t next_sequence;
	uint64_t tsc; /* of the event that is next */
	bool has_event;
	struct uni_trace_event event;
};

struct uni_trace_reader {
	char *folder;
	struct uni_trace_info info;
	struct stream streams[UNI_TRACE_CPUS_MAX];
	struct stream *given; /* whose event the caller has */
};

static int fail(const struct uni_trace_reader *reader, const struct stream *stream, uint64_t offset,
		const char *what, struct uni_error *error)
{
	return uni_error_set(error, -UNI_EINVAL, "cannot read %s/%s: offset %" PRIu64 ": %s",
			     reader->folder, stream->name, offset, what);
}

/* Reads len bytes or, at the end of the file, less; the count or -errno. */
static ssize_t read_at(int fd, void *data, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t got = pread(fd, (char *)data + done, len - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

/* 1: a packet is there; 0: the end of the file. */
static int next_packet(struct uni_trace_reader *reader, struct stream *stream,
		       struct uni_error *error)
{
	uint8_t start[sizeof(struct uni_trace_packet)];
	uint64_t offset = stream->file_offset;
	ssize_t got = read_at(stream->fd, start, sizeof(start), offset);
	size_t size, content;
	uint8_t *packet;

	if (got == 0)
		return 0;
	if (got < 0)
		return uni_error_system(error, (int)-got, "cannot read %s/%s", reader->folder,
					stream->name);
	if (uni_trace_packet_read(start, (size_t)got, &stream->header) < 0)
		return fail(reader, stream, offset, "not a trace packet", error);
	if (stream->header.cpu_id != stream - reader->streams)
		return fail(reader, stream, offset, "a packet of another CPU", error);
	if (stream->header.packet_seq_num < stream->next_sequence)
		return fail(reader, stream, offset, "packets are out of order", error);
	size = stream->header.packet_size / 8;
	content = stream->header.content_size / 8;
	packet = realloc(stream->packet, size);
	if (!packet)
		return uni_error_system(error, ENOMEM, "cannot read %s", reader->folder);
	stream->packet = packet;
	got = read_at(stream->fd, packet, size, offset);
	if (got < 0 || (size_t)got != size)
		return fail(reader, stream, offset, "the packet is cut off", error);
	if (stream->header.timestamp_begin < stream->tsc)
		return fail(reader, stream, offset, "time goes back", error);
	uni_cursor_init(&stream->cursor, packet, content, stream->name);
	uni_cursor_skip(&stream->cursor, sizeof(stream->header));
	stream->packet_offset = offset;
	stream->file_offset = offset + size;
	stream->next_sequence = stream->header.packet_seq_num + 1;
	stream->tsc = stream->header.timestamp_begin;
	stream->in_packet = true;
	return 1;
}

static void read_value(struct uni_cursor *cursor, const struct uni_trace_field *field,
		       struct uni_trace_value *value)
{
	*value = (struct uni_trace_value){.field = field};
	switch (field->size) {
	case 1:
		value->number = uni_cursor_u8(cursor);
		break;
	case 2:
		value->number = uni_cursor_u16(cursor);
		break;
	case 4:
		value->number = uni_cursor_u32(cursor);
		break;
	case 8:
		value->number = uni_cursor_u64(cursor);
		break;
	default: {
		size_t len = strnlen((const char *)cursor->next, cursor->left);

		/* The terminator must be there too. */
		value->text = uni_cursor_bytes(cursor, len + 1);
		if (!value->text)
			value->text = "";
		return;
	}
	}
	if (field->kind == UNI_TRACE_SIGNED && field->size < 8) {
		unsigned unused = 64 - field->size * 8u;

		value->number = (uint64_t)((int64_t)(value->number << unused) >> unused);
	}
}

/* The full TSC of an event whose low 52 bits are given: the next such moment at or after the one
 * before. Less than that one when 64 bits have none. */
static uint64_t extend_tsc(uint64_t before, uint64_t low)
{
	uint64_t mask = UINT64_MAX >> UNI_TRACE_ID_BITS;
	uint64_t tsc = (before & ~mask) | low;

	return tsc < before ? tsc + mask + 1 : tsc;
}

static int next_event(struct uni_trace_reader *reader, struct stream *stream,
		      struct uni_error *error)
{
	struct uni_trace_event *event = &stream->event;
	uint64_t header, tsc, offset = stream->packet_offset + stream->cursor.offset;
	uint32_t id;

	header = uni_cursor_u64(&stream->cursor);
	id = (uint32_t)(header & (UNI_TRACE_EVENTS_MAX - 1));
	if (uni_cursor_failed(&stream->cursor))
		return fail(reader, stream, offset, "an event is cut off", error);
	if (id >= reader->info.points.count)
		return fail(reader, stream, offset, "an event of an unknown tracepoint", error);
	tsc = extend_tsc(stream->tsc, header >> UNI_TRACE_ID_BITS);
	if (tsc < stream->tsc || tsc > stream->header.timestamp_end)
		return fail(reader, stream, offset, "an event is outside its packet's time", error);
	stream->tsc = tsc;
	event->point = &reader->info.points.list[id];
	event->time_ns = uni_trace_info_ns(&reader->info, stream->tsc);
	event->cpu = stream->header.cpu_id;
	for (uint32_t i = 0; i < event->point->field_count; i++)
		read_value(&stream->cursor, &event->point->field[i], &event->values[i]);
	/* The padding belongs to the event that follows. */
	if (stream->cursor.left > 0)
		uni_cursor_align(&stream->cursor, UNI_TRACE_ALIGN);
	if (uni_cursor_failed(&stream->cursor))
		return fail(reader, stream, offset, "an event is cut off", error);
	stream->has_event = true;
	return 1;
}

/* Finds the stream's next event, if it has one. */
static int advance(struct uni_trace_reader *reader, struct stream *stream, struct uni_error *error)
{
	stream->has_event = false;
	while (stream->fd >= 0) {
		int result;

		if (stream->in_packet && stream->cursor.left > 0)
			return next_event(reader, stream, error);
		stream->in_packet = false;
		result = next_packet(reader, stream, error);
		if (result <= 0)
			return result;
	}
	return 0;
}

static int open_streams(struct uni_trace_reader *reader, int folder_fd, struct uni_error *error)
{
	for (uint32_t cpu = 0; cpu < reader->info.cpu_count; cpu++) {
		struct stream *stream = &reader->streams[cpu];
		int result;

		snprintf(stream->name, sizeof(stream->name), "stream_%" PRIu32, cpu);
		stream->fd = openat(folder_fd, stream->name, O_RDONLY | O_CLOEXEC);
		if (stream->fd < 0 && errno != ENOENT)
			return uni_error_system(error, errno, "cannot read %s/%s", reader->folder,
						stream->name);
		result = advance(reader, stream, error);
		if (result < 0)
			return result;
	}
	return 0;
}

int uni_trace_reader_open(const char *folder, struct uni_trace_reader **out,
			  struct uni_error *error)
{
	uni_cleanup_fd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct uni_trace_reader *reader;
	int result;

	if (fd < 0)
		return uni_error_system(error, errno, "cannot read %s", folder);
	reader = calloc(1, sizeof(*reader));
	if (!reader || !(reader->folder = strdup(folder))) {
		free(reader);
		return uni_error_system(error, ENOMEM, "cannot read %s", folder);
	}
	for (size_t i = 0; i < UNI_TRACE_CPUS_MAX; i++)
		reader->streams[i].fd = -1;
	result = uni_trace_info_read(&reader->info, fd, folder, error);
	if (result == 0)
		result = open_streams(reader, fd, error);
	if (result < 0) {
		uni_trace_reader_close(reader);
		return result;
	}
	*out = reader;
	return 0;
}

void uni_trace_reader_close(struct uni_trace_reader *reader)
{
	if (!reader)
		return;
	for (size_t i = 0; i < UNI_TRACE_CPUS_MAX; i++) {
		if (reader->streams[i].fd >= 0)
			close(reader->streams[i].fd);
		free(reader->streams[i].packet);
	}
	uni_trace_info_fini(&reader->info);
	free(reader->folder);
	free(reader);
}

const struct uni_trace_info *uni_trace_reader_info(const struct uni_trace_reader *reader)
{
	return &reader->info;
}

struct uni_trace_info *uni_trace_reader_info_mutable(struct uni_trace_reader *reader)
{
	return &reader->info;
}

int uni_trace_reader_next(struct uni_trace_reader *reader, struct uni_trace_event *event,
			  struct uni_error *error)
{
	struct stream *first = NULL;

	/* Strings of an event lie in its packet, so its stream moves on only with the next call. */
	if (reader->given) {
		int result = advance(reader, reader->given, error);

		reader->given = NULL;
		if (result < 0)
			return result;
	}
	/* CPUs are few: looking at each costs less than keeping a heap of them. */
	for (uint32_t cpu = 0; cpu < reader->info.cpu_count; cpu++) {
		struct stream *stream = &reader->streams[cpu];

		if (stream->has_event && (!first || stream->tsc < first->tsc))
			first = stream;
	}
	if (!first)
		return 0;
	reader->given = first;
	*event = first->event;
	return 1;
}

uint64_t uni_trace_event_number(const struct uni_trace_event *event, const char *field)
{
	for (uint32_t i = 0; i < event->point->field_count; i++) {
		if (strcmp(event->point->field[i].name, field) == 0)
			return event->values[i].number;
	}
	return 0;
}

const char *uni_trace_event_text(const struct uni_trace_event *event, const char *field)
{
	for (uint32_t i = 0; i < event->point->field_count; i++) {
		if (event->values[i].text && strcmp(event->point->field[i].name, field) == 0)
			return event->values[i].text;
	}
	return "";
}
