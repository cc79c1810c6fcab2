/* SPDX-License-Identifier: MIT */
/* The probe and trace ports: what the guest says is kept, passed on, and never believed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host-tools/lib/cursor.h"
#include "host-tools/lib/supervisor_internal.h"
#include "tracing/errno.h"

/* Requests are small; only a guest that has stopped reading fills this. */
#define REQUEST_LIMIT (256 * 1024)

static void keep(struct kept_frame *kept, const struct uni_frame *frame, const uint8_t *payload)
{
	uint8_t *copy = malloc(frame->length + 1);

	if (!copy)
		return;
	memcpy(copy, payload, frame->length);
	free(kept->payload);
	*kept = (struct kept_frame){.header = *frame, .payload = copy};
}

static void drop(struct kept_frame *kept)
{
	free(kept->payload);
	*kept = (struct kept_frame){0};
}

/* The latest frames of the log, for clients that come later. */
static void keep_log(struct guest_link *guest, const struct uni_frame *frame,
		     const uint8_t *payload)
{
	unsigned slot = guest->log_next;

	if (frame->length > LOG_BYTES_KEPT)
		return;
	guest->log_bytes -= guest->log[slot].header.length;
	drop(&guest->log[slot]);
	keep(&guest->log[slot], frame, payload);
	guest->log_bytes += guest->log[slot].header.length;
	guest->log_next = (slot + 1) % LOG_FRAMES_KEPT;
	/* From the oldest on, up to the one that has just come. */
	for (unsigned i = guest->log_next; guest->log_bytes > LOG_BYTES_KEPT && i != slot;
	     i = (i + 1) % LOG_FRAMES_KEPT) {
		guest->log_bytes -= guest->log[i].header.length;
		drop(&guest->log[i]);
	}
}

static void hex(char *out, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", data[i]);
}

static void take_hello(struct supervisor *supervisor, const struct uni_frame *frame,
		       const uint8_t *payload)
{
	struct guest_link *guest = &supervisor->guest;
	struct uni_cursor cursor;
	struct uni_hello hello;
	uint16_t header_size;

	uni_cursor_init(&cursor, payload, frame->length, "HELLO frame");
	uni_cursor_skip(&cursor, offsetof(struct uni_hello, header_size));
	header_size = uni_cursor_u16(&cursor);
	uni_cursor_init(&cursor, payload, frame->length, "HELLO frame");
	uni_cursor_struct(&cursor, header_size, &hello, sizeof(hello));
	if (uni_cursor_failed(&cursor) || hello.version != UNI_FRAME_VERSION)
		return;
	keep(&guest->last_hello, frame, payload);
	guest->hello = hello;
	guest->has_hello = true;
	hex(supervisor->info.boot_id, hello.boot_id, sizeof(hello.boot_id));
	/* Without it only the boot id is missing from guest.json. */
	(void)uni_registry_publish(&supervisor->claim, &supervisor->info, NULL);
	life_booted(supervisor);
}

static void take_reply(struct supervisor *supervisor, const struct uni_frame *frame,
		       const uint8_t *payload)
{
	struct guest_link *guest = &supervisor->guest;
	struct uni_cursor cursor;
	int32_t status;

	uni_cursor_init(&cursor, payload, frame->length, "REPLY frame");
	status = (int32_t)uni_cursor_u32(&cursor);
	for (unsigned i = 0; frame->sequence && i < REQUESTS_PENDING_MAX; i++) {
		struct pending_request request = guest->pending[i];
		struct client *client;

		if (request.sequence != frame->sequence)
			continue;
		guest->pending[i].sequence = 0;
		requests_answered(supervisor, &request, status);
		client = clients_find(supervisor, request.client_id);
		if (client)
			client_send(client, UNI_FRAME_REPLY, request.client_sequence, payload,
				    frame->length);
		return;
	}
}

