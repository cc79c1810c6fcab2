/* SPDX-License-Identifier: MIT */

#include "kernel/shutdown.h"

#include "kernel/acpi.h"
#include "kernel/arch/x86_64/io.h"
#include "kernel/cpu.h"
#include "kernel/page.h"
#include "kernel/panic.h"

#include <stddef.h>

/* ACPI 6.4, 5.2.9 */
struct fadt {
	struct acpi_header header;
	uint8_t unused0[28];
	uint32_t pm1a_control; /* port; byte 64 */
	uint8_t unused1[44];
	uint32_t flags; /* byte 112 */
	uint8_t unused2[128];
	struct {
		uint8_t space; /* 0: memory */
		uint8_t width;
		uint8_t offset;
		uint8_t access;
		uint64_t address;
	} __attribute__((packed)) sleep_control; /* byte 244 */
} __attribute__((packed));

_Static_assert(offsetof(struct fadt, pm1a_control) == 64, "ACPI 5.2.9");
_Static_assert(offsetof(struct fadt, flags) == 112, "ACPI 5.2.9");
_Static_assert(offsetof(struct fadt, sleep_control) == 244, "ACPI 5.2.9");

#define FADT_HW_REDUCED (1u << 20)

/* The sleep types of S5 stand in AML; these are what QEMU's say. */
#define PM1_S5_ENABLE (0 << 10 | 1 << 13)
#define SLEEP_S5_ENABLE (5 << 2 | 1 << 5)

/* Found at boot, so that a panic depends on no table. */
static uint16_t pm1a_port;
static uintptr_t sleep_control;

#define PVPANIC_PORT 0x505
#define PVPANIC_PANICKED 0x01

#define RESET_PORT 0xcf9
#define RESET_FULL 0x06

/* Reads of a port nobody listens at, each an exit to the host: seconds, and there may be no clock
 * yet. A host with more to do than CPUs has been seen to take half a second over a power-off. */
#define DELAY_PORT 0x80
#define DELAY_READS 20000000

void shutdown_init(void)
{
	const struct fadt *fadt = (const struct fadt *)acpi_find("FACP");

	if (fadt == NULL)
		return;
	if (!(fadt->flags & FADT_HW_REDUCED)) {
		pm1a_port = (uint16_t)fadt->pm1a_control;
	} else if (fadt->sleep_control.space == 0 && fadt->sleep_control.address != 0) {
		sleep_control = fadt->sleep_control.address;
		page_map_device(sleep_control, 1);
	}
}

/* The machine goes down some time after it was told to; what comes after must not overtake that. */
static void wait_for_power_off(void)
{
	for (unsigned i = 0; i < DELAY_READS; i++)
		io_in8(DELAY_PORT);
}

/* Last resort: with no IDT the first trap is a triple fault, which resets. */
static void triple_fault(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr = {0, 0};

	__asm__ volatile("lidt %0; int3" ::"m"(idtr));
}

void shutdown(void)
{
	irq_disable();
	if (sleep_control != 0)
		mmio_write8(sleep_control, SLEEP_S5_ENABLE);
	if (pm1a_port != 0)
		io_out16(pm1a_port, PM1_S5_ENABLE);
	if (sleep_control != 0 || pm1a_port != 0)
		wait_for_power_off();
	io_out8(RESET_PORT, RESET_FULL);
	triple_fault();
	cpu_halt();
}

void panic_end(void)
{
	/* Reads as the events it knows; as all ones where there is no such device, which ignores
	 * the write. */
	io_out8(PVPANIC_PORT, PVPANIC_PANICKED);
	shutdown();
}
