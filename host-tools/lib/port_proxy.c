/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/port_proxy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host-tools/lib/peer.h"

#define QUEUE_LIMIT (256 * 1024)
#define PIECE (64 * 1024)

static void close_side(struct port_proxy *proxy, struct port_proxy_side *side)
{
	if (side->fd < 0)
		return;
	uni_event_source_remove(proxy->loop, &side->source);
	close(side->fd);
	side->fd = -1;
	uni_byte_queue_clear(&side->out);
}

static void disconnect(struct port_proxy *proxy)
{
	bool was_connected = proxy->connected;

	proxy->connected = false;
	close_side(proxy, &proxy->client);
	close_side(proxy, &proxy->port);
	if (was_connected && proxy->watch)
		proxy->watch(proxy->context, false, NULL, 0);
}

static struct port_proxy_side *other_side(struct port_proxy_side *side)
{
	return side == &side->proxy->client ? &side->proxy->port : &side->proxy->client;
}

/* Reads while the other side has room, writes while bytes wait. */
static void update(struct port_proxy *proxy, struct port_proxy_side *side)
{
	uint32_t events = 0;

	if (side->fd < 0)
		return;
	if (uni_byte_queue_free(&other_side(side)->out) >= PIECE)
		events |= EPOLLIN;
	if (uni_byte_queue_len(&side->out) > 0)
		events |= EPOLLOUT;
	uni_event_source_want(proxy->loop, &side->source, events);
}

/* False: this side is at its end. */
static bool pass(struct port_proxy *proxy, struct port_proxy_side *from)
{
	struct port_proxy_side *to = other_side(from);
	uint8_t data[PIECE];
	ssize_t len = read(from->fd, data, sizeof(data));
	bool alive;

	if (len < 0)
		return errno == EAGAIN || errno == EINTR;
	if (len == 0 || !uni_byte_queue_put(&to->out, data, (size_t)len))
		return false;
	/* First: the other side waits for them. */
	alive = uni_byte_queue_flush(&to->out, to->fd) == 0;
	if (proxy->watch)
		proxy->watch(proxy->context, from == &proxy->client, data, (size_t)len);
	return alive;
}

static void on_side(void *context, uint32_t events)
{
	struct port_proxy_side *side = context;
	struct port_proxy *proxy = side->proxy;
	bool alive = true;

	if (events & EPOLLOUT)
		alive = uni_byte_queue_flush(&side->out, side->fd) == 0;
	if (alive && (events & EPOLLIN))
		alive = pass(proxy, side);
	else if (events & (EPOLLHUP | EPOLLERR))
		alive = false;
	if (!alive) {
		disconnect(proxy);
		return;
	}
	update(proxy, &proxy->client);
	update(proxy, &proxy->port);
}

static int connect_port(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int status = -errno;

		close(fd);
		return status;
	}
	return fd;
}

static void on_listener(void *context, uint32_t events)
{
	struct port_proxy *proxy = context;
	int client_fd = uni_peer_accept(proxy->listener_fd);
	int port_fd;

	if (client_fd < 0)
		return;
	port_fd = proxy->connected ? -1 : connect_port(proxy->port_path);
	if (port_fd < 0) {
		if (proxy->busy_text)
			send(client_fd, proxy->busy_text, strlen(proxy->busy_text), MSG_NOSIGNAL);
		close(client_fd);
		return;
	}
	proxy->client.fd = client_fd;
	proxy->port.fd = port_fd;
	proxy->connected = true;
	if (uni_event_source_add(proxy->loop, &proxy->client.source, client_fd, EPOLLIN, on_side,
				 &proxy->client) < 0 ||
	    uni_event_source_add(proxy->loop, &proxy->port.source, port_fd, EPOLLIN, on_side,
				 &proxy->port) < 0) {
		disconnect(proxy);
		return;
	}
	if (proxy->watch)
		proxy->watch(proxy->context, true, NULL, 0);
}

int port_proxy_init(struct port_proxy *proxy, struct uni_event_loop *loop, int listener_fd,
		    const char *port_path, port_proxy_watch_fn watch, void *context)
{
	*proxy = (struct port_proxy){
		.loop = loop,
		.listener_fd = listener_fd,
		.port_path = port_path,
		.client = {.proxy = proxy, .fd = -1},
		.port = {.proxy = proxy, .fd = -1},
		.watch = watch,
		.context = context,
	};
	uni_byte_queue_init(&proxy->client.out, QUEUE_LIMIT);
	uni_byte_queue_init(&proxy->port.out, QUEUE_LIMIT);
	return uni_event_source_add(loop, &proxy->listener, listener_fd, EPOLLIN, on_listener,
				    proxy);
}

void port_proxy_fini(struct port_proxy *proxy)
{
	if (!proxy->loop)
		return;
	disconnect(proxy);
	uni_event_source_remove(proxy->loop, &proxy->listener);
	close(proxy->listener_fd);
	uni_byte_queue_fini(&proxy->client.out);
	uni_byte_queue_fini(&proxy->port.out);
	proxy->loop = NULL;
}
