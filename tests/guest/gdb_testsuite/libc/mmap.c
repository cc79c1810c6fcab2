/* SPDX-License-Identifier: MIT */

/* gdb calls these for code that it brings along (`compile`). */

#include <errno.h>
#include <sys/mman.h>
#include <sys/types.h>

#include "tests/guest/gdb_testsuite/guest.h"

void *mmap64(void *address, size_t size, int protection, int flags, int file, __off64_t offset)
{
	void *pages = NULL;

	(void)address;
	(void)protection;
	(void)offset;
	if (file == -1 && flags & MAP_ANONYMOUS)
		pages = guest_alloc_pages(size);
	if (pages != NULL)
		return pages;
	errno = ENOMEM;
	return MAP_FAILED;
}

int munmap(void *address, size_t size)
{
	guest_free_pages(address, size);
	return 0;
}
