/* SPDX-License-Identifier: MIT */

#include "kernel/port.h"

#include <string.h>

#include "kernel/clock.h"
#include "kernel/page.h"
#include "kernel/port_internal.h"
#include "kernel/tracepoints.h"
#include "kernel/virtio/console.h"
#include "tracing/errno.h"

#define RX_BUFFERS 16
#define RX_BUFFER_SIZE 2048u

/* How long after the host closed a port the device may still hold on to what it was given. */
#define CLOSE_GRACE_NS (100 * NS_PER_MS)

static void after_close(struct timer *timer);

void port_init(void)
{
	virtio_console_init();
}

int port_setup(struct port *port, struct virtio_console *console, uint32_t id)
{
	size_t bounce_size = outbox_bounce_size(&port->out);
	size_t poll_size = OUTBOX_POLL_CHAINS * OUTBOX_POLL_BOUNCE;
	void *in = page_alloc(page_order((size_t)RX_BUFFERS * RX_BUFFER_SIZE));
	void *bounce = page_alloc(page_order(bounce_size));
	void *poll_bounce = page_alloc(page_order(poll_size));

	if (!in || !bounce || !poll_bounce) {
		if (in)
			page_free(in, page_order((size_t)RX_BUFFERS * RX_BUFFER_SIZE));
		if (bounce)
			page_free(bounce, page_order(bounce_size));
		if (poll_bounce)
			page_free(poll_bounce, page_order(poll_size));
		return -UNI_ENOMEM;
	}
	port->console = console;
	port->id = id;
	wait_queue_init(&port->waiters, "port");
	timer_setup(&port->close_timer, after_close);
	outbox_init(&port->out, bounce, poll_bounce);
	inbox_init(&port->in, in, RX_BUFFER_SIZE, RX_BUFFERS);
	return 0;
}

struct port *port_at(unsigned i)
{
	struct port *port;

	for (unsigned at = 0; (port = virtio_console_port_at(at)) != NULL; at++)
		if (__atomic_load_n(&port->known, __ATOMIC_ACQUIRE) && i-- == 0)
			return port;
	return NULL;
}

struct port *port_find(const char *name)
{
	struct port *port;

	for (unsigned i = 0; (port = port_at(i)) != NULL; i++)
		if (strcmp(port->name, name) == 0)
			return port;
	return NULL;
}

const char *port_name(const struct port *port)
{
	return port->name;
}

bool port_is_open(const struct port *port)
{
	return port->polled ? virtio_console_peek_open(port)
			    : __atomic_load_n(&port->open, __ATOMIC_RELAXED);
}

void port_counters(const struct port *port, struct port_counters *out)
{
	*out = port->counters;
	out->rx_buffers = port->in.buffers_read;
	out->errors = port->in.errors + port->out.errors;
}

void port_on_event(struct port *port, port_event_fn fn, void *arg)
{
	uint64_t flags = spin_lock(&port->waiters.lock);

	port->event = fn;
	port->event_arg = arg;
	spin_unlock(&port->waiters.lock, flags);
}

int64_t port_total(const struct port_iov *iov, unsigned count)
{
	int64_t total = 0;

	if (count > PORT_IOV_MAX)
		return -UNI_EINVAL;
	for (unsigned i = 0; i < count; i++) {
		if (iov[i].len > UINT32_MAX)
			return -UNI_EINVAL;
		total += (int64_t)iov[i].len;
	}
	return total > 0 ? total : -UNI_EINVAL;
}

static void run(const struct outbox_done *dones, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		dones[i].done(dones[i].arg);
}

static void tell(struct port *port, unsigned events, port_event_fn event, void *arg)
{
	if (events && event)
		event(port, events, arg);
}

/* Why the shared side cannot be used; lock held. */
static int refusal(const struct port *port)
{
	if (port->polled)
		return -UNI_EBUSY;
	return port->open ? 0 : -UNI_EIO;
}

/* Lock held. Makes the device say when it finishes something. */
static void want_interrupts(struct port *port)
{
	virtqueue_interrupts(&port->out.queue, true);
}

/* The parts that a caller wants published: `done` or copied. */
struct put {
	const struct port_iov *iov;
	unsigned count;
	size_t total;
	bool lend;
	port_done_fn done;
	void *arg;
};

static int put_once(struct port *port, const struct put *put)
{
	if (put->lend)
		return outbox_lend(&port->out, put->iov, put->count, put->done, put->arg);
	return outbox_copy(&port->out, put->iov, put->count, put->total);
}

