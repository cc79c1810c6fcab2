/* SPDX-License-Identifier: MIT */
/* The four functions that freestanding code may import: <string.h> is not there in a guest. */
#pragma once

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *at, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);
