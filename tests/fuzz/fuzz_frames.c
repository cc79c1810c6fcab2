/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the reader of frames, and the probe behind it with whatever a host may send.
 *
 * Checked, besides what the sanitizers find: every byte is a part of a frame, skipped or left over;
 * the reader finds the same frames however the bytes are cut; each request gets exactly one reply.
 */
#include <string.h>

#include "guest-probe/probe.h"
#include "tests/fuzz/replay.h"
#include "tracing/errno.h"

/* --- the reader alone --- */

static _Alignas(8) uint8_t payload[256];

struct tally {
	uint64_t frames, frame_bytes, digest;
	uint64_t skipped_bytes, skipped_frames;
	uint64_t left;
};

/* Reads the bytes in pieces of `step`. */
static struct tally read_all(const uint8_t *bytes, size_t len, size_t step)
{
	struct uni_frame_reader reader;
	struct tally tally = {0};

	uni_frame_reader_init(&reader, payload, sizeof(payload));
	while (len > 0) {
		const uint8_t *at = bytes;
		size_t piece = len < step ? len : step;

		bytes += piece;
		len -= piece;
		while (uni_frame_read(&reader, &at, &piece)) {
			CHECK(reader.header.length <= sizeof(payload));
			tally.frames++;
			tally.frame_bytes += sizeof(reader.header) + reader.header.length;
			tally.digest = tally.digest * 31 + reader.header.type;
			for (uint32_t i = 0; i < reader.header.length; i++)
				tally.digest = tally.digest * 31 + payload[i];
		}
		CHECK(piece == 0);
	}
	tally.skipped_bytes = reader.skipped_bytes;
	tally.skipped_frames = reader.skipped_frames;
	if (reader.header_have < sizeof(reader.header) ||
	    reader.payload_have < reader.header.length)
		tally.left = reader.header_have + reader.payload_have;
	return tally;
}

static void check_reader(const uint8_t *bytes, size_t len)
{
	const struct tally whole = read_all(bytes, len, len + 1);
	const struct tally single = read_all(bytes, len, 1);

	CHECK(memcmp(&whole, &single, sizeof(whole)) == 0);
	if (whole.skipped_frames == 0)
		CHECK(whole.frame_bytes + whole.skipped_bytes + whole.left == len);
}

/* --- the probe behind it --- */

static struct {
	const uint8_t *bytes;
	size_t len;
	uint64_t replies;
	unsigned crashes;
} host;

static int take_frame(void *context, const void *frame, size_t len)
{
	struct uni_frame header;

	CHECK(len >= sizeof(header));
	memcpy(&header, frame, sizeof(header));
	CHECK(header.magic == UNI_FRAME_MAGIC && header.length == len - sizeof(header));
	host.replies += header.type == UNI_FRAME_REPLY;
	return 0;
}

static long give_bytes(void *context, void *buffer, size_t len)
{
	const size_t taken = len < host.len ? len : host.len;

	if (taken == 0)
		return -UNI_EAGAIN;
	memcpy(buffer, host.bytes, taken);
	host.bytes += taken;
	host.len -= taken;
	return (long)taken;
}

static uint64_t zero(void *context)
{
	return 0;
}

static uint32_t no_cpus(void *context, struct uni_cpu_record *records, uint32_t capacity)
{
	return 0;
}

static uint32_t no_threads(void *context, uint32_t after_id, struct uni_thread_record *records,
			   uint32_t capacity, uint32_t *total)
{
	*total = 0;
	return 0;
}

static void no_log(void *context, uint64_t *oldest, uint64_t *next)
{
	*oldest = *next = 0;
}

static bool no_record(void *context, uint64_t sequence, struct uni_log_record *record, char *text)
{
	return false;
}

static void count_crash(void *context, enum uni_panic_kind kind)
{
	CHECK(kind == UNI_PANIC_HANG || kind == UNI_PANIC_REQUEST);
	host.crashes++;
}

static void ignore(void *context)
{
}

static uint32_t event_count(void *context)
{
	return 21;
}

static void points_get(void *context, uint8_t *bitmap, uint32_t count)
{
	memset(bitmap, 0xff, (count + 7) / 8);
}

static int points_set(void *context, const uint8_t *bitmap, uint32_t count)
{
	uint8_t copy[3];

	CHECK(count == 21);
	memcpy(copy, bitmap, sizeof(copy));
	return 0;
}

static int start(void *context, enum uni_trace_mode mode)
{
	CHECK(mode == UNI_TRACE_STREAM || mode == UNI_TRACE_OVERWRITE);
	return 0;
}

static int stop(void *context)
{
	return -UNI_ENOENT;
}

static uint32_t no_rings(void *context, struct uni_note_ring *rings, uint32_t capacity)
{
	return 0;
}

static const struct uni_probe_trace_ops trace_ops = {
	.event_count = event_count,
	.points_get = points_get,
	.points_set = points_set,
	.start = start,
	.stop = stop,
	.rings = no_rings,
};

static const struct uni_probe_ops ops = {
	.write = take_frame,
	.read = give_bytes,
	.tsc = zero,
	.time_ns = zero,
	.cpus = no_cpus,
	.threads = no_threads,
	.log_range = no_log,
	.log_read = no_record,
	.crash = count_crash,
	.shutdown = ignore,
	.trace = &trace_ops,
};

static uint64_t count_requests(const uint8_t *bytes, size_t len)
{
	static _Alignas(8) uint8_t storage[UNI_PROBE_REQUEST_MAX];
	struct uni_frame_reader reader;
	uint64_t count = 0;

	uni_frame_reader_init(&reader, storage, sizeof(storage));
	while (uni_frame_read(&reader, &bytes, &len))
		count++;
	return count;
}

static void check_probe(const uint8_t *bytes, size_t len)
{
	static const struct uni_probe_identity identity = {.application = "fuzz"};
	static struct uni_metrics metrics;
	static struct uni_probe probe;

	memset(&host, 0, sizeof(host));
	host.bytes = bytes;
	host.len = len;
	uni_probe_init(&probe, &ops, NULL, &identity, &metrics);
	/* A poll answers a bounded number of requests; the shortest has 16 bytes. */
	for (size_t i = 0; i <= len / 16 / 64; i++)
		uni_probe_poll(&probe);
	CHECK(host.replies == count_requests(bytes, len));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	check_reader(bytes, len);
	check_probe(bytes, len);
	return 0;
}

#define INPUT_MAX 4096

/* Requests of all types with payloads of about the right length. */
static size_t make_requests(uint8_t *out)
{
	size_t len = 0;

	for (uint64_t count = replay_random() % 12; count > 0; count--) {
		const struct uni_frame header = {
			.magic = UNI_FRAME_MAGIC,
			.type = (uint16_t)(UNI_FRAME_HELLO_REQUEST + replay_random() % 10),
			.length = (uint32_t)(replay_random() % 16 ? replay_random() % 13
								  : replay_random() % 300),
		};

		memcpy(out + len, &header, sizeof(header));
		len += sizeof(header);
		for (uint32_t i = 0; i < header.length; i++)
			out[len++] = (uint8_t)(replay_random() % 4 ? 0 : replay_random() % 32);
	}
	return len;
}

static size_t make(uint8_t *out)
{
	return replay_mutate(out, make_requests(out));
}

const struct replay replay = {.count = 20000, .size_max = INPUT_MAX, .make = make};
