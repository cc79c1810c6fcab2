/* SPDX-License-Identifier: MIT */
#pragma once

/* Powers the machine off: ACPI S5 where there is ACPI, a reset otherwise. Any context; never
 * returns. */
_Noreturn void shutdown(void);

/* Finds out how. Boot only. */
void shutdown_init(void);
