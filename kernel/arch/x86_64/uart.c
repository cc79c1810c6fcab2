/* SPDX-License-Identifier: MIT */

/* The 16550s, polled (National Semiconductor PC16550D data sheet). */

#include "kernel/arch/x86_64/uart.h"

#include "kernel/arch/x86_64/io.h"
#include "kernel/console.h"

enum uart_register {
	UART_DATA = 0,
	UART_INTERRUPTS = 1,
	UART_FIFO = 2,
	UART_LINE = 3,
	UART_MODEM = 4,
	UART_STATUS = 5,
	UART_SCRATCH = 7,
};

#define INTERRUPT_RECEIVED 0x01
#define FIFO_ENABLE 0x07 /* on, both emptied */
#define LINE_8N1 0x03
#define LINE_DIVISOR 0x80
#define MODEM_READY 0x0b /* DTR, RTS, OUT2: the gate of the interrupt line */
#define STATUS_RECEIVED 0x01
#define STATUS_EMPTY 0x20

#define DIVISOR_115200 1

/* Status reads, each an exit to the host, before a byte is given up: about a second. */
#define PUT_TRIES 2000000

static const uint16_t bases[UART_COUNT] = {0x3f8, 0x2f8};
static bool present[UART_COUNT];
/* It took no byte in that time: the next ones do not wait. */
static bool stalled[UART_COUNT];

static bool probe(uint16_t base)
{
	io_out8(base + UART_SCRATCH, 0x5a);
	return io_in8(base + UART_SCRATCH) == 0x5a;
}

void uart_init(void)
{
	for (unsigned i = 0; i < UART_COUNT; i++) {
		uint16_t base = bases[i];

		present[i] = probe(base);
		if (!present[i])
			continue;
		io_out8(base + UART_INTERRUPTS, 0);
		io_out8(base + UART_LINE, LINE_DIVISOR);
		io_out8(base + UART_DATA, DIVISOR_115200);
		io_out8(base + UART_INTERRUPTS, 0);
		io_out8(base + UART_LINE, LINE_8N1);
		io_out8(base + UART_FIFO, FIFO_ENABLE);
		io_out8(base + UART_MODEM, MODEM_READY);
	}
}

void uart_enable_interrupt(unsigned uart)
{
	if (present[uart])
		io_out8(bases[uart] + UART_INTERRUPTS, INTERRUPT_RECEIVED);
}

unsigned uart_isa_irq(unsigned uart)
{
	return uart == 0 ? 4 : 3;
}

bool uart_present(unsigned uart)
{
	return uart < UART_COUNT && present[uart];
}

bool uart_put(unsigned uart, uint8_t byte)
{
	if (!uart_present(uart))
		return false;
	for (unsigned tries = stalled[uart] ? 1 : PUT_TRIES; tries > 0; tries--) {
		if (io_in8(bases[uart] + UART_STATUS) & STATUS_EMPTY) {
			io_out8(bases[uart] + UART_DATA, byte);
			stalled[uart] = false;
			return true;
		}
	}
	stalled[uart] = true;
	return false;
}

bool uart_has_input(unsigned uart)
{
	return uart_present(uart) && io_in8(bases[uart] + UART_STATUS) & STATUS_RECEIVED;
}

int uart_get(unsigned uart)
{
	if (!uart_has_input(uart))
		return -1;
	return io_in8(bases[uart] + UART_DATA);
}
