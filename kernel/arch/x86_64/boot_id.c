/* SPDX-License-Identifier: MIT */

#include "kernel/boot_id.h"

#include <stdbool.h>
#include <string.h>

#include "kernel/arch/x86_64/io.h"

#define CPUID_1_ECX_RDRAND (1u << 30)

/* Intel SDM vol. 1, 7.3.17.1: ten tries, or the generator is broken. */
#define RDRAND_TRIES 10

#define JITTER_ROUNDS 64

/* The RTC's index register: present on every PC, harmless to read. */
#define JITTER_PORT 0x70

static bool rdrand(uint64_t *value)
{
	for (int i = 0; i < RDRAND_TRIES; i++) {
		uint8_t ok;

		__asm__ volatile("rdrand %0; setc %1" : "=r"(*value), "=qm"(ok)::"cc");
		if (ok)
			return true;
	}
	return false;
}

/* The finaliser of splitmix64: each bit of the input reaches each bit of the result. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static uint64_t jitter(void)
{
	static uint64_t pool;

	for (int i = 0; i < JITTER_ROUNDS; i++) {
		io_in8(JITTER_PORT);
		pool = mix(pool + tsc_read());
	}
	return pool;
}

void boot_id_make(uint8_t *id, size_t len)
{
	const bool has_rdrand = cpuid(1, 0).ecx & CPUID_1_ECX_RDRAND;

	while (len > 0) {
		const size_t taken = len < sizeof(uint64_t) ? len : sizeof(uint64_t);
		uint64_t value;

		if (!has_rdrand || !rdrand(&value))
			value = jitter();
		memcpy(id, &value, taken);
		id += taken;
		len -= taken;
	}
}
