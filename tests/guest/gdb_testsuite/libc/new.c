/* SPDX-License-Identifier: MIT */

/* C++'s operators new and delete, by the names that the compiler gives them. Those of its own
 * library throw, and there is no unwinder. */

#include <stdlib.h>

void *_Znwm(size_t size);
void *_Znam(size_t size);
void _ZdlPv(void *block);
void _ZdaPv(void *block);
void _ZdlPvm(void *block, size_t size);
void _ZdaPvm(void *block, size_t size);

/* new */
void *_Znwm(size_t size)
{
	void *block = malloc(size);

	if (!block)
		abort();
	return block;
}

/* new[] */
void *_Znam(size_t size)
{
	return _Znwm(size);
}

/* delete, delete[]; and both where the size is known */
void _ZdlPv(void *block)
{
	free(block);
}

void _ZdaPv(void *block)
{
	free(block);
}

void _ZdlPvm(void *block, size_t size)
{
	(void)size;
	free(block);
}

void _ZdaPvm(void *block, size_t size)
{
	(void)size;
	free(block);
}
