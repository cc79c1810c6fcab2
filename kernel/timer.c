/* SPDX-License-Identifier: MIT */

/* A pairing heap per CPU (Fredman et al., 1986): constant-time arm, amortised logarithmic removal,
 * no storage but the timers'. */

#include "kernel/timer.h"

#include "kernel/arch/x86_64/lapic.h"
#include "kernel/clock.h"
#include "kernel/cpu.h"
#include "kernel/panic.h"
#include "kernel/spinlock.h"
#include "kernel/tracepoints.h"

struct timer_queue {
	struct spinlock lock;
	struct timer *root;	/* the earliest */
	struct timer *firing;	/* its callback runs now */
	uint64_t programmed_ns; /* what the interrupt is set to */
};

static struct timer_queue queues[CPU_MAX];

/* --- the heap --- */

/* Joins two heaps, either of which may be empty; their roots have no siblings. */
static struct timer *join(struct timer *a, struct timer *b)
{
	if (a == NULL)
		return b;
	if (b == NULL)
		return a;
	if (b->deadline_ns < a->deadline_ns) {
		struct timer *earlier = b;

		b = a;
		a = earlier;
	}
	b->sibling = a->child;
	b->previous = a;
	if (a->child != NULL)
		a->child->previous = b;
	a->child = b;
	return a;
}

/* Joins a list of siblings into one heap: in pairs from left to right, the pairs from right to
 * left. */
static struct timer *join_siblings(struct timer *first)
{
	struct timer *pairs = NULL; /* linked through previous, the rightmost first */
	struct timer *all = NULL;

	while (first != NULL) {
		struct timer *a = first;
		struct timer *b = a->sibling;
		struct timer *pair;

		first = b != NULL ? b->sibling : NULL;
		a->sibling = NULL;
		if (b != NULL)
			b->sibling = NULL;
		pair = join(a, b);
		pair->previous = pairs;
		pairs = pair;
	}
	while (pairs != NULL) {
		struct timer *pair = pairs;

		pairs = pair->previous;
		pair->previous = NULL;
		all = join(all, pair);
	}
	return all;
}

static void heap_remove(struct timer_queue *queue, struct timer *timer)
{
	struct timer *below = join_siblings(timer->child);

	if (timer == queue->root) {
		queue->root = below;
	} else {
		if (timer->previous->child == timer)
			timer->previous->child = timer->sibling;
		else
			timer->previous->sibling = timer->sibling;
		if (timer->sibling != NULL)
			timer->sibling->previous = timer->previous;
		queue->root = join(queue->root, below);
	}
	timer->armed = false;
}

/* --- the interrupt --- */

/* On the queue's CPU, lock held. A deadline that went away leaves the interrupt as it is: it will
 * find nothing to do. */
static void program(struct timer_queue *queue)
{
	uint64_t next_ns = queue->root != NULL ? queue->root->deadline_ns : CLOCK_NEVER;

	if (next_ns < queue->programmed_ns) {
		queue->programmed_ns = next_ns;
		lapic_timer_set(next_ns);
	}
}

void timer_interrupt(void)
{
	struct timer_queue *queue = &queues[cpu_id()];

	uint64_t now_ns;

	spin_lock_irqs_off(&queue->lock);
	queue->programmed_ns = CLOCK_NEVER;
	while (queue->root != NULL && queue->root->deadline_ns <= (now_ns = clock_ns())) {
		struct timer *timer = queue->root;

		heap_remove(queue, timer);
		queue->firing = timer;
		spin_unlock_irqs_off(&queue->lock);
		uni_trace_timer_fire((uintptr_t)timer, now_ns - timer->deadline_ns);
		timer->fire(timer);
		spin_lock_irqs_off(&queue->lock);
		queue->firing = NULL;
	}
	program(queue);
	spin_unlock_irqs_off(&queue->lock);
}

/* --- interface --- */

void timer_init_cpu(void)
{
	struct timer_queue *queue = &queues[cpu_id()];

	spin_init(&queue->lock, "timers");
	queue->programmed_ns = CLOCK_NEVER;
}

void timer_setup(struct timer *timer, void (*fire)(struct timer *timer))
{
	*timer = (struct timer){.fire = fire};
}

void timer_arm(struct timer *timer, uint64_t deadline_ns)
{
	uint64_t flags = irq_save();
	struct timer_queue *queue = &queues[cpu_id()];

	KASSERT(!timer->armed);
	uni_trace_timer_arm((uintptr_t)timer, deadline_ns);
	spin_lock_irqs_off(&queue->lock);
	timer->deadline_ns = deadline_ns;
	timer->child = NULL;
	timer->sibling = NULL;
	timer->previous = NULL;
	timer->cpu = (uint16_t)cpu_id();
	timer->armed = true;
	queue->root = join(queue->root, timer);
	program(queue);
	spin_unlock_irqs_off(&queue->lock);
	irq_restore(flags);
}

bool timer_cancel(struct timer *timer)
{
	struct timer_queue *queue = &queues[timer->cpu];
	bool is_own = false;
	bool firing;
	uint64_t flags = spin_lock(&queue->lock);

	if (timer->armed) {
		heap_remove(queue, timer);
		spin_unlock(&queue->lock, flags);
		return true;
	}
	is_own = timer->cpu == cpu_id();
	firing = queue->firing == timer;
	spin_unlock(&queue->lock, flags);
	/* A callback of this CPU's cannot be running elsewhere: it is the caller. */
	while (firing && !is_own) {
		cpu_relax();
		flags = spin_lock(&queue->lock);
		firing = queue->firing == timer;
		spin_unlock(&queue->lock, flags);
	}
	return false;
}