static void take_bye(struct supervisor *supervisor, const struct uni_frame *frame,
		     const uint8_t *payload)
{
	struct uni_cursor cursor;

	uni_cursor_init(&cursor, payload, frame->length, "BYE frame");
	supervisor->life.bye_status = (int32_t)uni_cursor_u32(&cursor);
	supervisor->life.has_bye = true;
	clients_broadcast(supervisor, UNI_FRAME_BYE, payload, frame->length);
}

/* Where the frames of this type are kept for clients that come later; NULL: nowhere. */
static struct kept_frame *place_of(struct guest_link *guest, uint16_t type)
{
	switch (type) {
	case UNI_FRAME_METRIC_TABLE:
		return &guest->metric_table;
	case UNI_FRAME_TRACEPOINTS:
		return &guest->tracepoints;
	case UNI_FRAME_METRICS:
		return &guest->metrics;
	case UNI_FRAME_CPUS:
		return &guest->cpus;
	case UNI_FRAME_THREADS:
		return &guest->threads;
	default:
		return NULL;
	}
}

static void take_probe_frame(struct supervisor *supervisor, const struct uni_frame *frame,
			     const uint8_t *payload)
{
	struct guest_link *guest = &supervisor->guest;
	struct kept_frame *place = place_of(guest, frame->type);

	switch (frame->type) {
	case UNI_FRAME_HELLO:
		take_hello(supervisor, frame, payload);
		break;
	case UNI_FRAME_LOG:
		keep_log(guest, frame, payload);
		break;
	case UNI_FRAME_REPLY:
		take_reply(supervisor, frame, payload);
		return;
	case UNI_FRAME_BYE:
		take_bye(supervisor, frame, payload);
		return;
	case UNI_FRAME_PANIC:
		break;
	case UNI_FRAME_DUMP_BEGIN:
	case UNI_FRAME_DUMP_DATA:
	case UNI_FRAME_DUMP_END:
		dump_frame(supervisor, frame->type, payload, frame->length);
		return;
	default:
		if (!place)
			return;
		keep(place, frame, payload);
	}
	clients_broadcast(supervisor, frame->type, payload, frame->length);
	if (frame->type == UNI_FRAME_PANIC)
		dump_frame(supervisor, frame->type, payload, frame->length);
}

static void take_trace_frame(struct supervisor *supervisor, const struct uni_frame *frame,
			     const uint8_t *payload)
{
	struct client *owner = clients_find(supervisor, supervisor->clients.session.owner);

	if (frame->type != UNI_FRAME_TRACE_PACKET && frame->type != UNI_FRAME_TRACE_STATS)
		return;
	if (owner)
		client_send(owner, frame->type, 0, payload, frame->length);
	if (frame->type == UNI_FRAME_TRACE_STATS)
		requests_trace_stats(supervisor);
}

/* Returns false when there is nothing more to read now. */
static bool read_port(struct frame_port *port)
{
	struct uni_frame frame;
	const uint8_t *payload;
	uint8_t *room;
	size_t size;
	ssize_t len;

	if (uni_frame_decoder_room(&port->decoder, &room, &size) < 0)
		return false;
	len = read(port->fd, room, size);
	if (len <= 0)
		return len < 0 && errno == EINTR;
	uni_frame_decoder_fill(&port->decoder, (size_t)len);
	while (uni_frame_decoder_next(&port->decoder, &frame, &payload)) {
		if (port->is_trace)
			take_trace_frame(port->supervisor, &frame, payload);
		else
			take_probe_frame(port->supervisor, &frame, payload);
		if (frame.type == UNI_FRAME_METRICS || frame.type == UNI_FRAME_HELLO)
			watchdog_heard(port->supervisor);
	}
	return true;
}

