/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/guest_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/cursor.h"
#include "host-tools/lib/frame_stream.h"
#include "host-tools/lib/registry.h"
#include "host-tools/lib/sanitize.h"
#include "tracing/errno.h"

#define OUTPUT_MAX (64 * 1024)

struct uni_client {
	int fd;
	bool ended; /* nothing more comes or goes */
	uint32_t sequence;
	struct uni_frame_decoder decoder;
	uint8_t *output; /* requests that have not gone out; OUTPUT_MAX bytes when there are any */
	size_t output_len;
	char name[UNI_GUEST_NAME_SIZE];
};

int uni_client_open(const char *name, struct uni_client **out, struct uni_error *error)
{
	uni_cleanup_free struct uni_guest_info *guest = malloc(sizeof(*guest));
	uni_cleanup_fd int fd = -1;
	struct uni_client *client;
	int result;

	if (!guest)
		return uni_error_system(error, ENOMEM, "cannot connect to %s", name);
	result = uni_registry_find(name, guest, error);
	if (result < 0)
		return result;
	fd = uni_registry_connect(guest, UNI_SOCKET_PROBE, error);
	if (fd < 0)
		return fd;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return uni_error_system(error, errno, "cannot connect to %s", name);
	client = calloc(1, sizeof(*client));
	if (!client)
		return uni_error_system(error, ENOMEM, "cannot connect to %s", name);
	uni_frame_decoder_init(&client->decoder);
	memcpy(client->name, guest->name, sizeof(client->name));
	client->fd = uni_take_fd(&fd);
	*out = client;
	return 0;
}

void uni_client_close(struct uni_client *client)
{
	if (!client)
		return;
	close(client->fd);
	uni_frame_decoder_fini(&client->decoder);
	free(client->output);
	free(client);
}

int uni_client_fd(const struct uni_client *client)
{
	return client->fd;
}

short uni_client_events(const struct uni_client *client)
{
	return client->output_len > 0 ? POLLIN | POLLOUT : POLLIN;
}

const char *uni_client_name(const struct uni_client *client)
{
	return client->name;
}

uint64_t uni_client_skipped(const struct uni_client *client)
{
	return client->decoder.skipped_bytes;
}

/* Writes what the socket takes. The end of the connection is found by reading: what came before it
 * is still worth having. */
static void flush_output(struct uni_client *client)
{
	while (client->output_len > 0) {
		ssize_t sent = send(client->fd, client->output, client->output_len,
				    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno != EAGAIN)
			client->output_len = 0;
		if (sent <= 0)
			return;
		client->output_len -= (size_t)sent;
		memmove(client->output, client->output + sent, client->output_len);
	}
}

int uni_client_send(struct uni_client *client, enum uni_frame_type type, const void *payload,
		    size_t len, uint32_t *sequence)
{
	struct uni_frame header;

	if (client->ended)
		return -UNI_EIO;
	if (len > OUTPUT_MAX - sizeof(header) ||
	    client->output_len > OUTPUT_MAX - sizeof(header) - len)
		return -UNI_EAGAIN;
	if (!client->output) {
		client->output = malloc(OUTPUT_MAX);
		if (!client->output)
			return -UNI_ENOMEM;
	}
	/* 0 stands for "nothing was asked". */
	if (++client->sequence == 0)
		client->sequence = 1;
	header = uni_frame_header(type, client->sequence, len);
	memcpy(client->output + client->output_len, &header, sizeof(header));
	if (len > 0)
		memcpy(client->output + client->output_len + sizeof(header), payload, len);
	client->output_len += sizeof(header) + len;
	if (sequence)
		*sequence = client->sequence;
	flush_output(client);
	return 0;
}

static bool take_frame(struct uni_client *client, struct uni_client_frame *frame)
{
	struct uni_frame header;
	const uint8_t *payload;

	if (!uni_frame_decoder_next(&client->decoder, &header, &payload))
		return false;
	frame->type = header.type;
	frame->sequence = header.sequence;
	frame->payload = payload;
	frame->len = header.length;
	return true;
}

