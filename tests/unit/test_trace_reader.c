/* SPDX-License-Identifier: MIT */

/* Recordings written byte by byte: the example of docs/formats/trace.md, and what is wrong with it
 * in many ways. */

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host-tools/lib/recording.h"
#include "host-tools/lib/trace_reader.h"
#include "tracing/errno.h"

/* docs/formats/trace.md, "An event": sched:switch prev=5 next=2 prev_state=3, event 18 there, 0
 * here. */
static const uint8_t example[144] = {
	0xc1, 0x1f, 0xfc, 0xc1, 1,    2, 3, 4, 5,    6,	   7, 8, 9, 10, 11, 12,
	13,   14,   15,	  16,	0,    0, 0, 0, /* stream_id */
	0x01, 0,    0,	  0,	0x01, 0, 0, 0, /* version, event_count */
	0x01, 0,    0,	  0,	0,    0, 0, 0, /* events_emitted */
	0,    0,    0,	  0,	0,    0, 0, 0, 0,    0,	   0, 0, 0, 0,	0,  0, /* reserved */
	0,    0,    0,	  0,	0,    0, 0, 0, 0x00, 0x10, 0, 0, 0, 0,	0,  0, /* begin */
	0x40, 0x10, 0,	  0,	0,    0, 0, 0,				       /* end */
	0x48, 0x04, 0,	  0,	0,    0, 0, 0,				       /* content_size */
	0x80, 0x04, 0,	  0,	0,    0, 0, 0,				       /* packet_size */
	0,    0,    0,	  0,	0,    0, 0, 0,				       /* packet_seq_num */
	0,    0,    0,	  0,	0,    0, 0, 0, /* events_discarded */
	0x01, 0,    0,	  0,	0,    0, 0, 0, /* cpu_id */
	0x00, 0,    0,	  0x01, 0,    0, 0, 0, /* id 0, TSC 0x1000 */
	0x05, 0,    0,	  0,	0x02, 0, 0, 0, 3,    0,	   0, 0, 0, 0,	0,  0,
};

#define AT_RESERVED 40
#define AT_BEGIN 64
#define AT_END 72
#define AT_SEQUENCE 96
#define AT_EVENT 120

static char folder[] = "/tmp/uni-trace-XXXXXX";
static char recorded[64];

static void describe(struct uni_trace_info *info)
{
	memset(info, 0, sizeof(*info));
	strcpy(info->guest, "web-1");
	strcpy(info->boot_id, "0102030405060708090a0b0c0d0e0f10");
	info->tsc_hz = 1000000000;
	info->tsc = 0x800;
	info->time_ns = 5000;
	info->unix_ns = 1700000000000000000;
	info->cpu_count = 2;
	info->complete = true;
	cr_assert_eq(uni_trace_points_add(&info->points, "sched:switch",
					  "u32 prev,u32 next,u8 prev_state"),
		     0);
	cr_assert_eq(uni_trace_points_add(&info->points, "app:phase", "str name"), 0);
	cr_assert_eq(uni_trace_info_name_thread(info, 5, "worker", 6), 0);
}

