/* SPDX-License-Identifier: MIT */
/*
 * Polled use of ports: what kernel/port.h promises holds because
 *
 *  - the polled side has descriptors and buffers of its own;
 *  - publishing is one store of the available index, and the index in memory is the only one, so an
 *    enqueuer stopped before that store has done nothing;
 *  - the used ring is followed by an index of its own from the takeover on;
 *  - the reader's state is one word (virtio/inbox.h);
 *  - the shared side refuses from the takeover on, so nothing comes back to rely on what it knew.
 */

#include "kernel/clock.h"
#include "kernel/port.h"
#include "kernel/port_internal.h"
#include "tracing/errno.h"

void port_poll_only(struct port *port)
{
	if (port->polled)
		return;
	outbox_poll_begin(&port->out);
	__atomic_store_n(&port->polled, true, __ATOMIC_SEQ_CST);
}

/* One turn of waiting for the device. No pause: QEMU without KVM takes its big lock for each, which
 * the device needs. */
static int wait_turn(const struct port *port, uint64_t deadline)
{
	if (!port_is_open(port))
		return -UNI_EIO;
	if (clock_ns() >= deadline)
		return -UNI_ETIMEDOUT;
	return 0;
}

int port_poll_write(struct port *port, const struct port_iov *iov, unsigned count,
		    uint64_t timeout_us)
{
	uint64_t deadline = clock_deadline(timeout_us * NS_PER_US);
	int64_t total = port_total(iov, count);
	int chain, error;

	if (total < 0)
		return -UNI_EINVAL;
	port_poll_only(port);
	if (!port_is_open(port))
		return -UNI_EIO;
	while ((chain = outbox_poll_put(&port->out, iov, count, (size_t)total)) < 0) {
		error = wait_turn(port, deadline);
		if (error)
			return error;
	}
	port->counters.tx_buffers++;
	port->counters.tx_bytes += (uint64_t)total;
	port->counters.tx_kicks += virtqueue_kick(&port->out.queue);
	while (!outbox_poll_done(&port->out, chain)) {
		error = wait_turn(port, deadline);
		if (error)
			return error;
	}
	return 0;
}

long port_poll_read(struct port *port, void *buf, size_t len)
{
	size_t taken;

	if (len == 0)
		return -UNI_EINVAL;
	port_poll_only(port);
	taken = inbox_read(&port->in, buf, len);
	port->counters.rx_bytes += taken;
	if (inbox_refill(&port->in))
		virtqueue_kick(&port->in.queue);
	if (taken > 0)
		return (long)taken;
	return port_is_open(port) ? -UNI_EAGAIN : -UNI_EIO;
}

size_t port_poll_peek(const struct port *port, size_t offset, void *buf, size_t len)
{
	return inbox_peek(&port->in, offset, buf, len);
}
