/* SPDX-License-Identifier: MIT */

#include "kernel/virtio/console.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernel/clock.h"
#include "kernel/cpu.h"
#include "kernel/log.h"
#include "kernel/page.h"
#include "kernel/port_internal.h"
#include "kernel/spinlock.h"
#include "kernel/virtio/transport.h"
#include "tracing/errno.h"

#define CONSOLES_MAX 2
#define PORTS_MAX 8 /* of one device: ports 0 to 7 */

#define F_MULTIPORT 2ull /* bit 1 (section 5.3.3) */
#define CONFIG_MAX_PORTS 4

/* Section 5.3.6.2, struct virtio_console_control. */
struct control {
	uint32_t id;
	uint16_t event;
	uint16_t value;
};

enum control_event {
	DEVICE_READY = 0,
	PORT_ADD = 1,
	PORT_REMOVE = 2,
	PORT_READY = 3,
	PORT_OPEN = 6,
	PORT_NAME = 7,
};

/* QEMU drops control messages that find no buffer; it has 32 descriptors for them. */
#define CONTROL_BUFFERS 32
#define CONTROL_BUFFER_SIZE 128u
#define CONTROL_MESSAGES (PAGE_SIZE / sizeof(struct control))

#define SETTLE_NS NS_PER_S

_Static_assert(CONTROL_BUFFERS *CONTROL_BUFFER_SIZE <= PAGE_SIZE, "one page of them");
_Static_assert(CONTROL_MESSAGES >= VIRTQUEUE_SIZE_MAX, "one a descriptor");

struct virtio_console {
	struct virtio_device device;
	struct spinlock lock; /* of the control queues */
	struct inbox control_in;
	struct virtqueue control_out;
	struct control *messages; /* descriptor i's is number i */
	unsigned port_count;
	struct port ports[PORTS_MAX];
};

static struct virtio_console consoles[CONSOLES_MAX];
static unsigned console_count;

/* Lock held. Message number n uses descriptor n modulo the size: the host takes them in order. */
static void send(struct virtio_console *console, uint32_t id, enum control_event event,
		 uint16_t value)
{
	struct virtqueue *queue = &console->control_out;
	uint16_t number = virtqueue_published(queue);
	uint16_t at = number & (queue->size - 1);

	if ((uint16_t)(number - virtqueue_used(queue)) >= queue->size) {
		log_printf(LOG_WARNING, "virtio: %s does not read its control queue",
			   console->device.name);
		return;
	}
	console->messages[at] =
		(struct control){.id = id, .event = (uint16_t)event, .value = value};
	queue->desc[at] = (struct virtq_desc){
		.address = (uintptr_t)&console->messages[at],
		.len = sizeof(struct control),
	};
	virtqueue_publish(queue, at);
}

static void add_port(struct virtio_console *console, uint32_t id)
{
	struct port *port;
	int error = -UNI_ENOSPC;

	if (id < console->port_count) {
		port = &console->ports[id];
		error = port->console ? 0 : port_setup(port, console, id);
	}
	send(console, id, PORT_READY, error == 0);
	if (error) {
		log_printf(LOG_WARNING, "virtio: %s: port %u is not used (error %d)",
			   console->device.name, id, -error);
		return;
	}
	send(console, id, PORT_OPEN, 1);
	virtqueue_kick(&port->in.queue);
}

static void name_port(struct port *port, const char *name, size_t len)
{
	len = strnlen(name, len);
	if (port->known || len == 0)
		return;
	if (len >= PORT_NAME_SIZE) {
		log_printf(LOG_WARNING, "virtio: the name of port %u is too long", port->id);
		return;
	}
	memcpy(port->name, name, len);
	__atomic_store_n(&port->known, true, __ATOMIC_RELEASE);
}

/* A port that was set up, NULL for any other number. */
static struct port *port_of(struct virtio_console *console, uint32_t id)
{
	if (id >= console->port_count || !console->ports[id].console)
		return NULL;
	return &console->ports[id];
}

static void handle(struct virtio_console *console, const struct control *message, const char *rest,
		   size_t rest_len)
{
	struct port *port = port_of(console, message->id);

	switch (message->event) {
	case PORT_ADD:
		add_port(console, message->id);
		break;
	case PORT_REMOVE:
		if (port)
			port_set_open(port, false);
		break;
	case PORT_OPEN:
		if (port)
			port_set_open(port, message->value != 0);
		break;
	case PORT_NAME:
		if (port)
			name_port(port, rest, rest_len);
		break;
	default:
		/* CONSOLE_PORT and RESIZE: no port here is a terminal. */
		break;
	}
}

/* Handles the control messages that are there. */
static void handle_all(struct virtio_console *console)
{
	uint8_t message[CONTROL_BUFFER_SIZE];
	struct control control;
	uint16_t published;
	uint64_t flags;
	size_t len;

	if (!inbox_pending(&console->control_in))
		return;
	flags = spin_lock(&console->lock);
	published = virtqueue_published(&console->control_out);
	/* Handled first and moved past then: virtio_console_peek_open() misses none in between. */
	while (inbox_peek_message(&console->control_in, 0, message, sizeof(message), &len)) {
		if (len >= sizeof(control)) {
			memcpy(&control, message, sizeof(control));
			handle(console, &control, (const char *)message + sizeof(control),
			       len - sizeof(control));
		}
		inbox_drop(&console->control_in);
	}
	if (inbox_refill(&console->control_in))
		virtqueue_kick(&console->control_in.queue);
	if (virtqueue_published(&console->control_out) != published)
		virtqueue_kick(&console->control_out);
	spin_unlock(&console->lock, flags);
}

