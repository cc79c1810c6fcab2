/* SPDX-License-Identifier: MIT */

#include "kernel/arch/x86_64/lapic.h"

#include "kernel/arch/x86_64/io.h"
#include "kernel/clock.h"
#include "kernel/cpu.h"
#include "kernel/page.h"

#define APIC_BASE_ENABLE (1ull << 11)
#define APIC_BASE_ADDRESS 0xffffff000ull

/* SDM vol. 3, table 10-1 */
enum lapic_register {
	LAPIC_ID = 0x20,
	LAPIC_TASK_PRIORITY = 0x80,
	LAPIC_EOI = 0xb0,
	LAPIC_SPURIOUS = 0xf0,
	LAPIC_IN_SERVICE = 0x100, /* a bit a vector, 32 a register */
	LAPIC_COMMAND_LOW = 0x300,
	LAPIC_COMMAND_HIGH = 0x310,
	LAPIC_LVT_TIMER = 0x320,
	LAPIC_LVT_PERF = 0x340,
	LAPIC_LVT_LINT0 = 0x350,
	LAPIC_LVT_LINT1 = 0x360,
	LAPIC_LVT_ERROR = 0x370,
	LAPIC_TIMER_INITIAL = 0x380,
	LAPIC_TIMER_CURRENT = 0x390,
	LAPIC_TIMER_DIVIDE = 0x3e0,
};

#define SPURIOUS_ENABLE (1u << 8)
#define LVT_NMI (4u << 8)
#define LVT_MASKED (1u << 16)
#define LVT_TIMER_DEADLINE (2u << 17)
#define PRIORITY_BELOW_WAKE ((VECTOR_WAKE & 0xf0) - 0x10)
#define COMMAND_NMI (4u << 8)
#define COMMAND_INIT (5u << 8)
#define COMMAND_STARTUP (6u << 8)
#define COMMAND_PENDING (1u << 12)
#define COMMAND_ASSERT (1u << 14)
#define TIMER_DIVIDE_BY_1 0xb
#define CPUID_TSC_DEADLINE (1u << 24) /* leaf 1, ecx */
#define TIMER_MEASURE_NS 1000000ull
#define TIMER_COUNT_MAX 0xffffffffull

static uintptr_t registers;
static bool has_tsc_deadline;
/* Timer counts per ns as a 32.32 fixed-point number. */
static uint64_t counts_per_ns;

static uint32_t lapic_read(enum lapic_register reg)
{
	return mmio_read32(registers + reg);
}

static void lapic_write(enum lapic_register reg, uint32_t value)
{
	mmio_write32(registers + reg, value);
}

void lapic_init(void)
{
	registers = msr_read(MSR_APIC_BASE) & APIC_BASE_ADDRESS;
	page_map_device(registers, PAGE_SIZE);
}

static void set_timer_vector(uint8_t vector)
{
	lapic_write(LAPIC_LVT_TIMER, has_tsc_deadline ? LVT_TIMER_DEADLINE | vector : vector);
	/* SDM vol. 3, 10.5.4.1: the first deadline must not overtake this. */
	__asm__ volatile("mfence" ::: "memory");
}

void lapic_init_cpu(void)
{
	msr_write(MSR_APIC_BASE, msr_read(MSR_APIC_BASE) | APIC_BASE_ENABLE);
	lapic_write(LAPIC_TASK_PRIORITY, 0);
	lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT1, LVT_NMI);
	lapic_write(LAPIC_LVT_PERF, LVT_MASKED);
	lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
	lapic_write(LAPIC_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
	set_timer_vector(VECTOR_TIMER);
}

uint32_t lapic_id(void)
{
	return lapic_read(LAPIC_ID) >> 24;
}

void lapic_end_of_interrupt(void)
{
	lapic_write(LAPIC_EOI, 0);
}

static void send(uint32_t hw_id, uint32_t command)
{
	uint64_t flags = irq_save();

	while (lapic_read(LAPIC_COMMAND_LOW) & COMMAND_PENDING)
		cpu_relax();
	lapic_write(LAPIC_COMMAND_HIGH, hw_id << 24);
	lapic_write(LAPIC_COMMAND_LOW, command | COMMAND_ASSERT);
	irq_restore(flags);
}

