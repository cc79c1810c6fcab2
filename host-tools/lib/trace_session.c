/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/trace_session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "guest-probe/probe_abi.h"
#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/cursor.h"
#include "host-tools/lib/guest_client.h"
#include "host-tools/lib/image.h"
#include "host-tools/lib/registry.h"
#include "host-tools/lib/sanitize.h"
#include "tracing/errno.h"

#define CALL_TIMEOUT_MS 10000
#define STATS_TIMEOUT_MS 20000

struct uni_trace_session {
	struct uni_client *client;
	struct uni_trace_info info;
	struct uni_recording *recording; /* the caller's; NULL before the start */
	uint64_t started_ns;
	bool has_hello, has_threads, has_stats;
	int failure; /* of taking in a frame */
	struct uni_error failure_error;
};

static uint64_t clock_now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void to_hex(const uint8_t *bytes, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static void take_hello(struct uni_trace_session *session, struct uni_cursor *cursor)
{
	struct uni_trace_info *info = &session->info;
	struct uni_hello hello;

	/* The first four bytes say how long it is. */
	uni_cursor_struct(cursor, cursor->left < sizeof(hello) ? cursor->left : sizeof(hello),
			  &hello, sizeof(hello));
	if (session->has_hello || hello.header_size < sizeof(hello) || hello.tsc_hz == 0)
		return;
	to_hex(hello.boot_id, sizeof(hello.boot_id), info->boot_id);
	to_hex(hello.build_id,
	       hello.build_id_len < sizeof(hello.build_id) ? hello.build_id_len
							   : sizeof(hello.build_id),
	       info->build_id);
	uni_sanitize(info->application, sizeof(info->application), hello.application,
		     strnlen(hello.application, sizeof(hello.application)));
	uni_sanitize(info->kernel, sizeof(info->kernel), hello.kernel,
		     strnlen(hello.kernel, sizeof(hello.kernel)));
	info->tsc_hz = hello.tsc_hz;
	info->tsc = hello.tsc;
	info->time_ns = hello.time_ns;
	info->unix_ns = clock_now_ns(CLOCK_REALTIME);
	info->cpu_count =
		hello.cpu_count < UNI_TRACE_CPUS_MAX ? hello.cpu_count : UNI_TRACE_CPUS_MAX;
	session->has_hello = true;
}

static struct uni_table take_table(struct uni_cursor *cursor)
{
	struct uni_table table;

	uni_cursor_struct(cursor, sizeof(table), &table, sizeof(table));
	return table;
}

static int take_threads(struct uni_trace_session *session, struct uni_cursor *cursor)
{
	struct uni_table table = take_table(cursor);

	for (uint32_t i = 0; i < table.count && !uni_cursor_failed(cursor); i++) {
		struct uni_thread_record record;
		int result;

		uni_cursor_struct(cursor, table.record_size, &record, sizeof(record));
		if (uni_cursor_failed(cursor) || table.record_size == 0)
			break;
		result = uni_trace_info_name_thread(&session->info, record.id, record.name,
						    strnlen(record.name, sizeof(record.name)));
		if (result < 0)
			return result;
	}
	session->has_threads = true;
	return 0;
}

static void take_stats(struct uni_trace_session *session, struct uni_cursor *cursor)
{
	struct uni_table table = take_table(cursor);

	for (uint32_t i = 0; i < table.count && !uni_cursor_failed(cursor); i++) {
		struct uni_trace_stats_record record;

		uni_cursor_struct(cursor, table.record_size, &record, sizeof(record));
		if (uni_cursor_failed(cursor) || record.cpu >= session->info.cpu_count)
			return;
		session->info.cpus[record.cpu].emitted = record.emitted;
		session->info.cpus[record.cpu].discarded = record.discarded;
		session->info.cpus[record.cpu].overwritten = record.overwritten;
	}
	session->has_stats = !uni_cursor_failed(cursor);
}

/* For uni_client_call() too: frames that come while it waits. */
static void take_frame(void *context, const struct uni_client_frame *frame)
{
	struct uni_trace_session *session = context;
	struct uni_cursor cursor;
	int result = 0;

	uni_cursor_init(&cursor, frame->payload, frame->len, "frame");
	switch (frame->type) {
	case UNI_FRAME_HELLO:
		take_hello(session, &cursor);
		break;
	case UNI_FRAME_THREADS:
		result = take_threads(session, &cursor);
		if (result < 0)
			uni_error_system(&session->failure_error, -result,
					 "cannot keep the names of threads");
		break;
	case UNI_FRAME_TRACE_PACKET:
		if (session->recording)
			result = uni_recording_packet(session->recording, &session->info,
						      frame->payload, frame->len,
						      &session->failure_error);
		break;
	case UNI_FRAME_TRACE_STATS:
		if (session->recording)
			take_stats(session, &cursor);
		break;
	default:
		break;
	}
	if (session->failure == 0)
		session->failure = result;
}

/* Takes frames until *seen or the time is over. */
static int receive_until(struct uni_trace_session *session, const bool *seen, int timeout_ms,
			 struct uni_error *error)
{
	uint64_t end_ns = clock_now_ns(CLOCK_MONOTONIC) + (uint64_t)timeout_ms * 1000000;

	while (!seen || !*seen) {
		uint64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);
		struct uni_client_frame frame;
		int got;

		if (now_ns >= end_ns)
			return 0;
		got = uni_client_wait(session->client, (int)((end_ns - now_ns) / 1000000) + 1,
				      &frame);
		if (got == -UNI_EIO)
			return uni_error_set(error, got, "%s is gone",
					     uni_client_name(session->client));
		if (got < 0)
			return uni_error_system(error, -got, "cannot listen to %s",
						uni_client_name(session->client));
		if (got == 0)
			continue;
		take_frame(session, &frame);
		if (session->failure < 0) {
			if (error)
				*error = session->failure_error;
			return session->failure;
		}
	}
	return 0;
}