/* Lock held. Makes room as far as the device allows; without any it leaves room_wanted set. */
static int put_locked(struct port *port, const struct put *put, struct outbox_done *dones,
		      unsigned *due)
{
	bool asked = false;
	int error;

	while ((error = put_once(port, put)) == -UNI_EAGAIN) {
		if (outbox_pending(&port->out)) {
			*due += outbox_reap(&port->out, dones + *due);
		} else if (!asked) {
			/* Once more after this: the device may have finished something before it
			 * could know that somebody waits. */
			want_interrupts(port);
			port->room_wanted = true;
			port->refused_at = outbox_finished(&port->out);
			asked = true;
		} else {
			port->counters.tx_stalls++;
			return error;
		}
	}
	if (error)
		return error;
	port->counters.tx_buffers++;
	port->counters.tx_bytes += put->total;
	port->unkicked = true;
	return 0;
}

static int put(struct port *port, const struct put *put)
{
	struct outbox_done dones[OUTBOX_LENDS_MAX];
	unsigned due = 0;
	uint64_t flags = spin_lock(&port->waiters.lock);
	int error = refusal(port);

	if (!error)
		error = put_locked(port, put, dones, &due);
	spin_unlock(&port->waiters.lock, flags);
	run(dones, due);
	return error;
}

/* Without the lock: where the host emulates the kick it does all of its work inside it. */
static void kick_unlocked(struct port *port)
{
	uint64_t flags = spin_lock(&port->waiters.lock);
	bool due = port->unkicked && !port->polled;

	port->unkicked = false;
	port->counters.tx_kicks += due;
	spin_unlock(&port->waiters.lock, flags);
	if (due) {
		uni_trace_virtio_kick(port->name, port->counters.tx_buffers);
		virtqueue_kick(&port->out.queue);
	}
}

int port_write(struct port *port, const struct port_iov *iov, unsigned count)
{
	struct put what = {.iov = iov, .count = count};
	int64_t total = port_total(iov, count);
	int error;

	if (total < 0 || total > PORT_WRITE_MAX)
		return -UNI_EINVAL;
	what.total = (size_t)total;
	error = put(port, &what);
	if (!error)
		kick_unlocked(port);
	return error;
}

int port_submit(struct port *port, const struct port_iov *iov, unsigned count, port_done_fn done,
		void *arg)
{
	struct put what = {.iov = iov, .count = count, .lend = true, .done = done, .arg = arg};
	int64_t total = port_total(iov, count);

	if (total < 0)
		return -UNI_EINVAL;
	what.total = (size_t)total;
	return put(port, &what);
}

/* Frees what is finished, and asks for an interrupt where some is not and somebody waits for it. */
static void reap(struct port *port)
{
	struct outbox_done dones[OUTBOX_LENDS_MAX];
	uint64_t flags = spin_lock(&port->waiters.lock);
	unsigned due = 0;

	if (!port->polled) {
		due = outbox_reap(&port->out, dones);
		if (port->out.lent > 0) {
			want_interrupts(port);
			due += outbox_reap(&port->out, dones + due);
		}
	}
	spin_unlock(&port->waiters.lock, flags);
	run(dones, due);
}

void port_kick(struct port *port)
{
	kick_unlocked(port);
	reap(port);
}

unsigned port_room(struct port *port)
{
	uint64_t flags;
	unsigned room;

	reap(port);
	flags = spin_lock(&port->waiters.lock);
	room = outbox_lend_room(&port->out);
	spin_unlock(&port->waiters.lock, flags);
	return room;
}

long port_read(struct port *port, void *buf, size_t len)
{
	bool refilled = false;
	uint64_t flags;
	size_t taken = 0;
	int error;

	if (len == 0)
		return -UNI_EINVAL;
	flags = spin_lock(&port->waiters.lock);
	error = refusal(port);
	if (error != -UNI_EBUSY) {
		taken = inbox_read(&port->in, buf, len);
		refilled = inbox_refill(&port->in);
		port->counters.rx_bytes += taken;
	}
	spin_unlock(&port->waiters.lock, flags);
	if (refilled)
		virtqueue_kick(&port->in.queue);
	if (taken > 0)
		return (long)taken;
	return error ? error : -UNI_EAGAIN;
}

static uint64_t deadline_of(int64_t timeout_ms)
{
	return timeout_ms < 0 ? CLOCK_NEVER : clock_deadline((uint64_t)timeout_ms * NS_PER_MS);
}

