/* SPDX-License-Identifier: MIT */
#pragma once

/* PCI configuration mechanism 1: the address goes to one port, the data through the next. Not safe
 * against itself; see pci.h. */

#include <stdint.h>

#include "kernel/arch/x86_64/io.h"

#define PCI_CONFIG_ADDRESS 0xcf8
#define PCI_CONFIG_DATA 0xcfc
#define PCI_CONFIG_ENABLE (1u << 31)

static inline void pci_config_select(uint16_t function, uint32_t offset)
{
	io_out32(PCI_CONFIG_ADDRESS, PCI_CONFIG_ENABLE | (uint32_t)function << 8 | (offset & 0xfc));
}

static inline uint32_t pci_config_read32(uint16_t function, uint32_t offset)
{
	pci_config_select(function, offset);
	return io_in32(PCI_CONFIG_DATA);
}

static inline void pci_config_write32(uint16_t function, uint32_t offset, uint32_t value)
{
	pci_config_select(function, offset);
	io_out32(PCI_CONFIG_DATA, value);
}

static inline void pci_config_write16(uint16_t function, uint32_t offset, uint16_t value)
{
	pci_config_select(function, offset);
	io_out16((uint16_t)(PCI_CONFIG_DATA + (offset & 2)), value);
}
