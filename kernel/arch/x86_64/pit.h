/* SPDX-License-Identifier: MIT */

/* The i8254, the interval timer that every PC has had: a clock of known rate to measure by. */

#pragma once

#include <stdint.h>

/* Hz of the TSC, to some 50 ppm; 0: there is no i8254 that counts. Takes 8 ms, more where the host
 * takes the CPU away meanwhile. Before interrupts are on, by one CPU. */
uint64_t pit_tsc_hz(void);
