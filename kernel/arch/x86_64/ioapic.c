/* SPDX-License-Identifier: MIT */

#include "kernel/arch/x86_64/ioapic.h"

#include "kernel/arch/x86_64/io.h"
#include "kernel/madt.h"
#include "kernel/page.h"

/* 82093AA data sheet, 3.0 */
#define IOAPIC_SELECT 0x00
#define IOAPIC_WINDOW 0x10
#define IOAPIC_VERSION 0x01
#define IOAPIC_REDIRECT(pin) (0x10 + 2 * (pin))
#define REDIRECT_LOW_ACTIVE (1u << 13)
#define REDIRECT_LEVEL (1u << 15)
#define REDIRECT_MASKED (1u << 16)
#define REDIRECT_TARGET_SHIFT 24

#define PIC_MASTER_DATA 0x21
#define PIC_SLAVE_DATA 0xa1

static unsigned gsi_count;

static uint32_t ioapic_read(uintptr_t base, uint32_t reg)
{
	mmio_write32(base + IOAPIC_SELECT, reg);
	return mmio_read32(base + IOAPIC_WINDOW);
}

static void ioapic_write(uintptr_t base, uint32_t reg, uint32_t value)
{
	mmio_write32(base + IOAPIC_SELECT, reg);
	mmio_write32(base + IOAPIC_WINDOW, value);
}

static unsigned pin_count(uintptr_t base)
{
	return (ioapic_read(base, IOAPIC_VERSION) >> 16 & 0xff) + 1;
}

void ioapic_init(void)
{
	const struct madt *madt = madt_get();

	/* Where there are i8259s nothing may come from them, whose vectors are the exceptions'. */
	io_out8(PIC_MASTER_DATA, 0xff);
	io_out8(PIC_SLAVE_DATA, 0xff);
	for (unsigned i = 0; i < madt->ioapic_count; i++) {
		const struct madt_ioapic *ioapic = &madt->ioapics[i];
		unsigned pins;

		page_map_device(ioapic->address, PAGE_SIZE);
		pins = pin_count(ioapic->address);
		for (unsigned pin = 0; pin < pins; pin++)
			ioapic_write(ioapic->address, IOAPIC_REDIRECT(pin), REDIRECT_MASKED);
		if (ioapic->gsi_base + pins > gsi_count)
			gsi_count = ioapic->gsi_base + pins;
	}
}

unsigned ioapic_gsi_count(void)
{
	return gsi_count;
}

bool ioapic_route(unsigned gsi, uint8_t vector, uint32_t hw_id, bool level, bool active_low)
{
	const struct madt *madt = madt_get();

	for (unsigned i = 0; i < madt->ioapic_count; i++) {
		const struct madt_ioapic *ioapic = &madt->ioapics[i];
		uint32_t low = vector;
		unsigned pin = gsi - ioapic->gsi_base;

		if (gsi < ioapic->gsi_base || pin >= pin_count(ioapic->address))
			continue;
		if (level)
			low |= REDIRECT_LEVEL;
		if (active_low)
			low |= REDIRECT_LOW_ACTIVE;
		ioapic_write(ioapic->address, IOAPIC_REDIRECT(pin) + 1,
			     hw_id << REDIRECT_TARGET_SHIFT);
		ioapic_write(ioapic->address, IOAPIC_REDIRECT(pin), low);
		return true;
	}
	return false;
}
