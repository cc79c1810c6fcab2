/* SPDX-License-Identifier: MIT */
#pragma once

/* The local interrupt controller of the running CPU, in xAPIC mode (SDM vol. 3, chapter 10): enough
 * for the at most 255 ids that TCG and KVM give without interrupt remapping. */

#include <stdbool.h>
#include <stdint.h>

/* Vectors of the kernel's own; irq.c hands out the ones below. */
#define VECTOR_FIRST 0x30
#define VECTOR_TIMER 0xe0
#define VECTOR_RESCHEDULE 0xe1
#define VECTOR_CALL 0xe2
/* Alone in its priority class, the highest: lapic_halt() takes no other. */
#define VECTOR_WAKE 0xf0
#define VECTOR_SPURIOUS 0xff

/* Maps the registers; once, at boot. */
void lapic_init(void);

/* Software-enables it, accepts every priority, LINT1 = NMI. */
void lapic_init_cpu(void);

uint32_t lapic_id(void);
void lapic_end_of_interrupt(void);

void lapic_send(uint32_t hw_id, uint8_t vector);
/* These two in any context. */
void lapic_send_nmi(uint32_t hw_id);
void lapic_send_wake(uint32_t hw_id);
void lapic_send_init(uint32_t hw_id);
/* Starts the CPU in real mode at page << 12. */
void lapic_send_startup(uint32_t hw_id, uint8_t page);

/* Measures the timer against the clock, or finds that it takes TSC deadlines. Once, after
 * clock_init(). */
void lapic_timer_init(void);

/* VECTOR_TIMER comes when clock_ns() passes the deadline, or somewhat earlier where the counter
 * cannot hold the distance. CLOCK_NEVER stops it. Replaces what was programmed. */
void lapic_timer_set(uint64_t deadline_ns);

/* Interrupts off, any context, NMI handlers included: halts until a wake comes or the deadline; may
 * return earlier. Everything else stays pending. With a deadline it takes the timer over, and
 * VECTOR_TIMER comes as soon as it can afterwards. */
void lapic_halt(uint64_t deadline_ns);

/* VECTOR_WAKE came. */
void lapic_end_of_wake(void);
