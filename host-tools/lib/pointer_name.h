/* SPDX-License-Identifier: MIT */
/*
 * Names a pointer as the source does: which variable is in a register at an address of the code,
 * and which member of what it points to lies at an offset.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For the variable in the register (DWARF's number) at `pc` of the image: its name into `variable`,
 * and the expression for what lies `offset` bytes behind it, as "price->cents", into `expression`.
 * False: debug information has no variable there, or not of a pointer type; nothing is written. */
bool uni_pointer_name(const char *image, uint64_t pc, int dwarf_register, uint64_t offset,
		      char *variable, size_t variable_size, char *expression,
		      size_t expression_size);
