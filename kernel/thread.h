/* SPDX-License-Identifier: MIT */
#pragma once

/* Threads: named, preemptive, with fixed priorities.
 *
 * Each CPU has a run queue; on each the ready thread of the highest priority runs, equal ones take
 * turns of THREAD_SLICE_NS. A CPU that has nothing to do steals from the others; a pinned thread
 * never leaves its CPU. A thread that becomes ready goes to the CPU it ran on last, or where that
 * is busy to an idle one, or where that runs something more urgent to one that does not. One that
 * waited a turn's time is moved in the same way, so a more urgent thread that never ends keeps
 * nobody else from the other CPUs.
 *
 * All fields of struct thread belong to the scheduler. Others may read those marked "fixed" at any
 * time while they know the thread to exist, the rest through thread_for_each() or with the world
 * stopped (every other CPU held in its NMI handler). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/cpu.h"
#include "kernel/list.h"
#include "kernel/timer.h"
#include "kernel/wait.h"

#define THREAD_NAME_SIZE 24 /* with the 0 at the end */
#define THREAD_MAX 16384
#define THREAD_ID_MAX 0x7fffffff /* what gdb can take */
#define THREAD_STACK_DEFAULT 32768
#define THREAD_SLICE_NS 5000000
#define THREAD_PRIORITY_IDLE 0 /* idle threads only */
#define THREAD_PRIORITY_LOW 8
#define THREAD_PRIORITY_DEFAULT 16
#define THREAD_PRIORITY_HIGH 24
#define THREAD_PRIORITY_MAX 31
#define THREAD_ANY_CPU (-1)

enum thread_state {
	THREAD_RUNNING = 1, /* on the CPU thread->cpu */
	THREAD_READY,	    /* in the run queue of thread->cpu */
	THREAD_BLOCKED,	    /* see thread->wait */
	THREAD_EXITED,	    /* waits to be joined or reaped */
};

/* What a blocked thread waits for; kind is WAIT_NONE while it does not. */
struct thread_wait {
	enum wait_kind kind;
	const void *object;	 /* the mutex, condition, ...; the thread for a join */
	const char *object_name; /* static text or as long-lived as the object; may be NULL */
	uint64_t since_ns;	 /* clock_ns() */
	uint64_t deadline_ns;	 /* CLOCK_NEVER: none */
};

struct thread {
	uint32_t id;		      /* fixed; 1 .. 0x7fffffff, not used again */
	char name[THREAD_NAME_SIZE];  /* fixed */
	int (*entry)(void *argument); /* fixed; NULL for idle threads */
	void *argument;		      /* fixed */
	uintptr_t stack_low;	      /* fixed; the guard page lies below */
	uintptr_t stack_high;	      /* fixed */

	enum thread_state state;
	uint8_t priority;
	bool detached;
	bool frozen;	     /* is not to run: a debugger's, changed with the world stopped */
	bool put_aside;	     /* READY, and among the frozen of its run queue */
	bool called;	     /* frozen: a debugger calls a function in it, on a CPU of another */
	int16_t pinned_cpu;  /* or THREAD_ANY_CPU */
	uint16_t cpu;	     /* runs, is queued or ran last there */
	uintptr_t saved_rsp; /* a struct switch_frame, while not RUNNING */
	uintptr_t tls;	     /* its thread-local variables end here; 0: it has none. fixed */

	uint64_t created_ns;
	uint64_t runtime_ns; /* without the stretch it is running now */
	uint64_t running_since_ns;
	uint64_t switches;    /* times it was put on a CPU */
	uint64_t preemptions; /* of those, how often it had been preempted before */
	uint64_t migrations;

	struct thread_wait wait;
	struct wait_queue *wait_queue; /* is linked there by queue_link */
	bool wait_timed_out;
	uint32_t mutexes_held;

	int exit_code;
	struct wait_queue exit_queue; /* of its joiner; guards state EXITED and detached */
	struct mutex *blocked_on;     /* mutex.c: the edge of the waits-for graph */

	struct list all_link;	/* thread_list.c: every thread, oldest first */
	struct list queue_link; /* a run queue or a wait queue */
	struct timer timeout;