static void flush(struct frame_port *port)
{
	/* A port that is gone ends with QEMU, which is watched. */
	if (uni_byte_queue_flush(&port->out, port->fd) < 0)
		uni_byte_queue_clear(&port->out);
	uni_event_source_want(&port->supervisor->loop, &port->source,
			      uni_byte_queue_len(&port->out) ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void on_port(void *context, uint32_t events)
{
	struct frame_port *port = context;

	if (events & EPOLLOUT)
		flush(port);
	if (events & EPOLLIN)
		read_port(port);
	else if (events & (EPOLLHUP | EPOLLERR))
		uni_event_source_remove(&port->supervisor->loop, &port->source);
}

static int open_port(struct supervisor *supervisor, struct frame_port *port, int fd, bool is_trace)
{
	port->supervisor = supervisor;
	port->fd = fd;
	port->is_trace = is_trace;
	uni_frame_decoder_init(&port->decoder);
	uni_byte_queue_init(&port->out, REQUEST_LIMIT);
	return uni_event_source_add(&supervisor->loop, &port->source, fd, EPOLLIN, on_port, port);
}

int guest_init(struct supervisor *supervisor)
{
	struct guest_link *guest = &supervisor->guest;
	int status = open_port(supervisor, &guest->probe, supervisor->qemu.probe_fd, false);

	return status < 0 ? status
			  : open_port(supervisor, &guest->trace, supervisor->qemu.trace_fd, true);
}

void guest_drain(struct supervisor *supervisor)
{
	while (read_port(&supervisor->guest.probe))
		;
	while (read_port(&supervisor->guest.trace))
		;
}

void guest_fini(struct supervisor *supervisor)
{
	struct guest_link *guest = &supervisor->guest;
	struct frame_port *ports[] = {&guest->probe, &guest->trace};
	struct kept_frame *kept[] = {&guest->last_hello, &guest->metric_table, &guest->tracepoints,
				     &guest->metrics,	 &guest->cpus,	       &guest->threads};

	for (unsigned i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		uni_event_source_remove(&supervisor->loop, &ports[i]->source);
		uni_frame_decoder_fini(&ports[i]->decoder);
		uni_byte_queue_fini(&ports[i]->out);
	}
	for (unsigned i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		drop(kept[i]);
	for (unsigned i = 0; i < LOG_FRAMES_KEPT; i++)
		drop(&guest->log[i]);
}

/* The client that asked in vain learns it; the guest may answer still, to nobody. */
static void fail(struct supervisor *supervisor, struct pending_request *request, int status,
		 const char *text)
{
	struct pending_request failed = *request;
	struct client *client = clients_find(supervisor, failed.client_id);

	request->sequence = 0;
	requests_answered(supervisor, &failed, status);
	if (client)
		client_reply(client, failed.client_sequence, status, text);
}

int guest_request(struct supervisor *supervisor, uint16_t type, const void *payload, size_t len,
		  uint64_t client_id, uint32_t client_sequence)
{
	struct guest_link *guest = &supervisor->guest;
	struct pending_request *place = &guest->pending[guest->pending_next];
	struct frame_port *port = &guest->probe;
	struct uni_frame header;

	if (!guest->has_hello)
		return -UNI_EAGAIN;
	if (++guest->last_sequence == 0)
		guest->last_sequence = 1;
	header = uni_frame_header(type, guest->last_sequence, len);
	if (sizeof(header) + len > uni_byte_queue_free(&port->out) ||
	    !uni_byte_queue_put(&port->out, &header, sizeof(header)) ||
	    !uni_byte_queue_put(&port->out, payload, len))
		return -UNI_EBUSY;
	if (place->sequence)
		fail(supervisor, place, -UNI_ETIMEDOUT, "the guest did not answer");
	*place = (struct pending_request){
		.sequence = guest->last_sequence,
		.client_sequence = client_sequence,
		.client_id = client_id,
		.type = type,
	};
	guest->pending_next = (guest->pending_next + 1) % REQUESTS_PENDING_MAX;
	flush(port);
	return 0;
}

void guest_fail_pending(struct supervisor *supervisor)
{
	for (unsigned i = 0; i < REQUESTS_PENDING_MAX; i++)
		if (supervisor->guest.pending[i].sequence)
			fail(supervisor, &supervisor->guest.pending[i], -UNI_EIO,
			     "the guest has ended");
}
