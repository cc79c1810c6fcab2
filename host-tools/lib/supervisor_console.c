/* SPDX-License-Identifier: MIT */
/* The serial console: its past for those who come later, and any number of listeners. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "host-tools/lib/peer.h"
#include "host-tools/lib/sanitize.h"
#include "host-tools/lib/supervisor_internal.h"

#define BACKLOG (64 * 1024)
#define CLIENT_LIMIT (256 * 1024)
#define INPUT_LIMIT (16 * 1024)
#define LINGER_MS 1000

static void drop_client(struct console_client *client)
{
	if (client->fd < 0)
		return;
	uni_event_source_remove(&client->supervisor->loop, &client->source);
	close(client->fd);
	client->fd = -1;
	uni_byte_queue_fini(&client->out);
}

static void flush_client(struct console_client *client)
{
	if (uni_byte_queue_flush(&client->out, client->fd) < 0) {
		drop_client(client);
		return;
	}
	uni_event_source_want(&client->supervisor->loop, &client->source,
			      uni_byte_queue_len(&client->out) ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void send_to_client(struct console_client *client, const uint8_t *data, size_t len)
{
	static const char gap[] = "\n[uniscope: you were too slow, output is missing here]\n";

	if (len + sizeof(gap) <= uni_byte_queue_free(&client->out)) {
		uni_byte_queue_put(&client->out, data, len);
	} else {
		/* What waits is older than what a reader who comes back wants to see. */
		uni_byte_queue_clear(&client->out);
		uni_byte_queue_put(&client->out, gap, sizeof(gap) - 1);
		uni_byte_queue_put(&client->out, data, len);
	}
	flush_client(client);
}

static void remember(struct console *console, const uint8_t *data, size_t len)
{
	struct uni_byte_queue *backlog = &console->backlog;

	while (uni_byte_queue_free(backlog) < len) {
		/* Drops whole lines from the front, a quarter at least so as not to move each time.
		 */
		size_t cut = BACKLOG / 4;
		const uint8_t *start = backlog->data + backlog->start;
		const uint8_t *line_end =
			memchr(start + cut, '\n', uni_byte_queue_len(backlog) - cut);

		backlog->start += line_end ? (size_t)(line_end - start) + 1 : cut;
	}
	uni_byte_queue_put(backlog, data, len);
}

/* Returns false when there is nothing more to read now. */
static bool read_port(struct supervisor *supervisor)
{
	struct console *console = &supervisor->console;
	uint8_t data[4096];
	ssize_t len = read(supervisor->qemu.console_fd, data, sizeof(data));

	if (len <= 0)
		return len < 0 && errno == EINTR;
	remember(console, data, (size_t)len);
	for (unsigned i = 0; i < CONSOLE_CLIENTS_MAX; i++)
		if (console->clients[i].fd >= 0)
			send_to_client(&console->clients[i], data, (size_t)len);
	if (!console->has_line && memchr(data, '\n', (size_t)len)) {
		console->has_line = true;
		life_booted(supervisor);
	}
	return true;
}

