/* SPDX-License-Identifier: MIT */

#include "kernel/spinlock.h"

#include "kernel/cpu.h"
#include "kernel/panic.h"

void spin_init(struct spinlock *lock, const char *name)
{
	*lock = (struct spinlock){.name = name};
}

bool spin_try_lock_irqs_off(struct spinlock *lock)
{
	struct cpu *cpu = cpu_current();

	cpu->spinlocks++;
	if (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE) != 0) {
		cpu->spinlocks--;
		return false;
	}
	lock->holder = cpu->id + 1;
	return true;
}

void spin_lock_irqs_off(struct spinlock *lock)
{
	if (spin_try_lock_irqs_off(lock))
		return;
	if (spin_held(lock))
		panic_kind(PANIC_DEADLOCK, "deadlock: cpu %u takes spinlock \"%s\" that it holds",
			   cpu_id(), lock->name);
	do {
		/* Wait by reading, so that the line stays shared until it is free. */
		while (__atomic_load_n(&lock->taken, __ATOMIC_RELAXED) != 0)
			cpu_relax();
	} while (!spin_try_lock_irqs_off(lock));
}

void spin_unlock_irqs_off(struct spinlock *lock)
{
	lock->holder = 0;
	__atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
	cpu_current()->spinlocks--;
}

uint64_t spin_lock(struct spinlock *lock)
{
	uint64_t flags = irq_save();

	spin_lock_irqs_off(lock);
	return flags;
}

void spin_unlock(struct spinlock *lock, uint64_t flags)
{
	spin_unlock_irqs_off(lock);
	irq_restore(flags);
	/* What was woken inside may be more urgent than this thread. */
	preempt_check();
}

bool spin_held(const struct spinlock *lock)
{
	return __atomic_load_n(&lock->holder, __ATOMIC_RELAXED) == cpu_id() + 1;
}
