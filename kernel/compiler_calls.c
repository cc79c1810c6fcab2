/* SPDX-License-Identifier: MIT */

/* What the compiler calls for operations that the baseline processor lacks. The compiler's own
 * library is built with a red zone, which interrupts here would overwrite. */

#include <stdint.h>

int __popcountdi2(int64_t value);

int __popcountdi2(int64_t value)
{
	int count = 0;

	for (uint64_t left = (uint64_t)value; left != 0; left &= left - 1)
		count++;
	return count;
}
