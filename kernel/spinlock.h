/* SPDX-License-Identifier: MIT */
#pragma once

/* Spinlocks: for what interrupt handlers share, and for the few instructions inside other locks.
 *
 * Holding one keeps interrupts off, so a holder is never preempted and never meets its own
 * interrupt handler. Not for NMI handlers. Taking a lock that this CPU holds already is a panic.
 * Hold them for microseconds; never block inside. */

#include <stdbool.h>
#include <stdint.h>

struct spinlock {
	const char *name;
	uint32_t taken;
	uint32_t holder; /* the CPU's id + 1, 0 when free; for whoever looks on */
};

#define SPINLOCK_INIT(name_)    \
	{                       \
		.name = (name_) \
	}

/* The name is kept, not copied. */
void spin_init(struct spinlock *lock, const char *name);

/* Returns the interrupt state to hand to spin_unlock(). Inside another spinlock's hold it works the
 * same and costs a little more than needed. */
uint64_t spin_lock(struct spinlock *lock);
void spin_unlock(struct spinlock *lock, uint64_t flags);

/* Without touching the interrupt state: the caller has interrupts off and keeps them off. */
void spin_lock_irqs_off(struct spinlock *lock);
bool spin_try_lock_irqs_off(struct spinlock *lock);
void spin_unlock_irqs_off(struct spinlock *lock);

/* True when the calling CPU holds it (interrupts off). */
bool spin_held(const struct spinlock *lock);
