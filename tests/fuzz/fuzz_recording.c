/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the reader of recordings. An input is a recording's stream_0, or, when it begins with `{`,
 * its uniscope/info.json; the other file is a sound one.
 *
 * A stream is read beside a second reader, which does what docs/formats/trace.md says and no more.
 * Checked, besides what the sanitizers find: both find the same events, and both or none an error;
 * time does not go back; what is shown of an event has no control characters; an error says where.
 * An info.json that is taken is taken again as it is written, and says the same.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host-tools/lib/trace_info.h"
#include "host-tools/lib/trace_reader.h"
#include "host-tools/lib/trace_text.h"
#include "tests/fuzz/replay.h"

static const char *const points[][2] = {
	{"sched:switch", "u32 prev,u32 next,u8 prev_state"},
	{"app:phase", "str name"},
	{"app:all", "s8 a,x16 b,str c,s32 d,u64 e,str f"},
	{"app:none", ""},
};

#define POINTS (sizeof(points) / sizeof(points[0]))

static const char sound_info[] =
	"{\"version\":1,\"guest\":\"web-1\",\"image\":\"/tmp/"
	"x\",\"boot_id\":\"01\",\"build_id\":\"02\","
	"\"application\":\"shop\",\"kernel\":\"k\",\"clock\":{\"tsc_hz\":1000000000,\"tsc\":2048,"
	"\"time_ns\":5000,\"unix_ns\":1700000000000000000},\"duration_ns\":9,\"complete\":true,"
	"\"cpus\":[{\"cpu\":0,\"emitted\":7,\"recorded\":6}],\"threads\":[{\"id\":5,\"name\":\"w\"}"
	","
	"{\"id\":2,\"name\":\"idle\"}],\"tracepoints\":["
	"{\"id\":0,\"name\":\"sched:switch\",\"fields\":\"u32 prev,u32 next,u8 prev_state\"},"
	"{\"id\":1,\"name\":\"app:phase\",\"fields\":\"str name\"},"
	"{\"id\":2,\"name\":\"app:all\",\"fields\":\"s8 a,x16 b,str c,s32 d,u64 e,str f\"},"
	"{\"id\":3,\"name\":\"app:none\",\"fields\":\"\"}]}";

static unsigned long streams_read;

/* --- the folder: in memory, as it is written for each input --- */

static char folder[] = "/dev/shm/uni-fuzz-XXXXXX";
static int folder_fd = -1;

static void remove_folder(void)
{
	unlinkat(folder_fd, UNI_TRACE_INFO_FILE, 0);
	unlinkat(folder_fd, UNI_TRACE_INFO_FOLDER, AT_REMOVEDIR);
	unlinkat(folder_fd, "stream_0", 0);
	rmdir(folder);
}

static void put_file(const char *name, const void *bytes, size_t len)
{
	int fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	close(fd);
}

static void make_folder(void)
{
	if (folder_fd >= 0)
		return;
	CHECK(mkdtemp(folder));
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(folder_fd >= 0 && mkdirat(folder_fd, UNI_TRACE_INFO_FOLDER, 0700) == 0);
	put_file(UNI_TRACE_INFO_FILE, sound_info, strlen(sound_info));
	atexit(remove_folder);
}

/* --- streams --- */

struct found {
	uint64_t events;
	uint64_t tsc; /* of the last event; the plain reader's */
	uint64_t digest;
	bool whole;
};

static void add(struct found *found, uint64_t value)
{
	found->digest = (found->digest ^ value) * 0x100000001b3;
}

/* The clock of sound_info: 1 GHz, at 2,048 5,000 ns had gone by. */
static void add_time(struct found *found, uint64_t tsc)
{
	add(found, tsc > UINT64_MAX - 2952 ? UINT64_MAX : tsc + 2952);
}

static uint64_t number_at(const uint8_t *bytes, size_t len)
{
	uint64_t value = 0;

	while (len-- > 0)
		value = value << 8 | bytes[len];
	return value;
}