	bool service; /* fixed */
	void *fpu;    /* fixed; holds the FPU state while not RUNNING */
};

struct thread_options {
	const char *name;  /* copied; cut to THREAD_NAME_SIZE - 1 */
	int priority;	   /* 1 .. THREAD_PRIORITY_MAX; 0 means THREAD_PRIORITY_DEFAULT */
	bool pinned;	   /* keep to .cpu */
	unsigned cpu;	   /* < cpu_count(), when pinned */
	size_t stack_size; /* bytes, rounded up to pages; 0 means THREAD_STACK_DEFAULT */
	bool detached;	   /* freed when it exits; never joined */
	bool service;	   /* of the kernel's own: a debugger records it only where it steps */
};

/* What enumeration hands out: a copy, consistent in itself. */
struct thread_info {
	uint32_t id;
	char name[THREAD_NAME_SIZE];
	enum thread_state state;
	int priority;
	int pinned_cpu;
	unsigned cpu;
	struct thread_wait wait;
	uint32_t wait_owner; /* id of the owner of the mutex waited for; 0: none known */
	uint64_t runtime_ns; /* up to this moment */
	uint64_t switches;
	uint64_t preemptions;
	uint64_t migrations;
	uintptr_t entry;
	uintptr_t stack_low;
	uintptr_t stack_high;
	size_t stack_used_max; /* bytes ever used, to 8 bytes */
	uintptr_t saved_rsp;   /* 0 while running */
};

/* --- life --- */

/* Starts a thread; its return value is its exit code. Thread context. Returns NULL when memory is
 * out, THREAD_MAX threads exist, all ids are used up or half the stack is too small for the
 * application's thread-local variables. The pointer is valid until the join; for a
 * detached thread it must not be used at all. */
struct thread *thread_create(const struct thread_options *options, int (*entry)(void *argument),
			     void *argument);

/* thread_create() for the usual case: default priority, any CPU, panics when it cannot. */
struct thread *thread_spawn(const char *name, int (*entry)(void *argument), void *argument);

_Noreturn void thread_exit(int code);

/* Waits until the thread exited, frees it and returns its exit code. Once per thread. */
int thread_join(struct thread *thread);

/* From now on the thread is freed when it exits. */
void thread_detach(struct thread *thread);

/* --- running --- */

void thread_yield(void);
void thread_sleep_ns(uint64_t duration_ns);
void thread_sleep_until_ns(uint64_t deadline_ns);

/* Takes effect at once: the thread, or what should run instead of it, is scheduled. */
void thread_set_priority(struct thread *thread, int priority);

/* Pins the calling thread to a CPU and moves there, or frees it with THREAD_ANY_CPU. */
void thread_pin(int cpu);

/* --- looking on --- */

/* How many exist, idle threads included. */
unsigned thread_count(void);

/* Calls visit for each thread until that returns false, oldest first. Takes the scheduler's locks:
 * thread context only, and visit must not create, join or block. */
void thread_for_each(bool (*visit)(const struct thread_info *info, void *context), void *context);

/* With the world stopped (panic, stub): no locks, at most THREAD_MAX steps, any context. Start with
 * NULL; returns NULL after the last. A broken list ends the walk early, it never faults. */
struct thread *thread_next_stopped(const struct thread *thread);
struct thread *thread_by_id_stopped(uint32_t id);
void thread_snapshot_stopped(const struct thread *thread, struct thread_info *out);

/* "running", "ready", ... and "mutex", "sleep", ... */
const char *thread_state_name(enum thread_state state);
const char *wait_kind_name(enum wait_kind kind);

/* --- entry code --- */

/* At the end of an interrupt: switches to a more urgent thread, if the interrupted one may be
 * preempted. */
void thread_preempt_irq(void);

/* Another CPU put a thread into this one's run queue; or a debugger lets frozen ones go. */
void thread_reschedule_interrupt(void);

/* --- boot --- */

/* Turns the boot context of each CPU into its idle thread. */
void thread_init_cpu(struct cpu *cpu, uintptr_t stack_low, uintptr_t stack_high);

/* The thread that frees detached ones. Once. */
void thread_start_reaper(void);

/* The rest of an idle thread's life. */
_Noreturn void thread_idle(void);
