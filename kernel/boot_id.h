/* SPDX-License-Identifier: MIT */
#pragma once

/* The number that tells one life of a guest from every other. */

#include <stddef.h>
#include <stdint.h>

/* Fills `id`: from the processor's generator (RDRAND) where CPUID has it, else from how the TSC
 * moves between accesses to a device, which an emulator or a hypervisor takes unevenly long to
 * answer. The second is no source of secrets; it need only not repeat. Any context. */
void boot_id_make(uint8_t *id, size_t len);
