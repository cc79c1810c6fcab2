/* SPDX-License-Identifier: MIT */
/*
 * What tracing asks of the unikernel (or of the process, in tests) that it runs in.
 */
#pragma once

#include <stddef.h>

struct uni_ring;

/*
 * The source file that defines tracepoints (tracepoint.h) provides these two first, as static
 * inline functions, because they are half of what an event costs:
 *
 * static inline struct uni_ring *uni_platform_pin(void);
 *	Keeps the caller on its CPU and returns that CPU's ring, or NULL where there is none yet.
 *	Called in any context, NMI included.
 * static inline void uni_platform_unpin(void);
 *	Ends the last pin, also after NULL. Pins nest.
 */

/* How text is changed while every CPU may be executing it. */
struct uni_text_ops {
	/* Writes to text that is mapped read-only. One byte is written at once. Returns 0 or a
	 * negative UNI_E*, and has written nothing then. */
	int (*write)(void *address, const void *bytes, size_t len);

	/* When it returns, every CPU has executed a serializing instruction since the call, and has
	 * returned from every breakpoint trap it had taken before. */
	void (*sync)(void);
};