int uni_client_receive(struct uni_client *client, struct uni_client_frame *frame)
{
	flush_output(client);
	while (!take_frame(client, frame)) {
		uint8_t *room;
		size_t len;
		ssize_t got;

		if (client->ended)
			return -UNI_EIO;
		if (uni_frame_decoder_room(&client->decoder, &room, &len) < 0)
			return -UNI_ENOMEM;
		got = recv(client->fd, room, len, MSG_DONTWAIT);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return 0;
		if (got <= 0)
			client->ended = true;
		else
			uni_frame_decoder_fill(&client->decoder, (size_t)got);
	}
	return 1;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int uni_client_wait(struct uni_client *client, int timeout_ms, struct uni_client_frame *frame)
{
	int64_t end_ms = now_ms() + timeout_ms;

	for (;;) {
		struct pollfd ready;
		int64_t left_ms = timeout_ms < 0 ? -1 : end_ms - now_ms();
		int result = uni_client_receive(client, frame);

		if (result != 0)
			return result;
		if (timeout_ms >= 0 && left_ms <= 0)
			return 0;
		ready = (struct pollfd){.fd = client->fd, .events = uni_client_events(client)};
		if (poll(&ready, 1, (int)left_ms) < 0 && errno != EINTR)
			return -errno;
	}
}

static const char *request_name(enum uni_frame_type type)
{
	switch (type) {
	case UNI_FRAME_HELLO_REQUEST:
		return "to introduce itself";
	case UNI_FRAME_INTERVAL:
		return "for another interval";
	case UNI_FRAME_SNAPSHOT:
		return "for a snapshot";
	case UNI_FRAME_TRACEPOINTS_SET:
		return "to switch tracepoints";
	case UNI_FRAME_TRACE_START:
		return "to start tracing";
	case UNI_FRAME_TRACE_STOP:
		return "to stop tracing";
	case UNI_FRAME_CRASH:
		return "to crash";
	case UNI_FRAME_SHUTDOWN:
	case UNI_FRAME_STOP:
		return "to end";
	case UNI_FRAME_PING:
		return "for a sign of life";
	default:
		return "for something";
	}
}

static int finish_call(const struct uni_client *client, enum uni_frame_type type,
		       const struct uni_client_frame *frame, struct uni_client_reply *reply,
		       struct uni_error *error)
{
	struct uni_client_reply answer = {0};
	struct uni_reply wire;
	struct uni_cursor payload;
	const char *text;

	uni_cursor_init(&payload, frame->payload, frame->len, "REPLY frame");
	uni_cursor_struct(&payload, sizeof(wire), &wire, sizeof(wire));
	text = uni_cursor_bytes(&payload, wire.text_len);
	if (uni_cursor_failed(&payload))
		return uni_cursor_check(&payload, error);
	answer.status = wire.status;
	uni_sanitize(answer.text, sizeof(answer.text), text, wire.text_len);
	if (reply)
		*reply = answer;
	/* A guest may send any number: the errno values are those below 4096. */
	if (answer.status >= 0)
		return 0;
	return uni_error_set(error, answer.status > -4096 ? answer.status : -UNI_EIO,
			     "%s was asked %s and refused: %s", client->name, request_name(type),
			     answer.text[0] ? answer.text : "it gave no reason");
}

int uni_client_call(struct uni_client *client, enum uni_frame_type type, const void *payload,
		    size_t len, int timeout_ms, uni_client_frame_fn other, void *context,
		    struct uni_client_reply *reply, struct uni_error *error)
{
	int64_t end_ms = now_ms() + timeout_ms;
	int64_t left_ms = timeout_ms < 0 ? -1 : timeout_ms;
	struct uni_client_frame frame;
	uint32_t sequence;
	int result = uni_client_send(client, type, payload, len, &sequence);

	/* The time is looked at in each round: a guest that floods its client never answers. */
	while (result >= 0) {
		result = uni_client_wait(client, (int)left_ms, &frame);
		if (timeout_ms >= 0)
			left_ms = end_ms - now_ms();
		if (result < 0)
			break;
		if (result > 0 && frame.type == UNI_FRAME_REPLY && frame.sequence == sequence)
			return finish_call(client, type, &frame, reply, error);
		if (result == 0 || (timeout_ms >= 0 && left_ms < 0))
			return uni_error_set(error, -UNI_ETIMEDOUT,
					     "%s was asked %s and did not answer within %d ms",
					     client->name, request_name(type), timeout_ms);
		if (other)
			other(context, &frame);
	}
	if (result == -UNI_EIO)
		return uni_error_set(error, result, "%s was asked %s and ended before it answered",
				     client->name, request_name(type));
	return uni_error_system(error, -result, "cannot ask %s %s", client->name,
				request_name(type));
}
