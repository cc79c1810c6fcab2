/* SPDX-License-Identifier: MIT */
/* The metadata of a recording in TSDL, the language of CTF 1.8 (diamon.org/ctf/v1.8.3). */
#pragma once

#include <stdio.h>

#include "host-tools/lib/trace_info.h"

/* Writes the whole file; times are Unix time. The caller checks ferror(). */
void uni_trace_write_tsdl(const struct uni_trace_info *info, FILE *out);
