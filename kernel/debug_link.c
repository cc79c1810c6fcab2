/* SPDX-License-Identifier: MIT */

/* The bytes from and to gdb: the virtio port, or a 16550 where the command line says so. All of it
 * is polled; interrupts only tell that there is something to poll. */

#include "kernel/arch/x86_64/uart.h"
#include "kernel/clock.h"
#include "kernel/cmdline.h"
#include "kernel/console.h"
#include "kernel/debug_internal.h"
#include "kernel/irq.h"
#include "kernel/port.h"
#include "tracing/errno.h"

/* How long gdb, or what carries its bytes, may leave a piece of a reply unread. */
#define WRITE_TIMEOUT_US 10000000

#define NO_UART UART_COUNT

static unsigned link_uart = NO_UART;
static struct port *link_port;
static void (*link_attention)(void);
static uint64_t heard_ns;

void debug_link_init_early(void)
{
	char name[16];

	if (!cmdline_get("gdb", name, sizeof(name)) || name[0] != 't' || name[1] != 't' ||
	    name[2] != 'y' || name[3] != 'S' || name[4] < '0' || name[4] >= '0' + UART_COUNT ||
	    name[5])
		return;
	if (uart_present((unsigned)(name[4] - '0')))
		link_uart = (unsigned)(name[4] - '0');
}

bool debug_link_exists(void)
{
	return link_uart != NO_UART || link_port;
}

bool debug_link_wants_stop(void)
{
	uint8_t bytes[64];
	size_t offset = 0, got;

	if (link_uart != NO_UART)
		return uart_has_input(link_uart);
	if (!link_port)
		return false;
	if (uni_gdb_attached(&debug_stub) && !port_is_open(link_port))
		return true;
	while ((got = port_poll_peek(link_port, offset, bytes, sizeof(bytes))) > 0) {
		if (uni_gdb_wants_stop(bytes, got))
			return true;
		offset += got;
	}
	return false;
}

static void on_port(struct port *port, unsigned events, void *argument)
{
	(void)port;
	(void)argument;
	if (events & (PORT_EVENT_READABLE | PORT_EVENT_CLOSED))
		link_attention();
}

static void on_uart(void *argument)
{
	(void)argument;
	link_attention();
}

static void attend_uart(void)
{
	enum irq_trigger trigger;
	enum irq_polarity polarity;
	unsigned gsi = irq_isa_gsi(uart_isa_irq(link_uart), &trigger, &polarity);

	if (irq_route_gsi(gsi, trigger, polarity, on_uart, NULL) == 0)
		uart_enable_interrupt(link_uart);
}

void debug_link_init(void)
{
	if (link_uart != NO_UART)
		return;
	link_port = port_find(PORT_NAME_GDB);
	if (link_port)
		port_poll_only(link_port);
}

void debug_link_attend(void (*attention)(void))
{
	link_attention = attention;
	if (link_uart != NO_UART)
		attend_uart();
	else if (link_port)
		port_on_event(link_port, on_port, NULL);
}

static long read_uart(uint8_t *bytes, size_t len)
{
	size_t got = 0;
	int byte;

	while (got < len && (byte = uart_get(link_uart)) >= 0)
		bytes[got++] = (uint8_t)byte;
	return (long)got;
}

static long read_link(void *bytes, size_t len)
{
	long got;

	if (link_uart != NO_UART)
		return read_uart(bytes, len);
	if (!link_port)
		return -UNI_EIO;
	got = port_poll_read(link_port, bytes, len);
	return got == -UNI_EAGAIN ? 0 : got;
}

long debug_link_read(void *context, void *bytes, size_t len)
{
	long got = read_link(bytes, len);

	(void)context;
	if (got > 0)
		heard_ns = clock_ns();
	return got;
}

uint64_t debug_link_heard_ns(void)
{
	return heard_ns;
}

int debug_link_write(void *context, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;
	struct port_iov iov = {bytes, len};
	uint64_t end_ns = clock_deadline(WRITE_TIMEOUT_US * NS_PER_US);

	(void)context;
	if (link_uart == NO_UART)
		return link_port ? port_poll_write(link_port, &iov, 1, WRITE_TIMEOUT_US) : -UNI_EIO;
	for (size_t i = 0; i < len; i++)
		while (!uart_put(link_uart, from[i]))
			if (clock_ns() > end_ns)
				return -UNI_ETIMEDOUT;
	return 0;
}
