/* SPDX-License-Identifier: MIT */
#pragma once

/* Timers: a callback at a moment of clock_ns(), on the CPU that armed it, in its timer interrupt.
 *
 * The caller owns the storage, which must stay until the timer fired or was cancelled. There is no
 * tick: the interrupt is programmed for the earliest deadline only. */

#include <stdbool.h>
#include <stdint.h>

struct timer {
	void (*fire)(struct timer *timer); /* irqs off; may arm the timer again */
	uint64_t deadline_ns;
	/* timer.c: a pairing heap per CPU */
	struct timer *child;
	struct timer *sibling;
	struct timer *previous; /* sibling before this one, or the parent of the first child */
	uint16_t cpu;
	bool armed;
};

void timer_setup(struct timer *timer, void (*fire)(struct timer *timer));

/* Any context but NMI; the timer must not be armed. A deadline in the past fires at once. */
void timer_arm(struct timer *timer, uint64_t deadline_ns);

/* Any context but NMI, from any CPU. Returns true when the timer was armed and will not fire; when
 * it returns false the callback has run to its end, unless it is the callback itself that calls. */
bool timer_cancel(struct timer *timer);

/* Boot, on each CPU. */
void timer_init_cpu(void);

/* Entry code: the timer interrupt came. */
void timer_interrupt(void);
