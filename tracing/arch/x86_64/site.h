/* SPDX-License-Identifier: MIT */
#pragma once

/* The code of a tracepoint's site: a 5-byte nop, and its record in the section uni_trace_sites.
 * Included by tracepoint.h only.
 *
 * The record names the event by the address of its metadata. In a guest the section of the metadata
 * is not loaded and lies at address 0, so the address of record n is n * 256 and four bytes of it
 * written one byte early leave n in event_id; the byte before, which they set to 0, is the top of
 * target, which is 0 for an address of ours anyway. A process (unit tests) may be loaded anywhere:
 * there event_id holds the distance to the metadata until uni_points_init() resolves it. */

#include <stdint.h>

#define UNI_TRACE_SITE_BYTES 5

#if __STDC_HOSTED__
#define UNI_TRACE_SITE_RECORD(meta)                         \
	".pushsection uni_trace_sites, \"aw\", @progbits\n" \
	".balign 8\n"                                       \
	".quad 771b\n"                                      \
	".quad %l[on]\n"                                    \
	".long " #meta " - .\n"                             \
	".long 0\n"                                         \
	".popsection\n"
#else
#define UNI_TRACE_SITE_RECORD(meta)                        \
	".pushsection uni_trace_sites, \"a\", @progbits\n" \
	".balign 8\n"                                      \
	".quad 771b\n"                                     \
	".long %l[on]\n"                                   \
	".byte 0, 0, 0\n"                                  \
	".long " #meta "\n"                                \
	".byte 0\n"                                        \
	".long 0\n"                                        \
	".popsection\n"
#endif

/* Goes to the label `on` when the tracepoint is on. Every copy that the compiler makes of it is a
 * site of its own, with a record of its own. */
#define UNI_TRACE_SITE(meta)                                                                 \
	__asm__ goto("771: .byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n" UNI_TRACE_SITE_RECORD(meta) \
		     :                                                                       \
		     :                                                                       \
		     :                                                                       \
		     : on)
