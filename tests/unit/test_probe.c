/* SPDX-License-Identifier: MIT */
/* The probe on a platform that is made of arrays. Bytes are from docs/formats/frames.md. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "guest-probe/probe.h"
#include "tracing/errno.h"

#define MS 1000000ull

static struct {
	uint64_t time_ns;
	uint8_t sent[1 << 20];
	size_t sent_len;
	size_t room; /* bytes that the port still takes */
	int closed;
	uint8_t received[4096];
	size_t received_len, received_at;
	uint32_t threads;
	uint64_t log_oldest, log_next;
	int dead;
	unsigned crashes, shutdowns;
	size_t sent_before_action;
	uint8_t points[2];
} platform;

static int write_port(void *context, const void *frame, size_t len)
{
	if (platform.closed)
		return -UNI_EIO;
	if (len > platform.room)
		return -UNI_EAGAIN;
	platform.room -= len;
	memcpy(platform.sent + platform.sent_len, frame, len);
	platform.sent_len += len;
	return 0;
}

static long read_port(void *context, void *buffer, size_t len)
{
	const size_t left = platform.received_len - platform.received_at;
	const size_t taken = len < left ? len : left;

	if (taken == 0)
		return -UNI_EAGAIN;
	memcpy(buffer, platform.received + platform.received_at, taken);
	platform.received_at += taken;
	return (long)taken;
}

static uint64_t get_tsc(void *context)
{
	return 0x1122334455667788;
}

static uint64_t get_time(void *context)
{
	return platform.time_ns;
}

static uint32_t get_cpus(void *context, struct uni_cpu_record *records, uint32_t capacity)
{
	records[0].busy_ns = 77;
	return 1;
}

static uint32_t get_threads(void *context, uint32_t after_id, struct uni_thread_record *records,
			    uint32_t capacity, uint32_t *total)
{
	uint32_t count = 0;

	while (count < capacity && after_id + count < platform.threads) {
		records[count].id = after_id + count + 1;
		count++;
	}
	*total = platform.threads;
	return count;
}

static void get_log_range(void *context, uint64_t *oldest, uint64_t *next)
{
	*oldest = platform.log_oldest;
	*next = platform.log_next;
}

static bool read_log(void *context, uint64_t sequence, struct uni_log_record *record, char *text)
{
	record->text_len = 3;
	record->level = UNI_LOG_INFO;
	memcpy(text, "abc", 3);
	return sequence >= platform.log_oldest;
}

static bool is_alive(void *context)
{
	return !platform.dead;
}

static void crash(void *context, enum uni_panic_kind kind)
{
	cr_assert_eq(kind, UNI_PANIC_HANG);
	platform.crashes++;
	platform.sent_before_action = platform.sent_len;
}

static void end(void *context)
{
	platform.shutdowns++;
	platform.sent_before_action = platform.sent_len;
}

static uint32_t event_count(void *context)
{
	return 10;
}

static void points_get(void *context, uint8_t *bitmap, uint32_t count)
{
	memcpy(bitmap, platform.points, 2);
}

static int points_set(void *context, const uint8_t *bitmap, uint32_t count)
{
	memcpy(platform.points, bitmap, 2);
	return 0;
}

static int start(void *context, enum uni_trace_mode mode)
{
	return -UNI_EBUSY;
}

static int stop(void *context)
{
	return 0;
}

static uint32_t rings(void *context, struct uni_note_ring *out, uint32_t capacity)
{
	return 0;
}

static const struct uni_probe_trace_ops trace_ops = {event_count, points_get, points_set,
						     start,	  stop,	      rings};

static const struct uni_probe_ops ops = {
	.write = write_port,
	.read = read_port,
	.tsc = get_tsc,
	.time_ns = get_time,
	.cpus = get_cpus,
	.threads = get_threads,
	.log_range = get_log_range,
	.log_read = read_log,
	.is_alive = is_alive,
	.crash = crash,
	.shutdown = end,
	.trace = &trace_ops,
};

static const struct uni_probe_identity identity = {
	.boot_id = {0xb0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xbf},
	.build_id = {0xd0, 0xd1, 0xd2},
	.build_id_len = 3,
	.cpu_count = 2,
	.features = UNI_FEATURE_TRACE | UNI_FEATURE_DUMP,
	.trace_packet_size = 0x10000,
	.tsc_hz = 0x0102030405060708,
	.memory_size = 64 << 20,
	.clock_method = UNI_CLOCK_PIT,
	.application = "shop",
	.kernel = "uniscope 0.1.0",
	.cmdline = "leak=1",
};

