/* SPDX-License-Identifier: MIT */
#pragma once

/* The processors and interrupt controllers, as the MADT lists them (ACPI 6.4, 5.2.12). */

#include <stdbool.h>
#include <stdint.h>

#define MADT_IOAPIC_MAX 4
#define MADT_CPU_MAX 256
#define MADT_ISA_COUNT 16

struct madt_ioapic {
	uint32_t address;
	uint32_t gsi_base;
};

/* Where an ISA interrupt goes; by default to the GSI of its number, edge-triggered, active high. */
struct madt_isa {
	uint32_t gsi;
	bool level;
	bool active_low;
};

struct madt {
	uint32_t cpus[MADT_CPU_MAX]; /* local APIC ids of the usable processors */
	unsigned cpu_count;
	struct madt_ioapic ioapics[MADT_IOAPIC_MAX];
	unsigned ioapic_count;
	struct madt_isa isa[MADT_ISA_COUNT];
};

/* Without a MADT: no processors known, and one IOAPIC at the usual place. Fixed after the first
 * call. */
const struct madt *madt_get(void);