static void interrupt(void *argument)
{
	struct virtio_console *console = argument;

	handle_all(console);
	for (unsigned i = 0; i < console->port_count; i++)
		if (console->ports[i].console)
			port_interrupt(&console->ports[i]);
}

/* Queues 0 and 1 are port 0's, 2 and 3 the control queues, 2n + 2 and 2n + 3 those of port n; each
 * pair receives first (section 5.3.2). */
static uint16_t first_queue(unsigned id)
{
	return (uint16_t)(id == 0 ? 0 : 2 * id + 2);
}

static int setup_control(struct virtio_console *console)
{
	uint8_t *buffers = page_alloc(0);
	int error;

	console->messages = page_alloc(0);
	if (!buffers || !console->messages)
		return -UNI_ENOMEM;
	error = virtio_queue(&console->device, 2, &console->control_in.queue);
	if (!error)
		error = virtio_queue(&console->device, 3, &console->control_out);
	if (error)
		return error;
	virtqueue_interrupts(&console->control_out, false);
	if (console->control_in.queue.size < CONTROL_BUFFERS)
		return -UNI_ENOTSUP;
	inbox_init(&console->control_in, buffers, CONTROL_BUFFER_SIZE, CONTROL_BUFFERS);
	return 0;
}

/* Section 3.1.1 wants every queue set up before DRIVER_OK, so those of ports that may never come
 * too; the buffers wait for the port. */
static int setup_ports(struct virtio_console *console)
{
	uint32_t max = console->device.transport->read_config(&console->device, CONFIG_MAX_PORTS);
	int error = 0;

	for (unsigned id = 0; id < max && id < PORTS_MAX && !error; id++) {
		struct port *port = &console->ports[id];

		error = virtio_queue(&console->device, first_queue(id), &port->in.queue);
		if (!error)
			error = virtio_queue(&console->device, (uint16_t)(first_queue(id) + 1),
					     &port->out.queue);
		if (!error && port->out.queue.size < OUTBOX_SIZE_MIN)
			error = -UNI_ENOTSUP;
		if (!error)
			console->port_count = id + 1;
	}
	return error;
}

/* Whether the host has answered all that was sent, and the answers are handled. It answers before
 * it gives a message back; the lock is what an interrupt handler in the middle of an answer holds.
 */
static bool settled(struct virtio_console *console)
{
	uint64_t flags = spin_lock(&console->lock);
	bool settled = virtqueue_used(&console->control_out) ==
			       virtqueue_published(&console->control_out) &&
		       !inbox_pending(&console->control_in);

	spin_unlock(&console->lock, flags);
	return settled;
}

static bool settle(struct virtio_console *console)
{
	uint64_t deadline = clock_deadline(SETTLE_NS);

	while (!settled(console)) {
		if (clock_ns() > deadline)
			return false;
		handle_all(console);
		cpu_relax();
	}
	return true;
}

static unsigned known_ports(const struct virtio_console *console)
{
	unsigned count = 0;

	for (unsigned i = 0; i < console->port_count; i++)
		count += console->ports[i].known;
	return count;
}

static int start(struct virtio_console *console)
{
	struct virtio_device *device = &console->device;
	uint64_t start_ns = clock_ns();
	uint64_t features, flags;
	int error;

	spin_init(&console->lock, "virtio console");
	error = virtio_start(device, F_MULTIPORT, &features, interrupt, console);
	if (error)
		return error;
	if (!(features & F_MULTIPORT)) {
		log_printf(LOG_WARNING, "virtio: %s: a console without named ports", device->name);
		virtio_fail(device);
		return -UNI_ENOTSUP;
	}
	error = setup_control(console);
	if (!error)
		error = setup_ports(console);
	if (error) {
		log_printf(LOG_ERROR, "virtio: %s: cannot set up its queues (error %d)",
			   device->name, -error);
		virtio_fail(device);
		console->port_count = 0;
		return error;
	}
	virtio_ready(device);
	virtqueue_kick(&console->control_in.queue);
	flags = spin_lock(&console->lock);
	send(console, 0, DEVICE_READY, 1);
	spin_unlock(&console->lock, flags);
	virtqueue_kick(&console->control_out);
	if (!settle(console))
		log_printf(LOG_WARNING, "virtio: %s did not answer in time", device->name);
	log_printf(LOG_INFO, "virtio: console at %s, %u ports, %u us", device->name,
		   known_ports(console), (unsigned)((clock_ns() - start_ns) / NS_PER_US));
	return 0;
}

void virtio_console_init(void)
{
	struct virtio_device found[CONSOLES_MAX];
	unsigned count = virtio_find(VIRTIO_DEVICE_CONSOLE, found, CONSOLES_MAX);

	for (unsigned i = 0; i < count; i++) {
		consoles[console_count].device = found[i];
		if (start(&consoles[console_count]) == 0)
			console_count++;
	}
}

struct port *virtio_console_port_at(unsigned i)
{
	for (unsigned c = 0; c < console_count; c++) {
		if (i < consoles[c].port_count)
			return &consoles[c].ports[i];
		i -= consoles[c].port_count;
	}
	return NULL;
}

bool virtio_console_peek_open(const struct port *port)
{
	const struct inbox *inbox = &port->console->control_in;
	bool open = __atomic_load_n(&port->open, __ATOMIC_RELAXED);
	struct control control;
	size_t len;

	for (uint16_t i = 0; inbox_peek_message(inbox, i, &control, sizeof(control), &len); i++) {
		if (len < sizeof(control) || control.id != port->id)
			continue;
		if (control.event == PORT_OPEN)
			open = control.value != 0;
		else if (control.event == PORT_REMOVE)
			open = false;
	}
	return open;
}
