/* SPDX-License-Identifier: MIT */
#pragma once

/* The sending side of a port. Descriptors are parted by use, so that no use can starve another:
 *
 *	[0, bounce)            each with OUTBOX_SLOT bytes of its own: small writes are copied there
 *	[bounce, polled)       point into the memory of callers, until the device is done with it
 *	[polled, size)         two chains of the polled side, touched by nobody else
 *
 * A port is a stream of bytes, so the device finishes chains in the order they were published; when
 * one is finished all before it are. That matters: QEMU (7.2, discard_throttle_data()) forgets the
 * chain it was in the middle of when the host closes a port that was stalled, and it never comes
 * back by itself.
 *
 * Shared side: calls with the port's lock held. Polled side: takes over for good with
 * outbox_poll_begin(), see kernel/port.h; after it the shared side is dead, so a CPU stopped inside
 * the shared side does not matter: what it had not published yet is gone, what it had is ahead of
 * the polled chains. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/port.h"
#include "kernel/virtio/virtqueue.h"

#define OUTBOX_SLOT 1024u
#define OUTBOX_SIZE_MIN 64
#define OUTBOX_POLL_CHAINS 2
#define OUTBOX_POLL_BOUNCE 4096u
#define OUTBOX_LENDS_MAX (VIRTQUEUE_SIZE_MAX / 2 - OUTBOX_POLL_CHAINS * PORT_IOV_MAX)

struct outbox_chain {
	uint64_t parts; /* its descriptors, a bit each; 0: not with the device */
	bool lent;	/* they are bits of lend_free, else of bounce_free */
	port_done_fn done;
	void *arg;
};

/* What the caller runs after it released the lock. */
struct outbox_done {
	port_done_fn done;
	void *arg;
};

struct outbox {
	struct virtqueue queue;
	uint8_t *bounce;
	uint16_t bounce_count;
	uint16_t lend_count;
	uint64_t bounce_free; /* bit i: descriptor i */
	uint64_t lend_free;   /* bit i: descriptor bounce_count + i */
	unsigned lent;	      /* chains of the second kind with the device */

	struct outbox_chain chains[VIRTQUEUE_SIZE_MAX]; /* by head */
	uint16_t order[VIRTQUEUE_SIZE_MAX];		/* heads, as published */
	uint16_t order_first;				/* both count on, modulo 65536 */
	uint16_t order_end;
	uint16_t used_seen;

	uint8_t *poll_bounce;
	bool poll_busy[OUTBOX_POLL_CHAINS];
	unsigned poll_newest;
	uint16_t poll_used_seen;

	uint64_t errors; /* nonsense in the used ring */
};

/* Bytes of bounce slots for the queue, which is allocated, of at least OUTBOX_SIZE_MIN. */
size_t outbox_bounce_size(const struct outbox *outbox);

/* poll_bounce is OUTBOX_POLL_CHAINS times OUTBOX_POLL_BOUNCE bytes. */
void outbox_init(struct outbox *outbox, void *bounce, void *poll_bounce);

/* One chain with a copy of all parts, total > 0 bytes. Returns 0, -UNI_EAGAIN. */
int outbox_copy(struct outbox *outbox, const struct port_iov *iov, unsigned count, size_t total);

/* One chain of the parts themselves. Returns 0, -UNI_EAGAIN. */
int outbox_lend(struct outbox *outbox, const struct port_iov *iov, unsigned count,
		port_done_fn done, void *arg);

unsigned outbox_lend_room(const struct outbox *outbox);

/* Frees what the device finished. Returns how many callbacks are due: in `dones`, which has room
 * for OUTBOX_LENDS_MAX; under one hold of the lock there are never more in all. */
unsigned outbox_reap(struct outbox *outbox, struct outbox_done *dones);

/* The same for all chains, finished or not: for a device that will not finish them. */
unsigned outbox_abandon(struct outbox *outbox, struct outbox_done *dones);

/* How many chains were ever freed, modulo 65536. */
uint16_t outbox_finished(const struct outbox *outbox);

/* Whether the device finished any that were not reaped. */
bool outbox_pending(const struct outbox *outbox);

void outbox_poll_begin(struct outbox *outbox);

/* Publishes one chain of all parts (copied where they fit OUTBOX_POLL_BOUNCE) without a kick.
 * Returns which of the OUTBOX_POLL_CHAINS it is, -UNI_EAGAIN. */
int outbox_poll_put(struct outbox *outbox, const struct port_iov *iov, unsigned count,
		    size_t total);

/* Whether the device is done with that chain. */
bool outbox_poll_done(struct outbox *outbox, int chain);
