/* SPDX-License-Identifier: MIT */
#pragma once

/* Offsets that trap_entry.S shares with C; trap.c asserts them. Preprocessor only. */

#define TRAP_ENTRY_SIZE 16

#define FRAME_VECTOR 120
#define FRAME_RIP 136
#define FRAME_RFLAGS 152
#define FRAME_RSP 160

#define CPU_NMI_BLOCKED 32
#define CPU_DEBUG_DUE 36
#define CPU_BP_STACK 236

#define ENTRY_CODE 0x08
#define ENTRY_DATA 0x10
#define ENTRY_BP 3
#define CALL_LEN 5