void lapic_send(uint32_t hw_id, uint8_t vector)
{
	send(hw_id, vector);
}

/* This CPU may itself be in an NMI that came between the two writes of send(). */
static void send_in_between(uint32_t hw_id, uint32_t command)
{
	uint32_t target = lapic_read(LAPIC_COMMAND_HIGH);

	send(hw_id, command);
	lapic_write(LAPIC_COMMAND_HIGH, target);
}

void lapic_send_nmi(uint32_t hw_id)
{
	send_in_between(hw_id, COMMAND_NMI);
}

void lapic_send_wake(uint32_t hw_id)
{
	send_in_between(hw_id, VECTOR_WAKE);
}

void lapic_send_init(uint32_t hw_id)
{
	send(hw_id, COMMAND_INIT);
}

void lapic_send_startup(uint32_t hw_id, uint8_t page)
{
	send(hw_id, COMMAND_STARTUP | page);
}

void lapic_timer_init(void)
{
	uint64_t start_ns, elapsed_ns;
	uint32_t left;

	has_tsc_deadline = cpuid(1, 0).ecx & CPUID_TSC_DEADLINE;
	if (has_tsc_deadline) {
		set_timer_vector(VECTOR_TIMER);
		return;
	}
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
	start_ns = clock_ns();
	lapic_write(LAPIC_TIMER_INITIAL, TIMER_COUNT_MAX);
	clock_delay_ns(TIMER_MEASURE_NS);
	left = lapic_read(LAPIC_TIMER_CURRENT);
	elapsed_ns = clock_ns() - start_ns;
	lapic_write(LAPIC_TIMER_INITIAL, 0);
	counts_per_ns = ((TIMER_COUNT_MAX - left) << 32) / elapsed_ns;
	set_timer_vector(VECTOR_TIMER);
}

static uint32_t counts_until(uint64_t deadline_ns)
{
	uint64_t now_ns = clock_ns();
	unsigned __int128 counts;

	if (deadline_ns <= now_ns)
		return 1;
	counts = (unsigned __int128)(deadline_ns - now_ns) * counts_per_ns >> 32;
	/* Rounded up: an interrupt too early would only come twice. */
	return counts < TIMER_COUNT_MAX ? (uint32_t)counts + 1 : (uint32_t)TIMER_COUNT_MAX;
}

void lapic_timer_set(uint64_t deadline_ns)
{
	if (has_tsc_deadline)
		msr_write(MSR_TSC_DEADLINE,
			  deadline_ns == CLOCK_NEVER ? 0 : clock_ns_to_tsc(deadline_ns));
	else
		lapic_write(LAPIC_TIMER_INITIAL,
			    deadline_ns == CLOCK_NEVER ? 0 : counts_until(deadline_ns));
}

void lapic_end_of_wake(void)
{
	/* An NMI that came before this may have had to end it already: see lapic_halt(). */
	if (lapic_read(LAPIC_IN_SERVICE + VECTOR_WAKE / 32 * 16) >> VECTOR_WAKE % 32 & 1)
		lapic_end_of_interrupt();
}

void lapic_halt(uint64_t deadline_ns)
{
	/* The code that was interrupted may be the handler of a wake, which then keeps out all that
	 * follow. */
	lapic_end_of_wake();
	lapic_write(LAPIC_TASK_PRIORITY, PRIORITY_BELOW_WAKE);
	if (deadline_ns != CLOCK_NEVER) {
		set_timer_vector(VECTOR_WAKE);
		lapic_timer_set(deadline_ns);
	}
	cpu_wait_for_interrupt();
	irq_disable();
	if (deadline_ns != CLOCK_NEVER) {
		set_timer_vector(VECTOR_TIMER);
		lapic_timer_set(clock_ns());
	}
	lapic_write(LAPIC_TASK_PRIORITY, 0);
}
