/* SPDX-License-Identifier: MIT */
#pragma once

/* Interrupts: vectors, their handlers, routing through the IOAPICs, MSI, and calls between CPUs.
 *
 * Handlers run with interrupts off on the CPU that took the interrupt, on the stack of the thread
 * they interrupted; the end-of-interrupt is sent when they return. Device interrupts go to CPU 0.
 */

#include <stdbool.h>
#include <stdint.h>

enum irq_trigger { IRQ_EDGE, IRQ_LEVEL };
enum irq_polarity { IRQ_ACTIVE_HIGH, IRQ_ACTIVE_LOW };

typedef void (*irq_handler)(void *argument);

/* Finds the controllers (ACPI MADT, or the usual places), masks everything. Boot only. */
void irq_init(void);

/* The running CPU's local controller: LINT1 is NMI, LINT0 and the rest masked. */
void irq_init_cpu(void);

/* Global system interrupts are 0 .. irq_gsi_count() - 1, over all IOAPICs. */
unsigned irq_gsi_count(void);

/* Routes a GSI to a vector of its own (or to the one it has: several handlers may share a level
 * GSI, each is called) and unmasks it. ISA IRQs go through the MADT's overrides: see irq_isa_gsi().
 * Thread context or boot. Returns 0, -UNI_EINVAL (no such GSI, or shared with another trigger),
 * -UNI_ENOSPC (out of vectors or handlers). */
int irq_route_gsi(unsigned gsi, enum irq_trigger trigger, enum irq_polarity polarity,
		  irq_handler handler, void *argument);

/* The GSI of one of the 16 ISA interrupts, and how it is triggered. */
unsigned irq_isa_gsi(unsigned isa_irq, enum irq_trigger *trigger, enum irq_polarity *polarity);

/* A vector for one message-signalled interrupt: what to write into the capability. Thread context
 * or boot. Returns 0, -UNI_ENOSPC. */
int irq_alloc_msi(irq_handler handler, void *argument, uint64_t *address, uint32_t *data);

/* Runs fn on every other online CPU, in their interrupt handlers, and waits until all are done.
 * Thread context, interrupts on, no spinlock held. fn must not block. */
void irq_call_others(void (*fn)(void *argument), void *argument);

/* Makes the CPU look at its run queue. Any context but NMI. */
void irq_send_reschedule(unsigned cpu);

/* NMI to every other CPU that is online. Any context. */
void irq_send_nmi_others(void);
void irq_send_nmi(unsigned cpu);

/* For CPUs that are stopped. Interrupts off, any context, NMI included: halts until irq_wake() of
 * another CPU or until the deadline, and may return earlier. Other interrupts stay pending. With a
 * deadline, timer_interrupt() follows as soon as interrupts are on. */
void irq_halt(uint64_t deadline_ns);
void irq_wake(unsigned cpu);

/* Entry code: an interrupt on `vector` came. */
void irq_dispatch(unsigned vector);

/* Interrupts on a vector that nobody handles, spurious ones included. */
uint64_t irq_spurious_count(void);
