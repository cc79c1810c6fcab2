/* SPDX-License-Identifier: MIT */
#pragma once

/* The one way to die. The first CPU to get here wins; it stops the others by NMI (bounded wait),
 * prints the cause, registers and a backtrace to the console, hands the struct below to
 * probe_panic(), tells the pvpanic device and powers off. Any context. A panic inside the panic
 * path prints one line and ends. */

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernel/arch/x86_64/trap.h"

struct thread;

#define PANIC_REASON_MAX 256

enum panic_kind {
	PANIC_EXPLICIT, /* panic() */
	PANIC_ASSERT,
	PANIC_FAULT, /* an exception nobody expected */
	PANIC_STACK_OVERFLOW,
	PANIC_DOUBLE_FAULT,
	PANIC_MACHINE_CHECK,
	PANIC_OUT_OF_MEMORY,
	PANIC_DEADLOCK,
	PANIC_HANG,	 /* the supervisor found the guest silent */
	PANIC_REQUESTED, /* the host asked for it */
};

struct panic_info {
	enum panic_kind kind;
	char reason[PANIC_REASON_MAX]; /* one line, 0-terminated */
	uint32_t vector;	       /* enum trap_vector, for the kinds that come from a trap */
	uint64_t error;		       /* the processor's error code */
	uint64_t fault_address;	       /* CR2 for page faults, else 0 */
	uint64_t time_ns;
	uint32_t cpu;
	struct thread *thread; /* NULL before threads exist */
	/* Registers at the cause: of the trap, or of the caller of panic(). The other CPUs' are
	 * cpus[n].frame where cpus[n].stopped. */
	struct trap_frame *frame;
};

_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void panic_kind(enum panic_kind kind, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* For a trap that has no handler; finds out the kind and words the reason. */
_Noreturn void panic_trap(struct trap_frame *frame, uint64_t fault_address);

/* For an NMI handler that decides so: the registers are those of the interrupted code. */
_Noreturn void panic_at(struct trap_frame *frame, enum panic_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* NULL while all is well; then the one that won. */
const struct panic_info *panic_current(void);

/* "assert", "fault", "stack overflow", ... */
const char *panic_kind_name(enum panic_kind kind);

/* NMI handler: true when the NMI was the panic's (then it does not return before the machine is
 * off). */
bool panic_nmi(struct trap_frame *frame);

/* The end of the panic path: the pvpanic device, then shutdown(). */
_Noreturn void panic_end(void);

/* For programmer errors: stays in release builds. */
#define KASSERT(condition)                                            \
	do {                                                          \
		if (__builtin_expect(!(condition), 0))                \
			panic_assert(#condition, __FILE__, __LINE__); \
	} while (0)

_Noreturn void panic_assert(const char *condition, const char *file, int line);
