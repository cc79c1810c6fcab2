/* SPDX-License-Identifier: MIT */
#pragma once

/* Tracepoints of test_packet.c, test_points.c and the ring's benchmark. */

#include "tracing/tracepoint.h"

UNI_TRACEPOINT(test_numbers, "test:numbers", (u8, a), (s16, b), (u32, c), (x64, d))
UNI_TRACEPOINT(test_text, "test:text", (u32, id), (str, name))
UNI_TRACEPOINT(test_pair, "test:pair", (u64, first), (u64, second))
