/* SPDX-License-Identifier: MIT */

#include "kernel/clock.h"

#include "kernel/arch/x86_64/io.h"
#include "kernel/arch/x86_64/pit.h"

#include <stdbool.h>
#include <string.h>

#define CPUID_KVM_FEATURES 0x40000001
#define CPUID_HYPERVISOR_TSC 0x40000010 /* eax: kHz */
#define CPUID_TSC_RATIO 0x15
#define KVM_FEATURE_CLOCK2 (1u << 3)
#define MSR_KVM_SYSTEM_TIME 0x4b564d01
#define ASSUMED_HZ 1000000000ull

/* Linux, Documentation/virt/kvm/x86/msr.rst */
struct kvm_time {
	uint32_t version;
	uint32_t pad0;
	uint64_t tsc_timestamp;
	uint64_t system_time;
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
	uint8_t flags;
	uint8_t pad1[2];
};

static enum clock_method method;
static uint64_t tsc_hz;
static uint64_t tsc_base;   /* at clock_init(), where clock_ns() is 0 */
static uint64_t ns_per_tsc; /* as a 32.32 fixed-point number */

static uint64_t hz_from_cpuid(void)
{
	uint32_t max = cpuid(0, 0).eax;
	uint32_t hypervisor_max = cpuid(CPUID_HYPERVISOR, 0).eax;

	if (max >= CPUID_TSC_RATIO) {
		struct cpuid r = cpuid(CPUID_TSC_RATIO, 0);

		if (r.eax != 0 && r.ebx != 0 && r.ecx != 0)
			return (uint64_t)r.ecx * r.ebx / r.eax;
	}
	/* Without a hypervisor leaf a processor answers with its highest basic one, which is below.
	 */
	if (hypervisor_max >= CPUID_HYPERVISOR_TSC && hypervisor_max < CPUID_HYPERVISOR + 0x100)
		return cpuid(CPUID_HYPERVISOR_TSC, 0).eax * 1000ull;
	return 0;
}

static uint64_t hz_from_kvmclock(void)
{
	static struct kvm_time time __attribute__((aligned(64)));
	struct cpuid signature = cpuid(CPUID_HYPERVISOR, 0);
	uint64_t hz;

	if (memcmp(&signature.ebx, "KVMK", 4) != 0 || memcmp(&signature.ecx, "VMKV", 4) != 0)
		return 0;
	if (!(cpuid(CPUID_KVM_FEATURES, 0).eax & KVM_FEATURE_CLOCK2))
		return 0;
	msr_write(MSR_KVM_SYSTEM_TIME, (uintptr_t)&time | 1);
	hz = time.tsc_to_system_mul != 0 ? (NS_PER_S << 32) / time.tsc_to_system_mul : 0;
	msr_write(MSR_KVM_SYSTEM_TIME, 0);
	return time.tsc_shift < 0 ? hz << -time.tsc_shift : hz >> time.tsc_shift;
}

void clock_init(void)
{
	static uint64_t (*const methods[])(void) = {
		[CLOCK_CPUID] = hz_from_cpuid,
		[CLOCK_KVMCLOCK] = hz_from_kvmclock,
		[CLOCK_PIT] = pit_tsc_hz,
	};

	tsc_base = tsc_read();
	for (method = CLOCK_CPUID; method < CLOCK_ASSUMED; method++) {
		tsc_hz = methods[method]();
		if (tsc_hz != 0)
			break;
	}
	if (tsc_hz == 0)
		tsc_hz = ASSUMED_HZ;
	ns_per_tsc = (NS_PER_S << 32) / tsc_hz;
}

enum clock_method clock_get_method(void)
{
	return method;
}

const char *clock_method_name(void)
{
	static const char *const names[] = {"cpuid", "kvmclock", "pit", "assumed"};

	return names[method];
}

uint64_t clock_tsc_hz(void)
{
	return tsc_hz;
}

uint64_t clock_tsc(void)
{
	return tsc_read();
}

uint64_t clock_tsc_to_ns(uint64_t tsc)
{
	return (uint64_t)((unsigned __int128)(tsc - tsc_base) * ns_per_tsc >> 32);
}

/* Quotients of 128 bits need a library; the seconds are split off instead. */
uint64_t clock_ns_to_tsc(uint64_t ns)
{
	uint64_t seconds = ns / NS_PER_S;
	uint64_t rest = ns % NS_PER_S;

	return tsc_base + seconds * tsc_hz + rest * tsc_hz / NS_PER_S + 1;
}

uint64_t clock_ns(void)
{
	return ns_per_tsc != 0 ? clock_tsc_to_ns(tsc_read()) : 0;
}

uint64_t clock_deadline(uint64_t duration_ns)
{
	uint64_t now_ns = clock_ns();

	return duration_ns < CLOCK_NEVER - now_ns ? now_ns + duration_ns : CLOCK_NEVER;
}

void clock_delay_ns(uint64_t duration_ns)
{
	uint64_t end_ns = clock_deadline(duration_ns);

	while (clock_ns() < end_ns)
		__asm__ volatile("pause");
}
