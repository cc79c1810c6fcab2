/* SPDX-License-Identifier: MIT */
#pragma once

/* The console, on the first 16550; and both 16550s as plain byte channels. Output polls. */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Finds the UARTs. Boot only, first of all. */
void console_init(void);

/* Turns on receive interrupts. Needs irq_init(). */
void console_start(void);

/* Any context but NMI. Whole calls do not interleave. "\n" goes out as "\r\n". Output waits until
 * the UART takes it, a second or so; then it is dropped, as is what follows, until the UART takes
 * bytes again: how many bytes were lost is printed then. */
void console_write(const char *text, size_t len);
void console_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Any context, NMI and panic included: takes no lock. */
void console_write_polled(const char *text, size_t len);
void console_printf_polled(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Reads what was typed, at least one byte; blocks until there is one. Thread context. Returns the
 * bytes read. */
size_t console_read(char *buffer, size_t size);

/* --- the UARTs by number: 0 is COM1 (the console), 1 is COM2 --- */

#define UART_COUNT 2

bool uart_present(unsigned uart);

/* Polled, no locks, any context. Put waits until there is room, at most a second; returns false
 * when the UART did not take the byte, and then does not wait until it takes one. Get returns -1
 * when nothing has come. */
bool uart_put(unsigned uart, uint8_t byte);
int uart_get(unsigned uart);
bool uart_has_input(unsigned uart);
