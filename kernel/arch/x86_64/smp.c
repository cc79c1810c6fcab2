/* SPDX-License-Identifier: MIT */

#include "kernel/arch/x86_64/boot_asm.h"
#include "kernel/arch/x86_64/lapic.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/boot.h"
#include "kernel/clock.h"
#include "kernel/cpu.h"
#include "kernel/irq.h"
#include "kernel/log.h"
#include "kernel/madt.h"
#include "kernel/page.h"
#include "kernel/panic.h"
#include "kernel/thread.h"
#include "kernel/timer.h"

#include <string.h>

#define HW_ID_COUNT 256
#define IDLE_STACK_SIZE 16384

/* SDM vol. 3, 8.4.4.1 asks for 10 ms between INIT and start-up; virtual CPUs need none of it. */
#define INIT_DELAY_NS (100 * NS_PER_US)
#define START_TIMEOUT_NS (2 * NS_PER_S)

/* What a starting CPU finds under its hardware id; boot.S knows the layout. */
struct ap_start {
	uintptr_t stack_high;
	struct cpu *cpu;
};

_Static_assert(sizeof(struct ap_start) == 16, "boot.S shifts by 4");

struct ap_start ap_starts[HW_ID_COUNT];

extern const char ap_trampoline[], ap_trampoline_end[];

static unsigned online_count = 1;

unsigned cpu_count(void)
{
	return online_count;
}

void kernel_boot_ap(struct cpu *cpu)
{
	uintptr_t stack_high = ap_starts[cpu->hw_id].stack_high;

	cpu_init(cpu->id, cpu->hw_id);
	trap_init_cpu();
	irq_init_cpu();
	timer_init_cpu();
	thread_init_cpu(cpu, stack_high - IDLE_STACK_SIZE, stack_high);
	__atomic_store_n(&cpu->online, true, __ATOMIC_RELEASE);
	thread_idle();
}

static void prepare(unsigned id, uint32_t hw_id)
{
	struct cpu *cpu = &cpus[id];
	char *stack = page_stack_alloc(IDLE_STACK_SIZE);

	KASSERT(stack != NULL);
	memset(stack, 0, IDLE_STACK_SIZE);
	cpu->id = id;
	cpu->hw_id = hw_id;
	cpu_stacks_init(cpu);
	ap_starts[hw_id] = (struct ap_start){(uintptr_t)stack + IDLE_STACK_SIZE, cpu};
}

/* All at once: they need nothing of each other. */
static void start(unsigned count)
{
	memcpy((void *)AP_TRAMPOLINE, ap_trampoline, (size_t)(ap_trampoline_end - ap_trampoline));
	for (unsigned i = 1; i < count; i++)
		lapic_send_init(cpus[i].hw_id);
	clock_delay_ns(INIT_DELAY_NS);
	for (unsigned i = 1; i < count; i++)
		lapic_send_startup(cpus[i].hw_id, AP_TRAMPOLINE >> 12);
}

/* Ids have no holes, so the first that is missing ends the list. */
static unsigned wait_online(unsigned count)
{
	uint64_t end_ns = clock_deadline(START_TIMEOUT_NS);
	unsigned online = 1;

	while (online < count && clock_ns() < end_ns) {
		if (__atomic_load_n(&cpus[online].online, __ATOMIC_ACQUIRE))
			online++;
		else
			cpu_relax();
	}
	return online;
}

void cpu_start_others(void)
{
	const struct madt *madt = madt_get();
	unsigned count = 1;

	for (unsigned i = 0; i < madt->cpu_count && count < CPU_MAX; i++) {
		if (madt->cpus[i] != cpus[0].hw_id && madt->cpus[i] < HW_ID_COUNT)
			prepare(count++, madt->cpus[i]);
	}
	if (count == 1)
		return;
	start(count);
	online_count = wait_online(count);
	if (online_count < count)
		log_printf(LOG_WARNING, "cpu %u of %u did not start", online_count, count);
}