static bool waits(int64_t error)
{
	return error == -UNI_EAGAIN || error == -UNI_EIO;
}

int port_write_wait(struct port *port, const struct port_iov *iov, unsigned count,
		    int64_t timeout_ms)
{
	uint64_t deadline = deadline_of(timeout_ms);
	bool in_time = true;
	int error;

	while (waits(error = port_write(port, iov, count)) && in_time) {
		uint64_t flags = spin_lock(&port->waiters.lock);

		while (in_time && !port->polled && (port->room_wanted || !port->open))
			in_time = wait_block(&port->waiters, &flags, WAIT_IO, port, port->name,
					     deadline);
		spin_unlock(&port->waiters.lock, flags);
	}
	return waits(error) ? -UNI_ETIMEDOUT : error;
}

long port_read_wait(struct port *port, void *buf, size_t len, int64_t timeout_ms)
{
	uint64_t deadline = deadline_of(timeout_ms);
	bool in_time = true;
	long result;

	while (waits(result = port_read(port, buf, len)) && in_time) {
		uint64_t flags = spin_lock(&port->waiters.lock);

		while (in_time && !port->polled && !inbox_pending(&port->in))
			in_time = wait_block(&port->waiters, &flags, WAIT_IO, port, port->name,
					     deadline);
		spin_unlock(&port->waiters.lock, flags);
	}
	return waits(result) ? -UNI_ETIMEDOUT : result;
}

/* Lock held. What the received buffers are news of. */
static unsigned readable(struct port *port)
{
	uint16_t used = virtqueue_used(&port->in.queue);

	if (used == port->told)
		return 0;
	port->told = used;
	return PORT_EVENT_READABLE;
}

void port_interrupt(struct port *port)
{
	struct outbox_done dones[OUTBOX_LENDS_MAX];
	unsigned due, events;
	port_event_fn event;
	uint64_t flags;
	void *arg;

	/* Here is nobody else who touches `told`, and no lock to take: see port.h. */
	if (port->polled) {
		tell(port, readable(port), port->event, port->event_arg);
		return;
	}
	flags = spin_lock(&port->waiters.lock);
	events = readable(port);
	due = outbox_reap(&port->out, dones);
	uni_trace_virtio_used(port->name, due);
	/* Whoever was refused tries again, also where others took the room meanwhile. */
	if (port->room_wanted && outbox_finished(&port->out) != port->refused_at) {
		events |= PORT_EVENT_WRITABLE;
		port->room_wanted = false;
	}
	if (port->out.lent == 0 && !port->room_wanted)
		virtqueue_interrupts(&port->out.queue, false);
	if (events)
		wait_wake_all(&port->waiters);
	event = port->event;
	arg = port->event_arg;
	spin_unlock(&port->waiters.lock, flags);
	run(dones, due);
	tell(port, events, event, arg);
}

void port_set_open(struct port *port, bool open)
{
	uint64_t flags;
	port_event_fn event;
	void *arg;

	if (port->open == open)
		return;
	if (port->polled) {
		port->open = open;
		tell(port, open ? PORT_EVENT_OPENED : PORT_EVENT_CLOSED, port->event,
		     port->event_arg);
		return;
	}
	flags = spin_lock(&port->waiters.lock);
	port->open = open;
	port->room_wanted = false;
	wait_wake_all(&port->waiters);
	event = port->event;
	arg = port->event_arg;
	if (!open && !port->close_timer.armed)
		timer_arm(&port->close_timer, clock_deadline(CLOSE_GRACE_NS));
	spin_unlock(&port->waiters.lock, flags);
	/* The device discards what was published and not told it yet. */
	if (!open)
		kick_unlocked(port);
	tell(port, open ? PORT_EVENT_OPENED : PORT_EVENT_CLOSED, event, arg);
}

/* What a closed port still holds now it will never give back: see outbox.h. */
static void after_close(struct timer *timer)
{
	struct port *port = (struct port *)((char *)timer - offsetof(struct port, close_timer));
	struct outbox_done dones[OUTBOX_LENDS_MAX];
	uint64_t flags = spin_lock(&port->waiters.lock);
	unsigned due = 0;

	if (!port->polled && !port->open) {
		due = outbox_reap(&port->out, dones);
		due += outbox_abandon(&port->out, dones + due);
	}
	spin_unlock(&port->waiters.lock, flags);
	run(dones, due);
}
