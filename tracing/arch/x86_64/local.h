/* SPDX-License-Identifier: MIT */
#pragma once

/* Operations on words that only one CPU writes, safe against its own interrupts and NMIs: each is
 * one instruction without a lock prefix (Intel SDM vol. 3, 6.6: interrupts are taken at instruction
 * boundaries). Other CPUs may read the words. The caller stays on its CPU meanwhile. */

#include <stdbool.h>
#include <stdint.h>

/* The time stamp counter. Two reads on one CPU come in program order. */
static inline uint64_t uni_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* Writes `desired` if the word holds `expected`. Orders all accesses around it for the compiler;
 * stores of one x86 CPU become visible to others in program order (SDM vol. 3, 8.2.2). */
static inline bool uni_local_compare_exchange(uint64_t *word, uint64_t expected, uint64_t desired)
{
	bool swapped;

	__asm__ volatile("cmpxchgq %3, %1"
			 : "=@ccz"(swapped), "+m"(*word), "+a"(expected)
			 : "r"(desired)
			 : "memory");
	return swapped;
}

/* Adds to a word; a release for whoever reads it with acquire, as stores of one x86 CPU become
 * visible in program order and the compiler moves none across. */
static inline void uni_local_add(uint64_t *word, uint64_t value)
{
	__asm__ volatile("addq %1, %0" : "+m"(*word) : "er"(value) : "memory", "cc");
}
