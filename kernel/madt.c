/* SPDX-License-Identifier: MIT */

#include "kernel/madt.h"

#include "kernel/acpi.h"

#include <stddef.h>
#include <string.h>

#define IOAPIC_DEFAULT 0xfec00000

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2 };

struct madt_table {
	struct acpi_header header;
	uint32_t lapic_address;
	uint32_t flags;
} __attribute__((packed));

struct madt_entry {
	uint8_t type;
	uint8_t length;
	union {
		struct {
			uint8_t acpi_id;
			uint8_t apic_id;
			uint32_t flags; /* bit 0: enabled */
		} __attribute__((packed)) lapic;
		struct {
			uint8_t id;
			uint8_t reserved;
			uint32_t address;
			uint32_t gsi_base;
		} __attribute__((packed)) ioapic;
		struct {
			uint8_t bus;
			uint8_t source;
			uint32_t gsi;
			uint16_t flags; /* bits 0-1 polarity, 2-3 trigger; 3 means low, level */
		} __attribute__((packed)) override;
	};
} __attribute__((packed));

static struct madt madt;
static bool madt_read;

static void take_entry(const struct madt_entry *entry)
{
	switch (entry->type) {
	case MADT_LAPIC:
		if ((entry->lapic.flags & 1) && madt.cpu_count < MADT_CPU_MAX)
			madt.cpus[madt.cpu_count++] = entry->lapic.apic_id;
		break;
	case MADT_IOAPIC:
		if (madt.ioapic_count < MADT_IOAPIC_MAX)
			madt.ioapics[madt.ioapic_count++] =
				(struct madt_ioapic){entry->ioapic.address, entry->ioapic.gsi_base};
		break;
	case MADT_OVERRIDE:
		if (entry->override.source < MADT_ISA_COUNT)
			madt.isa[entry->override.source] = (struct madt_isa){
				.gsi = entry->override.gsi,
				.active_low = (entry->override.flags & 3) == 3,
				.level = (entry->override.flags >> 2 & 3) == 3,
			};
		break;
	}
}

static void read_table(const struct madt_table *table)
{
	const char *at = (const char *)(table + 1);
	const char *end = (const char *)table + table->header.length;

	while (at + 2 <= end) {
		const struct madt_entry *entry = (const void *)at;

		if (entry->length < 2 || at + entry->length > end)
			break;
		take_entry(entry);
		at += entry->length;
	}
}

const struct madt *madt_get(void)
{
	const struct acpi_header *table;

	if (madt_read)
		return &madt;
	madt_read = true;
	for (uint32_t i = 0; i < MADT_ISA_COUNT; i++)
		madt.isa[i].gsi = i;
	table = acpi_find("APIC");
	if (table != NULL)
		read_table((const struct madt_table *)table);
	if (madt.ioapic_count == 0)
		madt.ioapics[madt.ioapic_count++] = (struct madt_ioapic){IOAPIC_DEFAULT, 0};
	return &madt;
}