static void flush_input(struct supervisor *supervisor)
{
	struct console *console = &supervisor->console;

	/* A console that is gone ends with QEMU, which is watched. */
	if (uni_byte_queue_flush(&console->in, supervisor->qemu.console_fd) < 0)
		uni_byte_queue_clear(&console->in);
	uni_event_source_want(&supervisor->loop, &console->port,
			      uni_byte_queue_len(&console->in) ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void on_port(void *context, uint32_t events)
{
	struct supervisor *supervisor = context;

	if (events & EPOLLOUT)
		flush_input(supervisor);
	if (events & EPOLLIN)
		read_port(supervisor);
	else if (events & (EPOLLHUP | EPOLLERR))
		uni_event_source_remove(&supervisor->loop, &supervisor->console.port);
}

static void on_client(void *context, uint32_t events)
{
	struct console_client *client = context;
	struct supervisor *supervisor = client->supervisor;
	uint8_t data[1024];
	ssize_t len;

	if (events & EPOLLOUT)
		flush_client(client);
	if (client->fd < 0 || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	len = read(client->fd, data, sizeof(data));
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0) {
		drop_client(client);
		return;
	}
	/* Input beyond what a guest ever reads is dropped, as a real serial line would. */
	uni_byte_queue_put(&supervisor->console.in, data, (size_t)len);
	flush_input(supervisor);
}

/* Takes the descriptor over. */
static void add_client(struct supervisor *supervisor, int fd)
{
	struct console *console = &supervisor->console;

	for (unsigned i = 0; i < CONSOLE_CLIENTS_MAX; i++) {
		struct console_client *client = &console->clients[i];

		if (client->fd >= 0)
			continue;
		if (uni_event_source_add(&supervisor->loop, &client->source, fd, EPOLLIN, on_client,
					 client) < 0)
			break;
		client->fd = fd;
		uni_byte_queue_init(&client->out, CLIENT_LIMIT);
		send_to_client(client, console->backlog.data + console->backlog.start,
			       uni_byte_queue_len(&console->backlog));
		return;
	}
	close(fd);
}

static void on_listener(void *context, uint32_t events)
{
	struct supervisor *supervisor = context;
	int fd = uni_peer_accept(supervisor->console.listener_fd);

	if (fd >= 0)
		add_client(supervisor, fd);
}

int console_init(struct supervisor *supervisor)
{
	struct console *console = &supervisor->console;
	int status;

	for (unsigned i = 0; i < CONSOLE_CLIENTS_MAX; i++)
		console->clients[i] = (struct console_client){.supervisor = supervisor, .fd = -1};
	uni_byte_queue_init(&console->in, INPUT_LIMIT);
	uni_byte_queue_init(&console->backlog, BACKLOG);
	if (supervisor->options->console_fd >= 0)
		add_client(supervisor, supervisor->options->console_fd);
	status = uni_event_source_add(&supervisor->loop, &console->port,
				      supervisor->qemu.console_fd, EPOLLIN, on_port, supervisor);
	return status < 0 ? status
			  : uni_event_source_add(&supervisor->loop, &console->listener,
						 console->listener_fd, EPOLLIN, on_listener,
						 supervisor);
}

/* Last words are waited for, but not long. */
static void linger(struct console_client *client)
{
	uint64_t end = uni_event_now_ns() + LINGER_MS * 1000000ull;

	while (client->fd >= 0 && uni_byte_queue_len(&client->out) > 0 &&
	       uni_event_now_ns() < end) {
		struct pollfd poll_fd = {.fd = client->fd, .events = POLLOUT};

		if (poll(&poll_fd, 1, 50) > 0)
			flush_client(client);
	}
}

void console_drain(struct supervisor *supervisor)
{
	while (read_port(supervisor))
		;
	for (unsigned i = 0; i < CONSOLE_CLIENTS_MAX; i++)
		linger(&supervisor->console.clients[i]);
}

void console_fini(struct supervisor *supervisor)
{
	struct console *console = &supervisor->console;

	for (unsigned i = 0; i < CONSOLE_CLIENTS_MAX; i++)
		if (console->clients[i].supervisor)
			drop_client(&console->clients[i]);
	uni_event_source_remove(&supervisor->loop, &console->port);
	uni_event_source_remove(&supervisor->loop, &console->listener);
	uni_byte_queue_fini(&console->in);
	uni_byte_queue_fini(&console->backlog);
}

void console_last_line(const struct supervisor *supervisor, char *out, size_t size)
{
	const struct uni_byte_queue *backlog = &supervisor->console.backlog;
	const char *text = backlog->data ? (const char *)backlog->data + backlog->start : "";
	size_t end = uni_byte_queue_len(backlog);
	size_t start;

	while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == '\r' || text[end - 1] == ' '))
		end--;
	start = end;
	while (start > 0 && text[start - 1] != '\n' && text[start - 1] != '\r')
		start--;
	uni_sanitize(out, size, text + start, end - start);
}
