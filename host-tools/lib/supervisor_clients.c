/* SPDX-License-Identifier: MIT */
/* Clients of probe.sock: who they are, what waits for them, and what they lost. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host-tools/lib/cursor.h"
#include "host-tools/lib/peer.h"
#include "host-tools/lib/supervisor_internal.h"
#include "tracing/errno.h"
#include "tracing/trace_abi.h"

#define CLIENTS_MAX 64

/* What may wait for one client; a trace comes in bursts of all rings. */
#define CLIENT_LIMIT (16 * 1024 * 1024)
#define LINGER_MS 1000

static void destroy(struct client *client)
{
	struct supervisor *supervisor = client->supervisor;
	struct client **link = &supervisor->clients.first;
	uint64_t id = client->id;

	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	supervisor->clients.count--;
	uni_event_source_remove(&supervisor->loop, &client->source);
	close(client->fd);
	uni_frame_decoder_fini(&client->decoder);
	uni_byte_queue_fini(&client->out);
	free(client);
	requests_client_gone(supervisor, id);
}

/* Marks a client whose peer is gone; its next event destroys it, so that callers may go on. */
static void give_up(struct client *client)
{
	shutdown(client->fd, SHUT_RDWR);
	uni_byte_queue_clear(&client->out);
}

static void flush(struct client *client)
{
	if (uni_byte_queue_flush(&client->out, client->fd) < 0)
		give_up(client);
	uni_event_source_want(&client->supervisor->loop, &client->source,
			      uni_byte_queue_len(&client->out) ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static bool put_frame(struct client *client, enum uni_frame_type type, uint32_t sequence,
		      const void *payload, size_t len)
{
	struct uni_frame header = uni_frame_header(type, sequence, len);

	return sizeof(header) + len <= uni_byte_queue_free(&client->out) &&
	       uni_byte_queue_put(&client->out, &header, sizeof(header)) &&
	       uni_byte_queue_put(&client->out, payload, len);
}

static void count_loss(struct client *client, enum uni_frame_type type, const void *payload,
		       size_t len)
{
	client->lost.frames++;
	client->lost.bytes += sizeof(struct uni_frame) + len;
	client->lost_untold = true;
	if (type == UNI_FRAME_TRACE_PACKET) {
		struct uni_cursor cursor;

		uni_cursor_init(&cursor, payload, len, "trace packet");
		uni_cursor_skip(&cursor, offsetof(struct uni_trace_packet, event_count));
		client->lost.trace_events += uni_cursor_u32(&cursor);
	}
}

void client_send(struct client *client, enum uni_frame_type type, uint32_t sequence,
		 const void *payload, size_t len)
{
	/* The loss is told first, so that a gap and its reason come in order. */
	if (client->lost_untold &&
	    uni_byte_queue_free(&client->out) > sizeof(struct uni_frame) * 2 + len + 64)
		client->lost_untold = !put_frame(client, UNI_FRAME_CLIENT_LOST, 0, &client->lost,
						 sizeof(client->lost));
	if (client->lost_untold || !put_frame(client, type, sequence, payload, len))
		count_loss(client, type, payload, len);
	flush(client);
}

void client_reply(struct client *client, uint32_t sequence, int status, const char *text)
{
	uint8_t payload[sizeof(struct uni_reply) + 512];
	size_t len = strnlen(text, 512);
	struct uni_reply reply = {.status = status, .text_len = (uint32_t)len};

	memcpy(payload, &reply, sizeof(reply));
	memcpy(payload + sizeof(reply), text, len);
	client_send(client, UNI_FRAME_REPLY, sequence, payload, sizeof(reply) + len);
}

void clients_broadcast(struct supervisor *supervisor, enum uni_frame_type type, const void *payload,
		       size_t len)
{
	for (struct client *client = supervisor->clients.first; client; client = client->next)
		client_send(client, type, 0, payload, len);
}

struct client *clients_find(struct supervisor *supervisor, uint64_t id)
{
	struct client *client = supervisor->clients.first;

	while (client && client->id != id)
		client = client->next;
	return client;
}

/* False: the client is gone. */
static bool read_client(struct client *client)
{
	struct uni_frame frame;
	const uint8_t *payload;
	uint8_t *room;
	size_t size;
	ssize_t len;

	if (uni_frame_decoder_room(&client->decoder, &room, &size) < 0)
		return false;
	len = read(client->fd, room, size);
	if (len < 0)
		return errno == EAGAIN || errno == EINTR;
	if (len == 0)
		return false;
	uni_frame_decoder_fill(&client->decoder, (size_t)len);
	while (uni_frame_decoder_next(&client->decoder, &frame, &payload))
		requests_take(client, &frame, payload);
	return true;
}

static void on_client(void *context, uint32_t events)
{
	struct client *client = context;

	if (events & EPOLLOUT)
		flush(client);
	if (events & EPOLLIN ? !read_client(client) : events & (EPOLLHUP | EPOLLERR))
		destroy(client);
}

static void send_kept(struct client *client, const struct kept_frame *kept)
{
	if (kept->payload)
		client_send(client, kept->header.type, 0, kept->payload, kept->header.length);
}

static void greet(struct client *client)
{
	const struct guest_link *guest = &client->supervisor->guest;
	struct uni_guest_state state = life_state_payload(client->supervisor);

	client_send(client, UNI_FRAME_STATE, 0, &state, sizeof(state));
	send_kept(client, &guest->last_hello);
	send_kept(client, &guest->metric_table);
	send_kept(client, &guest->tracepoints);
	send_kept(client, &guest->metrics);
	send_kept(client, &guest->cpus);
	send_kept(client, &guest->threads);
	for (unsigned i = 0; i < LOG_FRAMES_KEPT; i++)
		send_kept(client, &guest->log[(guest->log_next + i) % LOG_FRAMES_KEPT]);
}

static void on_listener(void *context, uint32_t events)
{
	struct supervisor *supervisor = context;
	struct client_list *clients = &supervisor->clients;
	int fd = uni_peer_accept(clients->listener_fd);
	struct client *client;

	if (fd < 0)
		return;
	client = clients->count < CLIENTS_MAX ? calloc(1, sizeof(*client)) : NULL;
	if (!client || uni_event_source_add(&supervisor->loop, &client->source, fd, EPOLLIN,
					    on_client, client) < 0) {
		free(client);
		close(fd);
		return;
	}
	client->supervisor = supervisor;
	client->fd = fd;
	client->id = ++clients->last_id;
	client->next = clients->first;
	clients->first = client;
	clients->count++;
	uni_frame_decoder_init(&client->decoder);
	uni_byte_queue_init(&client->out, CLIENT_LIMIT);
	greet(client);
}

int clients_init(struct supervisor *supervisor)
{
	struct client_list *clients = &supervisor->clients;

	return uni_event_source_add(&supervisor->loop, &clients->listener, clients->listener_fd,
				    EPOLLIN, on_listener, supervisor);
}

void clients_fini(struct supervisor *supervisor)
{
	while (supervisor->clients.first)
		destroy(supervisor->clients.first);
	uni_event_source_remove(&supervisor->loop, &supervisor->clients.listener);
}

void clients_linger(struct supervisor *supervisor)
{
	uint64_t end = uni_event_now_ns() + LINGER_MS * 1000000ull;

	for (struct client *client = supervisor->clients.first; client; client = client->next) {
		while (uni_byte_queue_len(&client->out) > 0 && uni_event_now_ns() < end) {
			struct pollfd poll_fd = {.fd = client->fd, .events = POLLOUT};

			if (poll(&poll_fd, 1, 50) > 0 &&
			    uni_byte_queue_flush(&client->out, client->fd) < 0)
				break;
		}
	}
}
