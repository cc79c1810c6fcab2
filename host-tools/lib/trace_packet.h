/* SPDX-License-Identifier: MIT */
/* The header of a trace packet (tracing/trace_abi.h), checked: bytes of a guest or of a file. */
#pragma once

#include <stddef.h>

#include "tracing/trace_abi.h"

/*
 * Takes the header of the packet that starts at data, of which len bytes are there (at least
 * sizeof(struct uni_trace_packet) for a sound one; the packet may go on behind them). Sizes in it
 * are within bounds and consistent then. Returns 0 or -UNI_EINVAL.
 */
int uni_trace_packet_read(const void *data, size_t len, struct uni_trace_packet *header)
	__attribute__((warn_unused_result));