static struct uni_probe probe;
static struct uni_metrics metrics;
static const struct uni_metric *slots[4];
static uint64_t orders = 0x55;
static const struct uni_metric orders_metric = {
	.name = "shop.orders",
	.kind = UNI_METRIC_COUNTER,
	.unit = UNI_UNIT_NONE,
	.value = &orders,
};

static void begin(void)
{
	platform.room = SIZE_MAX;
	platform.threads = 3;
	platform.time_ns = 5 * MS;
	uni_metrics_init(&metrics, slots, 4);
	cr_assert_eq(uni_metrics_add(&metrics, &orders_metric), 0);
	uni_probe_init(&probe, &ops, NULL, &identity, &metrics);
}

/* Past the greeting and the first heartbeat. */
static void begin_quiet(void)
{
	begin();
	uni_probe_poll(&probe);
	platform.sent_len = 0;
}

/* The types of the frames that were sent, as text: "7 1 2 ". */
static const char *sent_types(void)
{
	static char types[512];
	size_t at = 0, len = 0;

	types[0] = 0;
	while (at < platform.sent_len) {
		struct uni_frame frame;

		memcpy(&frame, platform.sent + at, sizeof(frame));
		cr_assert_eq(frame.magic, UNI_FRAME_MAGIC);
		len += (size_t)snprintf(types + len, sizeof(types) - len, "%u ", frame.type);
		at += sizeof(frame) + frame.length;
	}
	cr_assert_eq(at, platform.sent_len);
	return types;
}

/* The frame number `index` of a type. */
static const uint8_t *sent_frame(uint16_t type, unsigned index)
{
	for (size_t at = 0; at < platform.sent_len;) {
		struct uni_frame frame;

		memcpy(&frame, platform.sent + at, sizeof(frame));
		if (frame.type == type && index-- == 0)
			return platform.sent + at;
		at += sizeof(frame) + frame.length;
	}
	cr_assert_fail("frame %u of type %u was not sent", index, type);
	return NULL;
}

static void ask(uint16_t type, uint32_t sequence, const void *payload, uint32_t len)
{
	const struct uni_frame frame = {
		.magic = UNI_FRAME_MAGIC, .type = type, .length = len, .sequence = sequence};

	memcpy(platform.received + platform.received_len, &frame, sizeof(frame));
	if (len)
		memcpy(platform.received + platform.received_len + sizeof(frame), payload, len);
	platform.received_len += sizeof(frame) + len;
}

static void expect_reply(unsigned index, uint32_t sequence, int32_t status)
{
	const uint8_t *frame = sent_frame(UNI_FRAME_REPLY, index);
	uint32_t got_sequence;
	int32_t got_status;

	memcpy(&got_sequence, frame + 12, 4);
	memcpy(&got_status, frame + 16, 4);
	cr_assert_eq(got_sequence, sequence);
	cr_assert_eq(got_status, status, "status %d", got_status);
}

Test(probe, greets_and_beats_at_once)
{
	begin();
	cr_assert_eq(uni_probe_poll(&probe), 1005 * MS);
	cr_assert_str_eq(sent_types(), "1 2 8 3 4 5 ");
}

Test(probe, hello_has_the_documented_bytes)
{
	static const uint8_t expected[16 + 176 + 6] = {
		'U',
		'N',
		'I',
		'F',
		1,
		0,
		0,
		0,
		182,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		1,
		0,
		176,
		0,
		2,
		0,
		0,
		0, /* 0 version, header_size, cpu_count */
		0xb0,
		1,
		2,
		3,
		4,
		5,
		6,
		7,
		8,
		9,
		10,
		11,
		12,
		13,
		14,
		0xbf, /* 8 */
		0xd0,
		0xd1,
		0xd2,
		[16 + 56] = 3,
		0,
		0,
		0,	       /* 24 build_id, 56 build_id_len */
		[16 + 60] = 6, /* features: TRACE, DUMP */
		[16 + 64] = 8,
		7,
		6,
		5,
		4,
		3,
		2,
		1, /* tsc_hz */
		[16 + 72] = 0x88,
		0x77,
		0x66,
		0x55,
		0x44,
		0x33,
		0x22,
		0x11, /* tsc */
		[16 + 80] = 0x40,
		0x4b,
		0x4c,	       /* 5,000,000 ns */
		[16 + 91] = 4, /* 64 MiB */
		[16 + 96] = 3, /* PIT */
		[16 + 100] = 0xe8,
		3, /* 1,000 ms */
		[16 + 104] = 's',
		'h',
		'o',
		'p',
		[16 + 136] = 'u',
		'n',
		'i',
		's',
		'c',
		'o',
		'p',
		'e',
		' ',
		'0',
		'.',
		'1',
		'.',
		'0',
		[16 + 168] = 6, /* cmdline_len */
		[16 + 174] = 1, /* trace_packet_size 0x10000 */
		[16 + 176] = 'l',
		'e',
		'a',
		'k',
		'=',
		'1',
	};

	begin();
	uni_probe_poll(&probe);
	cr_assert_arr_eq(platform.sent, expected, sizeof(expected));
}

