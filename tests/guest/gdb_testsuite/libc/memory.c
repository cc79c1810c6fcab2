/* SPDX-License-Identifier: MIT */

/* malloc() on the kernel's heap. The size stands before each block, for realloc(). */

#include <stdlib.h>
#include <string.h>

#include "tests/guest/gdb_testsuite/guest.h"

#define HEADER 16

void *malloc(size_t size)
{
	char *block = size < SIZE_MAX - HEADER ? guest_alloc(size + HEADER) : NULL;

	if (block == NULL)
		return NULL;
	memcpy(block, &size, sizeof(size));
	return block + HEADER;
}

void free(void *block)
{
	if (block != NULL)
		guest_free((char *)block - HEADER);
}

void *calloc(size_t count, size_t size)
{
	void *block;

	if (size != 0 && count > SIZE_MAX / size)
		return NULL;
	block = malloc(count * size);
	if (block != NULL)
		memset(block, 0, count * size);
	return block;
}

void *realloc(void *block, size_t size)
{
	void *larger = malloc(size);
	size_t old;

	if (block == NULL || larger == NULL)
		return larger;
	memcpy(&old, (char *)block - HEADER, sizeof(old));
	memcpy(larger, block, old < size ? old : size);
	free(block);
	return larger;
}
