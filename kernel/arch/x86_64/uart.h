/* SPDX-License-Identifier: MIT */
#pragma once

/* What console.c needs of the 16550s beyond console.h. */

void uart_init(void);

/* Lets a received byte raise the UART's ISA interrupt. */
void uart_enable_interrupt(unsigned uart);
unsigned uart_isa_irq(unsigned uart);