Test(probe, metrics_have_the_documented_bytes)
{
	static const uint8_t table[16 + 32 + 64] = {
		'U', 'N', 'I',	'F',  2,    0,	  0,	0,    96,   0,	  0,	0,    0,    0,
		0,   0,	  0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x40, 0x4b, 0x4c, 0,
		0,   0,	  0,	0,    1,    0,	  0,	0,    1,    0,	  0,	0,    64,   0,
		0,   0,	  0,	0,    0,    0,	  1,	0,    0,    0,	  1,	0,    0,    0,
		's', 'h', 'o',	'p',  '.',  'o',  'r',	'd',  'e',  'r',  's',
	};
	static const uint8_t values[16 + 32 + 16] = {
		'U', 'N',  'I',	 'F',  3,    0,	   0,	 0,    48,   0,	   0,	 0,    0, 0, 0,
		0,   0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x40, 0x4b, 0x4c, 0, 0, 0,
		0,   0,	   1,	 0,    0,    0,	   1,	 0,    0,    0,	   16,	 0,    0, 0, 0,
		0,   0,	   0,	 1,    0,    0,	   0,	 0,    0,    0,	   0,	 0x55,
	};

	begin();
	uni_probe_poll(&probe);
	cr_assert_arr_eq(sent_frame(UNI_FRAME_METRIC_TABLE, 0), table, sizeof(table));
	cr_assert_arr_eq(sent_frame(UNI_FRAME_METRICS, 0), values, sizeof(values));
}

Test(probe, beats_each_interval_and_not_before)
{
	begin_quiet();
	platform.time_ns = 1004 * MS;
	cr_assert_eq(uni_probe_poll(&probe), 1005 * MS);
	cr_assert_str_eq(sent_types(), "");
	platform.time_ns = 1005 * MS;
	cr_assert_eq(uni_probe_poll(&probe), 2005 * MS);
	cr_assert_str_eq(sent_types(), "3 4 5 ");
}

Test(probe, leaves_the_heartbeat_out_when_a_cpu_is_dead)
{
	begin_quiet();
	platform.dead = 1;
	platform.time_ns = 1005 * MS;
	uni_probe_poll(&probe);
	cr_assert_str_eq(sent_types(), "4 5 ");
	ask(UNI_FRAME_SNAPSHOT, 1, NULL, 0);
	uni_probe_poll(&probe);
	cr_assert_str_eq(sent_types(), "4 5 7 3 4 5 ");
}

Test(probe, answers_each_request_before_what_it_asks_for)
{
	begin_quiet();
	ask(UNI_FRAME_PING, 11, NULL, 0);
	ask(UNI_FRAME_HELLO_REQUEST, 12, NULL, 0);
	ask(99, 13, "x", 1);
	ask(UNI_FRAME_SNAPSHOT, 14, NULL, 0);
	uni_probe_poll(&probe);
	cr_assert_str_eq(sent_types(), "7 7 1 2 8 7 7 3 4 5 ");
	expect_reply(0, 11, 0);
	expect_reply(1, 12, 0);
	expect_reply(2, 13, -UNI_ENOTSUP);
	expect_reply(3, 14, 0);
}

Test(probe, checks_the_interval)
{
	begin_quiet();
	for (uint32_t i = 0; i < 4; i++) {
		static const uint32_t intervals[4] = {9, 60001, 10, 60000};
		const struct uni_interval interval = {.interval_ms = intervals[i]};

		ask(UNI_FRAME_INTERVAL, i, &interval, sizeof(interval));
	}
	ask(UNI_FRAME_INTERVAL, 4, "abc", 3);
	uni_probe_poll(&probe);
	expect_reply(0, 0, -UNI_EINVAL);
	expect_reply(1, 1, -UNI_EINVAL);
	expect_reply(2, 2, 0);
	expect_reply(3, 3, 0);
	expect_reply(4, 4, -UNI_EINVAL);
	cr_assert_eq(probe.interval_ms, 60000);
}

