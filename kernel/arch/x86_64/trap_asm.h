/* SPDX-License-Identifier: MIT */
#pragma once

/* Offsets that trap_entry.S shares with C; trap.c asserts them. Preprocessor only. */

#define TRAP_ENTRY_SIZE 16

#define FRAME_VECTOR 120
#define FRAME_RIP 136
#define FRAME_RFLAGS 152
#define FRAME_RSP 160

#define ASIDE_HELD 176
#define ASIDE_THREAD 184

#define CPU_NMI_BLOCKED 32
#define CPU_DEBUG_DUE 36
