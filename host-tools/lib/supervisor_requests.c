/* SPDX-License-Identifier: MIT */
/* What clients ask for: most goes on to the guest, the end of the guest is the supervisor's. */
#include <stdio.h>
#include <string.h>

#include "host-tools/lib/cursor.h"
#include "host-tools/lib/supervisor_internal.h"
#include "tracing/errno.h"

/* A guest that does not end its session in this time is taken to have ended it. */
#define SESSION_STOP_MS 3000

#define GRACE_MS_MAX (3600 * 1000)

static struct trace_session *session_of(struct supervisor *supervisor)
{
	struct trace_session *session = &supervisor->clients.session;
	uint64_t now = uni_event_now_ns();

	if (session->stopping && now - session->stopping_since_ns > SESSION_STOP_MS * 1000000ull)
		*session = (struct trace_session){0};
	return session;
}

static void forward(struct client *client, const struct uni_frame *frame, const uint8_t *payload)
{
	int status = guest_request(client->supervisor, frame->type, payload, frame->length,
				   client->id, frame->sequence);

	if (status == -UNI_EAGAIN)
		client_reply(client, frame->sequence, status,
			     "the guest has not said hello yet; try again");
	else if (status < 0)
		client_reply(client, frame->sequence, status,
			     "too many requests wait for the guest; try again");
}

static void start_session(struct client *client, const struct uni_frame *frame,
			  const uint8_t *payload)
{
	struct trace_session *session = session_of(client->supervisor);

	if (session->owner || session->stopping) {
		client_reply(client, frame->sequence, -UNI_EBUSY,
			     "another trace of this guest runs; wait until it has ended");
		return;
	}
	session->owner = client->id;
	forward(client, frame, payload);
}

static void stop_session(struct client *client, const struct uni_frame *frame,
			 const uint8_t *payload)
{
	struct trace_session *session = session_of(client->supervisor);

	if (session->owner != client->id) {
		client_reply(client, frame->sequence, -UNI_EINVAL,
			     "this client has no trace session");
		return;
	}
	session->stopping = true;
	session->stopping_since_ns = uni_event_now_ns();
	forward(client, frame, payload);
}

static void set_tracepoints(struct client *client, const struct uni_frame *frame,
			    const uint8_t *payload)
{
	struct trace_session *session = session_of(client->supervisor);

	if (session->owner && session->owner != client->id)
		client_reply(client, frame->sequence, -UNI_EBUSY,
			     "a trace of another client runs; wait until it has ended");
	else
		forward(client, frame, payload);
}

static void stop_guest(struct client *client, const struct uni_frame *frame, const uint8_t *payload)
{
	struct life *life = &client->supervisor->life;
	struct uni_cursor cursor;
	uint32_t grace_ms;

	uni_cursor_init(&cursor, payload, frame->length, "STOP frame");
	grace_ms = uni_cursor_u32(&cursor);
	if (uni_cursor_failed(&cursor) || grace_ms > GRACE_MS_MAX) {
		client_reply(client, frame->sequence, -UNI_EINVAL, "malformed request");
		return;
	}
	for (unsigned i = 0; i < sizeof(life->stop_requests) / sizeof(life->stop_requests[0]);
	     i++) {
		if (life->stop_requests[i].client_id)
			continue;
		life->stop_requests[i] = (struct pending_request){
			.client_id = client->id, .client_sequence = frame->sequence};
		life_stop(client->supervisor, grace_ms);
		return;
	}
	client_reply(client, frame->sequence, -UNI_EBUSY, "the guest is being stopped already");
}

void requests_take(struct client *client, const struct uni_frame *frame, const uint8_t *payload)
{
	switch (frame->type) {
	case UNI_FRAME_HELLO_REQUEST:
	case UNI_FRAME_INTERVAL:
	case UNI_FRAME_SNAPSHOT:
	case UNI_FRAME_SHUTDOWN:
	case UNI_FRAME_PING:
		forward(client, frame, payload);
		break;
	case UNI_FRAME_CRASH:
		watchdog_crash_asked(client->supervisor);
		forward(client, frame, payload);
		break;
	case UNI_FRAME_TRACEPOINTS_SET:
		set_tracepoints(client, frame, payload);
		break;
	case UNI_FRAME_TRACE_START:
		start_session(client, frame, payload);
		break;
	case UNI_FRAME_TRACE_STOP:
		stop_session(client, frame, payload);
		break;
	case UNI_FRAME_STOP:
		stop_guest(client, frame, payload);
		break;
	case UNI_FRAME_QEMU_GDB:
		qemu_gdb_open(client, frame->sequence);
		break;
	default:
		client_reply(client, frame->sequence, -UNI_ENOTSUP,
			     "this version of uniscope does not know the request");
	}
}

void requests_answered(struct supervisor *supervisor, const struct pending_request *request,
		       int status)
{
	struct trace_session *session = &supervisor->clients.session;

	if (status < 0 && request->client_id == session->owner) {
		if (request->type == UNI_FRAME_TRACE_START)
			session->owner = 0;
		/* No TRACE_STATS will come of a stop that failed. */
		if (request->type == UNI_FRAME_TRACE_STOP)
			*session = (struct trace_session){0};
	}
}

void requests_trace_stats(struct supervisor *supervisor)
{
	if (supervisor->clients.session.stopping)
		supervisor->clients.session = (struct trace_session){0};
}

void requests_client_gone(struct supervisor *supervisor, uint64_t client_id)
{
	struct trace_session *session = &supervisor->clients.session;

	if (session->owner != client_id)
		return;
	/* Its packets have nobody left to go to. */
	session->owner = 0;
	if (session->stopping)
		return;
	session->stopping = true;
	session->stopping_since_ns = uni_event_now_ns();
	if (guest_request(supervisor, UNI_FRAME_TRACE_STOP, NULL, 0, 0, 0) < 0)
		session->stopping = false;
}
