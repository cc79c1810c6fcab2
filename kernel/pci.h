/* SPDX-License-Identifier: MIT */
#pragma once

/* PCI functions as the firmware left them: BARs and bus numbers are taken as assigned. Boot only,
 * by one thread: the configuration mechanism is an address register and a data register.
 *
 * Configuration space is reached through the ports 0xcf8 and 0xcfc (PCI Local Bus 3.0, section
 * 3.2.2.3.2). ECAM would add the bytes from 256 on, where nothing that is needed here lies. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/irq.h"

/* A function is named by its requester id: bus << 8 | slot << 3 | function. */
#define PCI_BUS(function) ((function) >> 8)
#define PCI_SLOT(function) ((function) >> 3 & 31)
#define PCI_FUNC(function) ((function)&7)

#define PCI_VENDOR 0x00
#define PCI_DEVICE 0x02
#define PCI_COMMAND 0x04
#define PCI_SUBSYSTEM 0x2e

#define PCI_CAP_VENDOR 0x09

/* Whether there is a host bridge that answers at the ports. */
bool pci_present(void);

/* Calls visit for every function, behind bridges too, in the order of their numbers. */
void pci_for_each(void (*visit)(uint16_t function, void *context), void *context);

uint8_t pci_read8(uint16_t function, uint32_t offset);
uint16_t pci_read16(uint16_t function, uint32_t offset);
uint32_t pci_read32(uint16_t function, uint32_t offset);
void pci_write16(uint16_t function, uint32_t offset, uint16_t value);
void pci_write32(uint16_t function, uint32_t offset, uint32_t value);

/* The offset of the next capability of this id after `after` (0: the first). 0 when there is
 * none. */
uint8_t pci_capability(uint16_t function, uint8_t id, uint8_t after);

/* The address a memory BAR was given; 0: none, or an I/O BAR. */
uint64_t pci_memory_bar(uint16_t function, unsigned bar);

/* Lets the function decode memory and master the bus. */
void pci_enable(uint16_t function);

/* Gives the function one MSI-X interrupt, entry 0 of its table, and turns MSI-X on; INTx is off
 * then. Returns 0; -UNI_ENOTSUP (it has no MSI-X); as irq_alloc_msi(). */
int pci_msix_connect(uint16_t function, irq_handler handler, void *argument);

/* Routes the function's INTx pin, level-triggered and maybe shared. Returns 0; -UNI_ENOTSUP (it has
 * no pin, or how the board wires it is not known); as irq_route_gsi(). */
int pci_intx_connect(uint16_t function, irq_handler handler, void *argument);