/* A recording of these packets, in recorded[]. */
static void record(const uint8_t *bytes, size_t len, size_t times)
{
	struct uni_recording *recording;
	struct uni_trace_info info;
	struct uni_error error;
	uint8_t *packet = malloc(len);

	memcpy(packet, bytes, len);
	describe(&info);
	strcpy(folder, "/tmp/uni-trace-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	snprintf(recorded, sizeof(recorded), "%s/r", folder);
	cr_assert_eq(uni_recording_create(recorded, 1 << 20, &recording, &error), 0);
	for (size_t i = 0; i < times; i++) {
		packet[AT_SEQUENCE] = (uint8_t)i;
		cr_assert_eq(uni_recording_packet(recording, &info, packet, len, &error), 0);
	}
	info.cpus[1].emitted = 7;
	cr_assert_eq(uni_recording_finish(recording, &info, &error), 0);
	uni_recording_close(recording);
	uni_trace_info_fini(&info);
	free(packet);
}

/* As record(), but the bytes get into stream_1 whatever they are. */
static void record_raw(const uint8_t *bytes, size_t len)
{
	char path[96];
	int fd;

	record(example, sizeof(example), 1);
	snprintf(path, sizeof(path), "%s/stream_1", recorded);
	fd = open(path, O_WRONLY | O_TRUNC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

static void clean(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
}

/* Reads all; the number of events, or what failed. */
static int read_all(struct uni_trace_event *last, struct uni_error *error)
{
	struct uni_trace_reader *reader;
	int events = 0, result = uni_trace_reader_open(recorded, &reader, error);

	if (result < 0)
		return result;
	while ((result = uni_trace_reader_next(reader, last, error)) > 0)
		events++;
	uni_trace_reader_close(reader);
	return result < 0 ? result : events;
}

Test(trace_reader, reads_the_example_of_the_format)
{
	struct uni_trace_reader *reader;
	struct uni_trace_event event;
	struct uni_error error;

	record(example, sizeof(example), 1);
	cr_assert_eq(uni_trace_reader_open(recorded, &reader, &error), 0);
	cr_assert_eq(uni_trace_reader_next(reader, &event, &error), 1);
	cr_assert_str_eq(event.point->name, "sched:switch");
	cr_assert_eq(event.cpu, 1);
	/* 0x1000 - 0x800 cycles of 1 ns after 5,000 ns. */
	cr_assert_eq(event.time_ns, 5000 + 0x800);
	cr_assert_eq(uni_trace_event_number(&event, "prev"), 5);
	cr_assert_eq(uni_trace_event_number(&event, "next"), 2);
	cr_assert_eq(uni_trace_event_number(&event, "prev_state"), 3);
	cr_assert_eq(uni_trace_reader_next(reader, &event, &error), 0);

	const struct uni_trace_info *info = uni_trace_reader_info(reader);

	cr_assert_str_eq(info->guest, "web-1");
	cr_assert_eq(info->cpus[1].recorded, 1);
	cr_assert_eq(uni_trace_cpu_lost(&info->cpus[1]), 6);
	cr_assert_str_eq(uni_trace_info_thread(info, 5), "worker");
	uni_trace_reader_close(reader);
	clean();
}

Test(trace_reader, reads_packet_after_packet)
{
	struct uni_trace_event event;
	struct uni_error error;

	uint8_t packet[sizeof(example)];

	memcpy(packet, example, sizeof(packet));
	packet[AT_END] = 0x00; /* end = begin, so that the next may begin there */
	record(packet, sizeof(packet), 3);
	cr_assert_eq(read_all(&event, &error), 3);
	clean();
}

Test(trace_reader, takes_no_notice_of_what_a_later_guest_adds)
{
	uint8_t packet[sizeof(example)];
	struct uni_trace_event event;
	struct uni_error error;

	memcpy(packet, example, sizeof(packet));
	memset(packet + AT_RESERVED, 0xab, AT_BEGIN - AT_RESERVED);
	record(packet, sizeof(packet), 1);
	cr_assert_eq(read_all(&event, &error), 1);
	clean();
}

Test(trace_reader, extends_the_clock_beyond_52_bits)
{
	uint8_t packet[sizeof(example)];
	struct uni_trace_event event;
	struct uni_error error;

	/* Begins just before the low 52 bits wrap: 0x1f_ffff_ffff_fff0; the event is after it, at
	 * 0x20_0000_0000_0008. */
	static const uint8_t begin[8] = {0xf0, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0};
	static const uint8_t end[8] = {0x10, 0, 0, 0, 0, 0, 0x20, 0};
	static const uint8_t header[8] = {0x00, 0x80, 0, 0, 0, 0, 0, 0};

	memcpy(packet, example, sizeof(packet));
	memcpy(packet + AT_BEGIN, begin, 8);
	memcpy(packet + AT_END, end, 8);
	memcpy(packet + AT_EVENT, header, 8);
	record(packet, sizeof(packet), 1);
	cr_assert_eq(read_all(&event, &error), 1);
	cr_assert_eq(event.time_ns, 0x20000000000008 - 0x800 + 5000);
	clean();
}

Test(trace_reader, names_file_and_offset_of_what_is_wrong)
{
	static const struct {
		size_t offset;
		uint8_t value;
	} damages[] = {
		{0, 0},		      /* magic */
		{20, 1},	      /* stream_id */
		{24, 2},	      /* version */
		{28, 200},	      /* more events than fit */
		{AT_END, 0xff},	      /* fine: a later end */
		{AT_END + 1, 0x0f},   /* end before begin */
		{80, 0x49},	      /* content_size in odd bits */
		{81, 0x05},	      /* content beyond the packet */
		{81, 0x03},	      /* content within the header */
		{89, 0x05},	      /* packet beyond the file */
		{94, 0xff},	      /* packet_size of petabytes */
		{112, 0},	      /* another CPU */
		{AT_EVENT, 2},	      /* an unknown event */
		{AT_EVENT, 1},	      /* app:phase is shorter: bytes are left */
		{80, 0x40},	      /* the last field cut off */
		{AT_EVENT + 2, 0x05}, /* an event after the packet's end */
	};
	struct uni_trace_event event;

	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct uni_error error = {0};
		uint8_t packet[sizeof(example)];
		int result;

		memcpy(packet, example, sizeof(packet));
		packet[damages[i].offset] = damages[i].value;
		record_raw(packet, sizeof(packet));
		result = read_all(&event, &error);
		if (damages[i].offset == AT_END) {
			cr_assert_eq(result, 1);
		} else {
			cr_assert_lt(result, 0, "damage %zu", i);
			cr_assert_not_null(strstr(error.text, "stream_1"), "%s", error.text);
			cr_assert_not_null(strstr(error.text, "offset "), "%s", error.text);
		}
		clean();
	}
}

Test(trace_reader, takes_no_harm_from_any_damaged_byte)
{
	struct uni_trace_event event;

	srand(1);
	for (int i = 0; i < 400; i++) {
		struct uni_error error;
		uint8_t packet[2 * sizeof(example)];

		memcpy(packet, example, sizeof(example));
		memcpy(packet + sizeof(example), example, sizeof(example));
		packet[sizeof(example) + AT_SEQUENCE] = 1;
		packet[AT_END] = 0;
		for (int flips = 0; flips < 3; flips++)
			packet[(size_t)rand() % sizeof(packet)] ^= (uint8_t)(1 << rand() % 8);
		record_raw(packet, sizeof(packet) - (size_t)rand() % 40);
		/* Either way: the sanitizers judge. */
		cr_assert_leq(read_all(&event, &error), 64);
		clean();
	}
}

Test(trace_reader, leaves_packets_of_another_life_out)
{
	uint8_t packet[sizeof(example)];
	struct uni_trace_event event;
	struct uni_error error;

	memcpy(packet, example, sizeof(packet));
	packet[4] = 0x99;
	record(packet, sizeof(packet), 1);
	cr_assert_eq(read_all(&event, &error), 0);
	clean();
}

Test(recording, refuses_a_folder_that_is_there_and_removes_what_was_not_finished)
{
	struct uni_recording *recording;
	struct uni_trace_info info;
	struct uni_error error;
	struct stat status;

	describe(&info);
	strcpy(folder, "/tmp/uni-trace-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(uni_recording_create(folder, 1 << 20, &recording, &error), -UNI_EEXIST);
	snprintf(recorded, sizeof(recorded), "%s/r", folder);
	cr_assert_eq(uni_recording_create(recorded, 1 << 20, &recording, &error), 0);
	cr_assert_eq(uni_recording_packet(recording, &info, example, sizeof(example), &error), 0);
	uni_recording_close(recording);
	cr_assert_eq(stat(recorded, &status), -1);
	uni_trace_info_fini(&info);
	clean();
}

Test(recording, is_never_larger_than_it_may_be)
{
	struct uni_recording *recording;
	struct uni_trace_info info;
	struct uni_error error;
	char path[96];
	struct stat status;

	describe(&info);
	strcpy(folder, "/tmp/uni-trace-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	snprintf(recorded, sizeof(recorded), "%s/r", folder);
	/* Room for 20 packets and a half; one sixteenth is 1.3 of them. */
	cr_assert_eq(uni_recording_create(recorded, 20 * sizeof(example) + 72, &recording, &error),
		     0);
	for (unsigned i = 0; i < 30; i++) {
		cr_assert_eq(uni_recording_is_full(recording), i > 19, "after %u", i);
		cr_assert_eq(
			uni_recording_packet(recording, &info, example, sizeof(example), &error),
			0);
	}
	cr_assert_eq(info.cpus[1].recorded, 20);
	snprintf(path, sizeof(path), "%s/stream_1", recorded);
	cr_assert_eq(stat(path, &status), 0);
	cr_assert_eq(status.st_size, 20 * (off_t)sizeof(example));
	uni_recording_close(recording);
	uni_trace_info_fini(&info);
	clean();
}
