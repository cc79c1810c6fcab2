/* SPDX-License-Identifier: MIT */
#pragma once

/* What a port is made of: shared by port.c, port_poll.c and the driver, virtio/console.c. */

#include <stdbool.h>
#include <stdint.h>

#include "kernel/port.h"
#include "kernel/timer.h"
#include "kernel/virtio/inbox.h"
#include "kernel/virtio/outbox.h"
#include "kernel/wait.h"

#define PORT_NAME_SIZE 64 /* with the 0 at the end */

struct virtio_console;

struct port {
	struct virtio_console *console; /* NULL: never set up */
	uint32_t id;			/* the device's number for it */
	char name[PORT_NAME_SIZE];
	bool known; /* the device named it: port_find() finds it */

	bool open;   /* the host's side; the driver writes it */
	bool polled; /* never cleared: see port.h */

	/* Its lock is the port's: it guards all that follows, until the port is polled. */
	struct wait_queue waiters; /* for room, bytes or opening */
	struct inbox in;
	struct outbox out;
	bool unkicked;	  /* published, and the device not told */
	bool room_wanted; /* somebody was refused, when outbox_finished() was */
	uint16_t refused_at;
	uint16_t told; /* used index of `in` up to which PORT_EVENT_READABLE was told */
	port_event_fn event;
	void *event_arg;
	struct timer close_timer;
	struct port_counters counters;
};

/* Gives a port, whose queues are there, its buffers: in an interrupt handler when the host adds it
 * later than boot. Returns 0, -UNI_ENOMEM. */
int port_setup(struct port *port, struct virtio_console *console, uint32_t id);

/* From the driver, at boot or in interrupt context. */
void port_interrupt(struct port *port);		  /* look at both queues */
void port_set_open(struct port *port, bool open); /* the host's side is so from here on */

/* Bytes of all parts; -UNI_EINVAL when there are none, too many parts or a part of 4 GiB. */
int64_t port_total(const struct port_iov *iov, unsigned count);
