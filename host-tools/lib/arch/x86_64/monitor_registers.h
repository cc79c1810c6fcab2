/* SPDX-License-Identifier: MIT */
/* Registers of vCPUs from the text of QEMU's monitor command "info registers -a" (QEMU 7.2,
 * target/i386/cpu-dump.c). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest-probe/arch/x86_64/core_abi.h"

/*
 * Fills the registers of vCPU number `cpu` in *status, and CR2 in *fault_address. False when the
 * text does not have them; then nothing is changed.
 */
bool uni_monitor_registers(const char *text, unsigned cpu, struct uni_core_prstatus *status,
			   uint64_t *fault_address);
