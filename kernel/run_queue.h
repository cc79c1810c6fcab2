/* SPDX-License-Identifier: MIT */
#pragma once

/* A CPU's ready threads, by priority and in the order they will have their turn. The scheduler's
 * own; the lock, taken with interrupts off, is the caller's to hold except where it says so. */

#include "kernel/spinlock.h"
#include "kernel/thread.h"

struct run_queue {
	struct spinlock lock;
	uint32_t ready_mask;  /* bit p: ready[p] is not empty */
	uint32_t ready_count; /* threads in them, idle ones aside; read without the lock too */
	int running_priority;
	struct list ready[THREAD_PRIORITY_MAX + 1];
	struct list frozen; /* READY too, and out of the count: thread->frozen was set */
	struct timer slice; /* armed while a thread waits that has its turn after it, here or
			       elsewhere */
};

struct run_queue *run_queue_of(unsigned cpu);

/* Takes the lock of the queue that the thread belongs to, and returns that queue. */
struct run_queue *run_queue_lock_home(const struct thread *thread);

/* Takes two, whichever is whose. */
void run_queue_lock_both(struct run_queue *a, struct run_queue *b);

/* The priority of what runs, for those who look for a CPU. Set with the lock held, read without. */
void run_queue_set_running(struct run_queue *queue, int priority);
int run_queue_running(const struct run_queue *queue);

/* The highest priority that is ready, -1 if none is. */
int run_queue_top(const struct run_queue *queue);

/* Makes a thread READY, last of its priority, or first where it has not had its turn yet. A frozen
 * one is kept apart. */
void run_queue_put(struct run_queue *queue, struct thread *thread, bool first);
void run_queue_take(struct run_queue *queue, struct thread *thread);

/* The next of a priority that is ready. */
struct thread *run_queue_first(const struct run_queue *queue, int priority);

/* The most urgent thread that may leave its CPU, NULL if there is none. */
struct thread *run_queue_movable(const struct run_queue *queue);
