/* SPDX-License-Identifier: MIT */

#include "kernel/console.h"

#include "kernel/arch/x86_64/uart.h"
#include "kernel/clock.h"
#include "kernel/format.h"
#include "kernel/irq.h"
#include "kernel/wait.h"

#define CONSOLE_UART 0
#define LINE_MAX 256
#define INPUT_SIZE 256 /* a power of two */

static struct spinlock output_lock = SPINLOCK_INIT("console");
static uint64_t lost_bytes; /* that the UART did not take */

/* What was typed and not read yet; what does not fit is lost, as on any terminal. */
static struct wait_queue input_queue = WAIT_QUEUE_INIT(input_queue, "console input");
static char input[INPUT_SIZE];
static uint32_t input_read, input_written;

void console_init(void)
{
	uart_init();
}

/* How many bytes the UART took. */
static size_t put(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n' && !uart_put(CONSOLE_UART, '\r'))
			return i;
		if (!uart_put(CONSOLE_UART, (uint8_t)text[i]))
			return i;
	}
	return len;
}

static bool tell_lost(void)
{
	char line[40];
	size_t len = format_text(line, sizeof(line), "\n[%llu bytes lost]\n",
				 (unsigned long long)lost_bytes);

	return put(line, len) == len;
}

void console_write_polled(const char *text, size_t len)
{
	if (lost_bytes > 0 && tell_lost())
		lost_bytes = 0;
	if (lost_bytes == 0)
		len -= put(text, len);
	lost_bytes += len;
}

void console_write(const char *text, size_t len)
{
	uint64_t flags = spin_lock(&output_lock);

	console_write_polled(text, len);
	spin_unlock(&output_lock, flags);
}

/* Formats into line[LINE_MAX]; returns the length of what fits. */
static size_t format_line(char *line, const char *format, va_list arguments)
{
	size_t len = format_text_v(line, LINE_MAX, format, arguments);

	return len < LINE_MAX ? len : LINE_MAX - 1;
}

void console_printf(const char *format, ...)
{
	char line[LINE_MAX];
	va_list arguments;

	va_start(arguments, format);
	console_write(line, format_line(line, format, arguments));
	va_end(arguments);
}

void console_printf_polled(const char *format, ...)
{
	char line[LINE_MAX];
	va_list arguments;

	va_start(arguments, format);
	console_write_polled(line, format_line(line, format, arguments));
	va_end(arguments);
}

static void receive(void *argument)
{
	uint64_t flags = spin_lock(&input_queue.lock);
	int byte;

	while ((byte = uart_get(CONSOLE_UART)) >= 0) {
		if (input_written - input_read < INPUT_SIZE)
			input[input_written++ % INPUT_SIZE] = (char)byte;
	}
	wait_wake_all(&input_queue);
	spin_unlock(&input_queue.lock, flags);
}

void console_start(void)
{
	enum irq_trigger trigger;
	enum irq_polarity polarity;
	unsigned gsi = irq_isa_gsi(uart_isa_irq(CONSOLE_UART), &trigger, &polarity);

	if (irq_route_gsi(gsi, trigger, polarity, receive, NULL) == 0)
		uart_enable_interrupt(CONSOLE_UART);
}

size_t console_read(char *buffer, size_t size)
{
	uint64_t flags = spin_lock(&input_queue.lock);
	size_t len = 0;

	while (input_read == input_written)
		wait_block(&input_queue, &flags, WAIT_IO, &input_queue, "console", CLOCK_NEVER);
	while (len < size && input_read != input_written)
		buffer[len++] = input[input_read++ % INPUT_SIZE];
	spin_unlock(&input_queue.lock, flags);
	return len;
}