/* An event's fields, by its tracepoint's text; the bytes that they take, or -1. */
static long plain_fields(const char *fields, const uint8_t *bytes, size_t len, struct found *found)
{
	size_t at = 0;

	while (*fields) {
		if (*fields == 's' && fields[1] == 't') {
			for (; at < len && bytes[at]; at++)
				add(found, bytes[at]);
			if (at++ >= len)
				return -1;
		} else {
			unsigned size = (unsigned)atoi(fields + 1) / 8;
			uint64_t value;

			if (len - at < size)
				return -1;
			value = number_at(bytes + at, size);
			if (*fields == 's' && size < 8 && value >> (size * 8 - 1))
				value |= UINT64_MAX << size * 8;
			add(found, value);
			at += size;
		}
		fields += strcspn(fields, ",");
		fields += *fields == ',';
	}
	return (long)at;
}

/* "Reading packets", step 3. */
static bool plain_events(const uint8_t *packet, size_t content, uint64_t begin, uint64_t end,
			 struct found *found)
{
	size_t at = 120;

	found->tsc = begin;
	while (at < content) {
		struct found event = *found;
		unsigned __int128 tsc;
		uint64_t header;
		long len;

		if (content - at < 8)
			return false;
		header = number_at(packet + at, 8);
		tsc = event.tsc;
		tsc += ((header >> 12) - event.tsc) & 0xfffffffffffff;
		if (tsc > end || header % 4096 >= POINTS)
			return false;
		event.tsc = (uint64_t)tsc;
		add(&event, header % 4096);
		add_time(&event, event.tsc);
		len = plain_fields(points[header % 4096][1], packet + at + 8, content - at - 8,
				   &event);
		if (len < 0)
			return false;
		at += 8 + (size_t)len;
		if (at < content && (at = (at + 7) / 8 * 8) > content)
			return false;
		event.events++;
		*found = event;
	}
	return true;
}

static struct found plain_read(const uint8_t *bytes, size_t len)
{
	struct found found = {0};
	uint64_t sequence = 0;

	while (len > 0) {
		uint64_t begin, end, content, size;

		if (len < 120)
			return found;
		begin = number_at(bytes + 64, 8);
		end = number_at(bytes + 72, 8);
		content = number_at(bytes + 80, 8);
		size = number_at(bytes + 88, 8);
		if (number_at(bytes, 4) != 0xc1fc1fc1 || number_at(bytes + 20, 4) != 0 ||
		    number_at(bytes + 24, 4) != 1 || content % 8 || size % 64 ||
		    size > 8 * 1048576 || content > size || content < 8 * 120 ||
		    number_at(bytes + 28, 4) > (content / 8 - 120) / 8 || end < begin)
			return found;
		/* CPU 0 has one file, whose packets are in order. */
		if (number_at(bytes + 112, 4) != 0 || number_at(bytes + 96, 8) < sequence ||
		    begin < found.tsc || size / 8 > len)
			return found;
		if (!plain_events(bytes, content / 8, begin, end, &found))
			return found;
		sequence = number_at(bytes + 96, 8) + 1;
		bytes += size / 8;
		len -= size / 8;
	}
	found.whole = true;
	return found;
}

static void add_event(struct found *found, const struct uni_trace_event *event)
{
	found->events++;
	add(found, event->point->id);
	add(found, event->time_ns);
	for (uint32_t i = 0; i < event->point->field_count; i++) {
		const char *text = event->values[i].text;

		if (event->point->field[i].kind != UNI_TRACE_STRING)
			add(found, event->values[i].number);
		for (; text && *text; text++)
			add(found, (uint8_t)*text);
	}
}

static struct found read_stream(FILE *shown)
{
	struct uni_trace_reader *reader;
	struct uni_trace_event event;
	struct uni_error error = {0};
	struct found found = {0};
	uint64_t last_ns = 0;
	int result = uni_trace_reader_open(folder, &reader, &error);

	if (result == 0) {
		while ((result = uni_trace_reader_next(reader, &event, &error)) > 0) {
			CHECK(event.time_ns >= last_ns && event.cpu == 0);
			last_ns = event.time_ns;
			add_event(&found, &event);
			uni_trace_print_fields(&event, shown);
		}
		uni_trace_reader_close(reader);
	}
	CHECK(result == 0 || strstr(error.text, "/stream_0: offset "));
	found.whole = result == 0;
	return found;
}