Test(probe, switches_exactly_the_tracepoints_of_the_bitmap)
{
	static const uint8_t good[] = {10, 0, 0, 0, 0, 0, 0, 0, 0x81, 0x02};
	static const uint8_t other_count[] = {11, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	begin_quiet();
	ask(UNI_FRAME_TRACEPOINTS_SET, 1, good, sizeof(good));
	ask(UNI_FRAME_TRACEPOINTS_SET, 2, other_count, sizeof(other_count));
	ask(UNI_FRAME_TRACEPOINTS_SET, 3, good, sizeof(good) - 1);
	uni_probe_poll(&probe);
	expect_reply(0, 1, 0);
	expect_reply(1, 2, -UNI_EINVAL);
	expect_reply(2, 3, -UNI_EINVAL);
	cr_assert_arr_eq(platform.points, ((uint8_t[]){0x81, 0x02}), 2);
	cr_assert_arr_eq(sent_frame(UNI_FRAME_TRACEPOINTS, 0) + 16, good, sizeof(good));
}

Test(probe, passes_on_what_tracing_says)
{
	const struct uni_trace_start good = {.mode = UNI_TRACE_STREAM}, bad = {.mode = 3};

	begin_quiet();
	ask(UNI_FRAME_TRACE_START, 1, &good, sizeof(good));
	ask(UNI_FRAME_TRACE_START, 2, &bad, sizeof(bad));
	ask(UNI_FRAME_TRACE_STOP, 3, NULL, 0);
	uni_probe_poll(&probe);
	expect_reply(0, 1, -UNI_EBUSY);
	expect_reply(1, 2, -UNI_EINVAL);
	expect_reply(2, 3, 0);
}

Test(probe, replies_before_it_crashes_or_ends)
{
	const struct uni_crash_request hang = {.kind = UNI_PANIC_HANG},
				       assertion = {.kind = UNI_PANIC_ASSERT};

	begin_quiet();
	ask(UNI_FRAME_CRASH, 1, &assertion, sizeof(assertion));
	ask(UNI_FRAME_CRASH, 2, "1234", 4);
	uni_probe_poll(&probe);
	cr_assert_eq(platform.crashes, 0);
	expect_reply(0, 1, -UNI_EINVAL);
	expect_reply(1, 2, -UNI_EINVAL);

	ask(UNI_FRAME_CRASH, 3, &hang, sizeof(hang));
	uni_probe_poll(&probe);
	cr_assert_eq(platform.crashes, 1);
	expect_reply(2, 3, 0);
	cr_assert_eq(platform.sent_before_action, platform.sent_len);
	ask(UNI_FRAME_SHUTDOWN, 4, NULL, 0);
	uni_probe_poll(&probe);
	cr_assert_eq(platform.shutdowns, 1);
	expect_reply(3, 4, 0);
	cr_assert_eq(platform.sent_before_action, platform.sent_len);
}

Test(probe, sends_later_what_found_no_room)
{
	begin();
	platform.room = 16 + 176 + 6; /* the hello and no more */
	uni_probe_poll(&probe);
	cr_assert_str_eq(sent_types(), "1 ");
	platform.room = SIZE_MAX;
	uni_probe_poll(&probe);
	cr_assert_str_eq(sent_types(), "1 2 8 3 4 5 ");
}

Test(probe, leaves_no_request_unanswered_when_there_is_no_room)
{
	begin_quiet();
	platform.room = 0;
	ask(UNI_FRAME_PING, 1, NULL, 0);
	ask(UNI_FRAME_PING, 2, NULL, 0);
	uni_probe_poll(&probe);
	uni_probe_poll(&probe);
	platform.room = SIZE_MAX;
	uni_probe_poll(&probe);
	uni_probe_poll(&probe);
	cr_assert_str_eq(sent_types(), "7 7 ");
	expect_reply(0, 1, 0);
	expect_reply(1, 2, 0);
}

Test(probe, greets_whoever_opens_the_port_with_the_whole_log)
{
	begin();
	platform.log_next = 2;
	platform.closed = 1;
	uni_probe_poll(&probe);
	platform.closed = 0;
	uni_probe_poll(&probe);
	cr_assert_str_eq(sent_types(), "2 6 ", "before it was told");
	platform.sent_len = 0;
	uni_probe_opened(&probe);
	uni_probe_poll(&probe);
	cr_assert_str_eq(sent_types(), "1 2 8 3 4 5 6 ");
}

Test(probe, splits_a_thread_table_that_is_too_long)
{
	struct uni_table first, second;

	begin_quiet();
	platform.threads = 300;
	platform.time_ns = 1005 * MS;
	uni_probe_poll(&probe);
	cr_assert_str_eq(sent_types(), "3 4 5 5 ");
	memcpy(&first, sent_frame(UNI_FRAME_THREADS, 0) + 16, sizeof(first));
	memcpy(&second, sent_frame(UNI_FRAME_THREADS, 1) + 16, sizeof(second));
	/* (32,768 - 16 - 32) / 136 records fit. */
	cr_assert_eq(first.count, 240);
	cr_assert_eq(second.count, 60);
	cr_assert_eq(first.total, 300);
	cr_assert_eq(second.total, 300);
	cr_assert_eq(first.time_ns, second.time_ns);
	cr_assert_eq(
		((const struct uni_thread_record *)(sent_frame(UNI_FRAME_THREADS, 1) + 48))->id,
		241);
}

Test(probe, sends_no_empty_part_after_a_full_one)
{
	begin_quiet();
	platform.threads = 240;
	platform.time_ns = 1005 * MS;
	uni_probe_poll(&probe);
	cr_assert_str_eq(sent_types(), "3 4 5 ");
}

Test(probe, counts_lost_log_records_exactly)
{
	static const uint8_t batch[] = {
		'U', 'N', 'I', 'F', 6, 0, 0, 0, 16 + 40, 0, 0, 0,
		0,   0,	  0,   0,   5, 0, 0, 0, 0,	 0, 0, 0, /* lost */
		1,   0,	  0,   0,   0, 0, 0, 0,			  /* count */
		7,   0,	  0,   0,   0, 0, 0, 0,			  /* sequence */
		0,   0,	  0,   0,   0, 0, 0, 0,			  /* time_ns */
		0,   0,	  0,   0,   0, 0, 3, 0,			  /* thread, cpu, level */
		3,   0,	  0,   0,   0, 0, 0, 0,			  /* text_len */
		'a', 'b', 'c', 0,   0, 0, 0, 0,
	};

	begin_quiet();
	platform.log_next = 2;
	uni_probe_poll(&probe);	 /* 0 and 1 */
	platform.log_oldest = 7; /* 2 to 6 are gone */
	platform.log_next = 8;
	uni_probe_poll(&probe);
	uni_probe_poll(&probe);
	cr_assert_str_eq(sent_types(), "6 6 ");
	cr_assert_arr_eq(sent_frame(UNI_FRAME_LOG, 1), batch, sizeof(batch));
}

Test(probe, names_metrics_again_when_there_are_more)
{
	static const struct uni_metric more = {
		.name = "x", .kind = UNI_METRIC_GAUGE, .value = &orders};

	begin_quiet();
	cr_assert_eq(uni_metrics_add(&metrics, &more), 0);
	uni_probe_poll(&probe);
	uni_probe_poll(&probe);
	cr_assert_str_eq(sent_types(), "2 ");
}

Test(probe, says_bye_with_the_rest_of_the_log)
{
	begin_quiet();
	platform.log_next = 1;
	uni_probe_bye(&probe, -5);
	cr_assert_str_eq(sent_types(), "6 15 ");
	cr_assert_eq(*(const int32_t *)(sent_frame(UNI_FRAME_BYE, 0) + 16), -5);
}

static uint64_t read_metric(void *context)
{
	return *(uint64_t *)context + 1;
}

Test(metrics, are_refused_without_name_value_or_room)
{
	static const struct uni_metric unnamed = {.name = "", .value = &orders};
	static const struct uni_metric empty = {.name = "x"};
	static const struct uni_metric long_name = {
		.name = "12345678901234567890123456789012345678901234567890123456",
		.value = &orders};
	static const struct uni_metric called = {
		.name = "called", .read = read_metric, .context = &orders};

	uni_metrics_init(&metrics, slots, 1);
	cr_assert_eq(uni_metrics_add(&metrics, &unnamed), -UNI_EINVAL);
	cr_assert_eq(uni_metrics_add(&metrics, &empty), -UNI_EINVAL);
	cr_assert_eq(uni_metrics_add(&metrics, &long_name), -UNI_EINVAL);
	cr_assert_eq(uni_metrics_add(&metrics, &called), 0);
	cr_assert_eq(uni_metrics_add(&metrics, &called), -UNI_ENOSPC);
	cr_assert_eq(uni_metrics_count(&metrics), 1);
}
