/* SPDX-License-Identifier: MIT */

#include "kernel/pci.h"

#include "kernel/arch/x86_64/pci_config.h"
#include "kernel/page.h"
#include "tracing/errno.h"

#define REG_STATUS 0x06
#define REG_CLASS 0x0a /* subclass, then class */
#define REG_HEADER_TYPE 0x0e
#define REG_BAR0 0x10
#define REG_SECONDARY_BUS 0x19
#define REG_CAPABILITIES 0x34
#define REG_INTERRUPT_PIN 0x3d

#define COMMAND_MEMORY 2u
#define COMMAND_MASTER 4u
#define COMMAND_INTX_OFF 0x400u
#define STATUS_CAPABILITIES 0x10u

#define CLASS_BRIDGE_HOST 0x0600
#define CLASS_BRIDGE_PCI 0x0604

#define CAP_MSIX 0x11
#define MSIX_ENABLE 0x8000u
#define MSIX_MASK_ALL 0x4000u

#define ICH9_LPC 0x29188086u /* vendor and device of q35's 00:1f.0 */
#define ICH9_LPC_FUNCTION 0x00f8
#define ICH9_PIRQ_A_GSI 16u

#define BUS_COUNT 256
#define CAPABILITIES_MAX 48 /* what fits 192 bytes: ends a list that goes round */

/* The bridge that leads to each bus, 0 for bus 0 and those without: 00:00.0 is the host bridge. */
static uint16_t bridge_to[BUS_COUNT];

uint32_t pci_read32(uint16_t function, uint32_t offset)
{
	return pci_config_read32(function, offset);
}

uint16_t pci_read16(uint16_t function, uint32_t offset)
{
	return (uint16_t)(pci_config_read32(function, offset) >> (offset & 2) * 8);
}

uint8_t pci_read8(uint16_t function, uint32_t offset)
{
	return (uint8_t)(pci_config_read32(function, offset) >> (offset & 3) * 8);
}

void pci_write16(uint16_t function, uint32_t offset, uint16_t value)
{
	pci_config_write16(function, offset, value);
}

void pci_write32(uint16_t function, uint32_t offset, uint32_t value)
{
	pci_config_write32(function, offset, value);
}

bool pci_present(void)
{
	return pci_read32(0, PCI_VENDOR) != UINT32_MAX &&
	       pci_read16(0, REG_CLASS) == CLASS_BRIDGE_HOST;
}

static void scan_bus(uint8_t bus, void (*visit)(uint16_t function, void *context), void *context);

static void scan_function(uint16_t function, void (*visit)(uint16_t function, void *context),
			  void *context)
{
	uint8_t behind;

	visit(function, context);
	if (pci_read16(function, REG_CLASS) != CLASS_BRIDGE_PCI)
		return;
	behind = pci_read8(function, REG_SECONDARY_BUS);
	/* Numbers grow away from the root; anything else is not set up, or would go round. */
	if (behind > PCI_BUS(function)) {
		bridge_to[behind] = function;
		scan_bus(behind, visit, context);
	}
}

static void scan_bus(uint8_t bus, void (*visit)(uint16_t function, void *context), void *context)
{
	for (unsigned slot = 0; slot < 32; slot++) {
		for (unsigned func = 0; func < 8; func++) {
			uint16_t function = (uint16_t)(bus << 8 | slot << 3 | func);

			if (pci_read16(function, PCI_VENDOR) == UINT16_MAX) {
				if (func == 0)
					break;
				continue;
			}
			scan_function(function, visit, context);
			/* Bit 7 of function 0: there are more. */
			if (func == 0 && !(pci_read8(function, REG_HEADER_TYPE) & 0x80))
				break;
		}
	}
}

void pci_for_each(void (*visit)(uint16_t function, void *context), void *context)
{
	if (pci_present())
		scan_bus(0, visit, context);
}

