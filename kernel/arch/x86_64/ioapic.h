/* SPDX-License-Identifier: MIT */
#pragma once

/* The IOAPICs: global system interrupts to vectors. Callers see to it that calls do not overlap. */

#include <stdbool.h>
#include <stdint.h>

/* Maps all that the MADT lists, masks every pin and the i8259s. Boot only. */
void ioapic_init(void);

unsigned ioapic_gsi_count(void);

/* False when no IOAPIC has that pin. */
bool ioapic_route(unsigned gsi, uint8_t vector, uint32_t hw_id, bool level, bool active_low);
