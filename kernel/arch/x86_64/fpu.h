/* SPDX-License-Identifier: MIT */
#pragma once

/* A thread's x87, SSE, AVX and AVX-512 registers. Kernel code uses none of them, so they stay those
 * of the thread that a CPU runs, through interrupts and a debugger's stops. Of a thread on no CPU
 * they are in an area of memory: in the standard form of XSAVE (Intel SDM vol. 1, 13.4), or in that
 * of FXSAVE (10.5.1) where the CPU has no XSAVE.
 *
 * Any context. */

#include <stddef.h>
#include <stdint.h>

/* The state components that are kept: XCR0 (13.3). 0: no XSAVE. Fixed by the first CPU. */
extern uint32_t fpu_components;

/* On each CPU, before it runs a thread. */
void fpu_init_cpu(void);

/* Makes an area, with the registers of a CPU that was reset, in fpu_room_size() bytes of any
 * alignment. Returns it; the room stays the caller's. */
size_t fpu_room_size(void);
void *fpu_area_init(void *room);

/* Not XSAVEOPT: debuggers and dumps read each component whether it is in use or not. */
static inline void fpu_save(void *area)
{
	if (fpu_components != 0)
		__asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(fpu_components), "d"(0)
				 : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

static inline void fpu_load(const void *area)
{
	if (fpu_components != 0)
		__asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"(fpu_components), "d"(0)
				 : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

/* From an area to the layout of gdbstub/arch/x86_64/xsave.h, UNI_XSAVE_SIZE bytes aligned to 8, and
 * back. What is loaded after fpu_set() never faults. */
void fpu_get(uint8_t *to, const void *area);
void fpu_set(void *area, const uint8_t *from);

/* Those that the CPU has at this moment, to the same layout. `area` is a place to work in. */
void fpu_peek(uint8_t *to, void *area);