uint8_t pci_capability(uint16_t function, uint8_t id, uint8_t after)
{
	uint8_t at;

	if (!(pci_read16(function, REG_STATUS) & STATUS_CAPABILITIES))
		return 0;
	at = pci_read8(function, after ? after + 1u : REG_CAPABILITIES) & 0xfc;
	for (unsigned i = 0; at >= 0x40 && i < CAPABILITIES_MAX; i++) {
		if (pci_read8(function, at) == id)
			return at;
		at = pci_read8(function, at + 1u) & 0xfc;
	}
	return 0;
}

uint64_t pci_memory_bar(uint16_t function, unsigned bar)
{
	uint32_t low;

	if (bar > 5)
		return 0;
	low = pci_read32(function, REG_BAR0 + bar * 4);
	if (low & 1)
		return 0;
	/* Bits 2:1 are 2 where the next BAR is the high half. */
	if ((low & 6) == 4 && bar < 5)
		return (uint64_t)pci_read32(function, REG_BAR0 + bar * 4 + 4) << 32 | (low & ~15u);
	return low & ~15u;
}

void pci_enable(uint16_t function)
{
	uint16_t command = pci_read16(function, PCI_COMMAND);

	pci_write16(function, PCI_COMMAND, command | COMMAND_MEMORY | COMMAND_MASTER);
}

int pci_msix_connect(uint16_t function, irq_handler handler, void *argument)
{
	uint8_t cap = pci_capability(function, CAP_MSIX, 0);
	uint64_t bar, address;
	uint32_t place, data;
	uint16_t control;
	uintptr_t entry;
	int error;

	if (cap == 0)
		return -UNI_ENOTSUP;
	place = pci_read32(function, cap + 4u); /* offset of the table, and its BAR in bits 2:0 */
	bar = pci_memory_bar(function, place & 7);
	if (bar == 0)
		return -UNI_ENOTSUP;
	error = irq_alloc_msi(handler, argument, &address, &data);
	if (error)
		return error;
	entry = bar + (place & ~7u);
	page_map_device(entry, 16);
	control = pci_read16(function, cap + 2u);
	pci_write16(function, cap + 2u, control | MSIX_ENABLE | MSIX_MASK_ALL);
	mmio_write32(entry, (uint32_t)address);
	mmio_write32(entry + 4, (uint32_t)(address >> 32));
	mmio_write32(entry + 8, data);
	mmio_write32(entry + 12, 0); /* unmasked */
	pci_write16(function, cap + 2u, (control | MSIX_ENABLE) & (uint16_t)~MSIX_MASK_ALL);
	return 0;
}

/* q35: the ICH9 routes each slot's pins to PIRQ A to H, which are GSIs 16 to 23 (ICH9 datasheet,
 * 5.8.6 and D25IR to D31IR in 10.1). QEMU wires slots up to 24 and 30 itself, to E to H (QEMU 7.2,
 * hw/isa/lpc_ich9.c); for the rest the registers hold their reset value, A to D for the pins A to
 * D. */
static unsigned ich9_gsi(unsigned slot, unsigned pin)
{
	if (slot == 30)
		return ICH9_PIRQ_A_GSI + 4 + pin;
	if (slot >= 25)
		return ICH9_PIRQ_A_GSI + pin;
	return ICH9_PIRQ_A_GSI + 4 + (slot + pin) % 4;
}

int pci_intx_connect(uint16_t function, irq_handler handler, void *argument)
{
	uint16_t command = pci_read16(function, PCI_COMMAND);
	unsigned pin = pci_read8(function, REG_INTERRUPT_PIN);

	if (pin < 1 || pin > 4 || pci_read32(ICH9_LPC_FUNCTION, PCI_VENDOR) != ICH9_LPC)
		return -UNI_ENOTSUP;
	pci_write16(function, PCI_COMMAND, command & (uint16_t)~COMMAND_INTX_OFF);
	pin--;
	/* Each bridge turns the pins by the slot behind it (PCI-to-PCI Bridge 1.2, section 9.1). */
	while (PCI_BUS(function) != 0) {
		pin = (pin + PCI_SLOT(function)) % 4;
		function = bridge_to[PCI_BUS(function)];
	}
	return irq_route_gsi(ich9_gsi(PCI_SLOT(function), pin), IRQ_LEVEL, IRQ_ACTIVE_HIGH, handler,
			     argument);
}