static void check_stream(const uint8_t *bytes, size_t len)
{
	struct found expected = plain_read(bytes, len), found;
	char *text = NULL;
	size_t text_len;
	FILE *shown = open_memstream(&text, &text_len);

	CHECK(shown);
	put_file("stream_0", bytes, len);
	found = read_stream(shown);
	fclose(shown);
	CHECK(found.events == expected.events);
	CHECK(found.digest == expected.digest);
	CHECK(found.whole == expected.whole);
	for (size_t i = 0; i < text_len; i++)
		CHECK((uint8_t)text[i] >= 0x20 && text[i] != 0x7f);
	free(text);
	streams_read += found.events > 0;
}

/* --- info.json --- */

static void check_info(const uint8_t *bytes, size_t len)
{
	struct uni_trace_info info, again;

	put_file(UNI_TRACE_INFO_FILE, bytes, len);
	if (uni_trace_info_read(&info, folder_fd, folder, NULL) == 0) {
		CHECK(unlinkat(folder_fd, UNI_TRACE_INFO_FILE, 0) == 0);
		CHECK(uni_trace_info_write(&info, folder_fd, NULL) == 0);
		CHECK(uni_trace_info_read(&again, folder_fd, folder, NULL) == 0);
		CHECK(again.tsc_hz == info.tsc_hz && again.complete == info.complete);
		CHECK(again.cpu_count == info.cpu_count);
		CHECK(memcmp(again.cpus, info.cpus, sizeof(info.cpus)) == 0);
		CHECK(again.thread_count == info.thread_count);
		CHECK(again.points.count == info.points.count);
		for (size_t i = 1; i < info.thread_count; i++)
			CHECK(info.threads[i - 1].id < info.threads[i].id);
		uni_trace_info_fini(&again);
	}
	uni_trace_info_fini(&info);
	put_file(UNI_TRACE_INFO_FILE, sound_info, strlen(sound_info));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	make_folder();
	if (len > 0 && bytes[0] == '{')
		check_info(bytes, len);
	else
		check_stream(bytes, len);
	return 0;
}

#define INPUT_MAX 4096

static size_t make_fields(uint8_t *out, uint64_t id)
{
	static const uint8_t sizes[POINTS] = {9, 0, 3, 0};
	static const char text[] = "worker";
	size_t len = 0;

	while (len < sizes[id])
		out[len++] = (uint8_t)replay_random();
	for (unsigned strings = id % 3; strings > 0; strings--) {
		const size_t skip = replay_random() % sizeof(text);

		memcpy(out + len, text + skip, sizeof(text) - skip);
		len += sizeof(text) - skip;
		for (unsigned left = strings == 2 ? 12 : 0; left > 0; left--)
			out[len++] = (uint8_t)replay_random();
	}
	return len;
}

static size_t make_packet(uint8_t *out, uint64_t sequence, uint64_t *tsc)
{
	struct uni_trace_packet header = {
		.magic = UNI_TRACE_MAGIC,
		.version = UNI_TRACE_VERSION,
		.timestamp_begin = *tsc,
		.packet_seq_num = sequence,
	};
	size_t len = sizeof(header), end = len;

	for (uint64_t count = 1 + replay_random() % 8; count > 0; count--) {
		const uint64_t id = replay_random() % POINTS;
		uint64_t word;

		*tsc += replay_random() % 64 ? replay_random() % 1000 : replay_random() >> 14;
		word = *tsc << UNI_TRACE_ID_BITS | id;
		memcpy(out + len, &word, sizeof(word));
		end = len + sizeof(word) + make_fields(out + len + sizeof(word), id);
		for (len = end; len % UNI_TRACE_ALIGN != 0; len++)
			out[len] = 0;
		header.event_count++;
	}
	header.timestamp_end = *tsc;
	header.content_size = end * 8;
	header.packet_size = len * 8;
	memcpy(out, &header, sizeof(header));
	return len;
}

static size_t make(uint8_t *out)
{
	uint64_t tsc = replay_random() >> replay_random() % 64;
	size_t len = 0;

	if (replay_random() % 4 == 0) {
		len = strlen(sound_info);
		memcpy(out, sound_info, len);
	} else {
		for (uint64_t count = 1 + replay_random() % 3, i = 0; i < count; i++)
			len += make_packet(out + len, i, &tsc);
	}
	return replay_mutate(out, len);
}

static unsigned long reached(void)
{
	return streams_read;
}

const struct replay replay = {
	.count = 5000,
	.size_max = INPUT_MAX,
	.make = make,
	.reached = reached,
};
