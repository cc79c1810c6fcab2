/* SPDX-License-Identifier: MIT */
#pragma once

/* The static tables of ACPI (ACPI 6.4, chapter 5). No AML is read. */

#include <stdint.h>

struct acpi_header {
	char signature[4];
	uint32_t length; /* of the whole table, this header included */
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	uint32_t creator_id;
	uint32_t creator_revision;
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 5.2.6");

/* Finds the root table from the loader's pointer, or by its signature. Boot only. */
void acpi_init(uint64_t rsdp);

/* The table of that signature ("APIC", "FACP", "MCFG", ...), checksum right; NULL if there is none.
 * Valid for good. */
const struct acpi_header *acpi_find(const char *signature);
