/* SPDX-License-Identifier: MIT */
/*
 * Passes bytes between one client of a socket and a port of the guest, unchanged, in bounded
 * memory: a side that does not take its bytes stops the other from being read.
 *
 * QEMU listens on a socket for the port; each client gets a connection of its own to it, which is
 * how the guest sees its port open and close. While one client is there others are turned away.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host-tools/lib/byte_queue.h"
#include "host-tools/lib/event_loop.h"

struct port_proxy;

struct port_proxy_side {
	struct port_proxy *proxy;
	int fd;
	struct uni_event_source source;
	struct uni_byte_queue out; /* towards this side */
};

/* Sees what passes: from_client tells the direction. len 0: the client came (from_client) or went.
 */
typedef void (*port_proxy_watch_fn)(void *context, bool from_client, const uint8_t *data,
				    size_t len);

struct port_proxy {
	struct uni_event_loop *loop;
	struct uni_event_source listener;
	int listener_fd;
	const char *port_path; /* where QEMU listens */
	const char *busy_text; /* what one that is turned away is told; NULL: nothing */
	struct port_proxy_side client, port;
	bool connected;
	port_proxy_watch_fn watch; /* may be NULL */
	void *context;
};

/* Takes over listener_fd; the texts must outlive the proxy. 0 or a negative errno value. */
int port_proxy_init(struct port_proxy *proxy, struct uni_event_loop *loop, int listener_fd,
		    const char *port_path, port_proxy_watch_fn watch, void *context);
void port_proxy_fini(struct port_proxy *proxy);
