/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Interrupts off. Comes back, with false, only where there is no such file. */
bool exec_image(const char *path, uint32_t last_thread);
