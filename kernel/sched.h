/* SPDX-License-Identifier: MIT */
#pragma once

/* The scheduler's side that thread.c, wait.c and mutex.c see. Locks nest in this order: a wait
 * queue's, a run queue's, a timer queue's.
 *
 * A thread's state, priority, cpu and queue_link (while READY) belong to the lock of the run queue
 * of thread->cpu. That lock is held across the switch to the next thread, which releases it:
 * whoever gets it finds the registers of every thread that does not run complete in memory. */

#include "kernel/thread.h"

/* Boot, on each CPU, before anything blocks. */
void sched_init_cpu(struct thread *idle);

/* First thing in a thread that never ran: what sched_block() does when it returns. */
void sched_finish_switch(void);

/* A thread that never ran becomes ready. */
void sched_start(struct thread *thread);

/* Gives the CPU away until sched_wake(). Interrupts off, and the thread's state is BLOCKED or
 * EXITED; the former was set before anyone could know of it to wake it. Returns at once when it was
 * woken since. */
void sched_block(void);

/* Makes a BLOCKED thread ready. Interrupts off; once per block, which the wait queue's lock sees
 * to. */
void sched_wake(struct thread *thread);

/* Waits until an EXITED thread is off its CPU and its stack out of use. */
void sched_wait_off_cpu(struct thread *thread);

/* A consistent copy of what changes while a thread runs. */
void sched_snapshot(struct thread *thread, struct thread_info *out);

/* switch.S */
void thread_switch(uintptr_t *save_rsp, void *save_fx, uintptr_t load_rsp, const void *load_fx);
void thread_start(void);

/* switch_end.c: the last instruction of thread_switch(), when all else that it did is undone and
 * the return address is on top of the stack. Here a debugger shows a thread that is off its CPU. */
void thread_switch_end(void);

/* thread.c, called by thread_start */
_Noreturn void thread_main(void);

/* wait.c: what thread->timeout calls */
void wait_timeout(struct timer *timer);

/* thread_list.c: a new thread gets its id and can be seen; false when there is no room for it. */
bool thread_list_add(struct thread *thread);
void thread_list_remove(struct thread *thread);

/* thread_list.c: fills everything in *out from the thread; no locks. */
void thread_fill_info(const struct thread *thread, struct thread_info *out);