static int call(struct uni_trace_session *session, enum uni_frame_type type, const void *payload,
		size_t len, struct uni_error *error)
{
	return uni_client_call(session->client, type, payload, len, CALL_TIMEOUT_MS, take_frame,
			       session, NULL, error);
}

/* Who the guest is, and that the file that we have is what it runs. */
static int learn(struct uni_trace_session *session, struct uni_error *error)
{
	struct uni_trace_info *info = &session->info;
	uni_cleanup_free struct uni_guest_info *guest = malloc(sizeof(*guest));
	uni_cleanup_free struct uni_image *image = malloc(sizeof(*image));
	int result;

	if (!guest || !image)
		return uni_error_system(error, ENOMEM, "cannot trace");
	result = uni_registry_find(uni_client_name(session->client), guest, error);
	if (result == 0)
		result = call(session, UNI_FRAME_HELLO_REQUEST, NULL, 0, error);
	if (result == 0)
		result = receive_until(session, &session->has_hello, CALL_TIMEOUT_MS, error);
	if (result < 0)
		return result;
	if (!session->has_hello)
		return uni_error_set(error, -UNI_ETIMEDOUT, "cannot trace %s: it says no hello",
				     guest->name);
	strcpy(info->guest, guest->name);
	strcpy(info->image, guest->image);
	result = uni_image_read(guest->image, image, error);
	if (result < 0)
		return uni_error_prefix(error, "cannot trace %s", guest->name);
	if (strcmp(image->build_id_text, info->build_id) != 0) {
		uni_error_set(error, -UNI_EINVAL,
			      "cannot trace %s: %s was rebuilt since it was started", guest->name,
			      guest->image);
		return uni_error_advise(error, "restart the guest");
	}
	return uni_trace_points_read(guest->image, &info->points, error);
}

int uni_trace_session_open(const char *guest, struct uni_trace_session **out,
			   struct uni_error *error)
{
	struct uni_trace_session *session = calloc(1, sizeof(*session));
	int result;

	if (!session)
		return uni_error_system(error, ENOMEM, "cannot trace %s", guest);
	result = uni_client_open(guest, &session->client, error);
	if (result == 0)
		result = learn(session, error);
	if (result < 0) {
		uni_trace_session_close(session);
		return result;
	}
	*out = session;
	return 0;
}

void uni_trace_session_close(struct uni_trace_session *session)
{
	if (!session)
		return;
	uni_client_close(session->client);
	uni_trace_info_fini(&session->info);
	free(session);
}

const struct uni_trace_info *uni_trace_session_info(const struct uni_trace_session *session)
{
	return &session->info;
}

int uni_trace_session_start(struct uni_trace_session *session, const uint8_t *bitmap,
			    struct uni_recording *recording, struct uni_error *error)
{
	const struct uni_trace_start start = {.mode = UNI_TRACE_STREAM};
	struct {
		struct uni_tracepoint_state state;
		uint8_t bitmap[UNI_TRACE_EVENTS_MAX / 8];
	} set = {.state = {.event_count = (uint32_t)session->info.points.count}};
	size_t bitmap_len = (session->info.points.count + 7) / 8;
	int result;

	memcpy(set.bitmap, bitmap, bitmap_len);
	/* Names of those that run now; whoever starts later is told by its own event or at the end.
	 */
	result = call(session, UNI_FRAME_SNAPSHOT, NULL, 0, error);
	if (result < 0)
		return result;
	result = call(session, UNI_FRAME_TRACE_START, &start, sizeof(start), error);
	if (result < 0)
		return result;
	/* Packets and counts that came before this are those of a session before. Nothing is on
	 * yet, so this one's counts begin at 0 on all CPUs. */
	session->recording = recording;
	session->started_ns = clock_now_ns(CLOCK_MONOTONIC);
	return call(session, UNI_FRAME_TRACEPOINTS_SET, &set, sizeof(set.state) + bitmap_len,
		    error);
}

int uni_trace_session_receive(struct uni_trace_session *session, int timeout_ms,
			      struct uni_error *error)
{
	int result = receive_until(session, NULL, timeout_ms, error);

	session->info.duration_ns = clock_now_ns(CLOCK_MONOTONIC) - session->started_ns;
	return result;
}

int uni_trace_session_stop(struct uni_trace_session *session, struct uni_error *error)
{
	int result;

	session->info.duration_ns = clock_now_ns(CLOCK_MONOTONIC) - session->started_ns;
	result = call(session, UNI_FRAME_TRACE_STOP, NULL, 0, error);
	if (result == 0 && session->failure == 0)
		result = receive_until(session, &session->has_stats, STATS_TIMEOUT_MS, error);
	if (result < 0)
		return result;
	if (session->failure < 0) {
		*error = session->failure_error;
		return session->failure;
	}
	if (!session->has_stats)
		return uni_error_set(error, -UNI_ETIMEDOUT,
				     "%s did not send its counts within %d s", session->info.guest,
				     STATS_TIMEOUT_MS / 1000);
	session->info.complete = true;
	session->has_threads = false;
	result = call(session, UNI_FRAME_SNAPSHOT, NULL, 0, error);
	if (result < 0)
		return result;
	return receive_until(session, &session->has_threads, 1000, error);
}
