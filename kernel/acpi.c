/* SPDX-License-Identifier: MIT */

#include "kernel/acpi.h"

#include "kernel/page.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* ACPI 5.2.5.3 */
struct rsdp {
	char signature[8];
	uint8_t checksum; /* of the first 20 bytes */
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} __attribute__((packed));

#define RSDP_V1_SIZE 20
#define BIOS_AREA_START 0xe0000
#define BIOS_AREA_END 0x100000

static const struct acpi_header *root;
static size_t root_entry_size; /* 4 in an RSDT, 8 in an XSDT */

static bool sums_to_zero(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint8_t sum = 0;

	while (len-- > 0)
		sum = (uint8_t)(sum + *p++);
	return sum == 0;
}

/* The firmware may keep its tables in memory that the map calls reserved, which is not mapped. */
static const struct acpi_header *table_at(uint64_t address)
{
	const struct acpi_header *table;

	if (page_get_access(address) == PAGE_NONE)
		page_map_device(address, sizeof(*table));
	table = (const void *)address;
	if (page_get_access(address + table->length - 1) == PAGE_NONE)
		page_map_device(address, table->length);
	return table;
}

static const struct rsdp *rsdp_at(uint64_t address)
{
	const struct rsdp *rsdp = (const void *)address;

	if (memcmp(rsdp->signature, "RSD PTR ", 8) != 0 || !sums_to_zero(rsdp, RSDP_V1_SIZE))
		return NULL;
	return rsdp;
}

static const struct rsdp *find_rsdp(void)
{
	for (uint64_t at = BIOS_AREA_START; at < BIOS_AREA_END; at += 16) {
		if (rsdp_at(at) != NULL)
			return rsdp_at(at);
	}
	return NULL;
}

void acpi_init(uint64_t address)
{
	const struct rsdp *rsdp = address != 0 ? rsdp_at(address) : NULL;

	if (rsdp == NULL)
		rsdp = find_rsdp();
	if (rsdp == NULL)
		return;
	if (rsdp->revision >= 2 && rsdp->xsdt != 0) {
		root = table_at(rsdp->xsdt);
		root_entry_size = 8;
	} else {
		root = table_at(rsdp->rsdt);
		root_entry_size = 4;
	}
}

const struct acpi_header *acpi_find(const char *signature)
{
	const char *entry, *end;

	if (root == NULL)
		return NULL;
	entry = (const char *)(root + 1);
	end = (const char *)root + root->length;
	for (; entry + root_entry_size <= end; entry += root_entry_size) {
		const struct acpi_header *table;
		uint64_t address = 0;

		memcpy(&address, entry, root_entry_size);
		table = table_at(address);
		if (memcmp(table->signature, signature, 4) == 0 &&
		    sums_to_zero(table, table->length))
			return table;
	}
	return NULL;
}
