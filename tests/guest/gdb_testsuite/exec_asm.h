/* SPDX-License-Identifier: MIT */
#pragma once

/* What exec.S and exec.c share; preprocessor only. */

/* Free RAM below 1 MiB, beside AP_TRAMPOLINE of the kernel's. */
#define EXEC_CODE 0x9000
#define EXEC_PLAN 0xa000

/* struct exec_plan */
#define PIECES_MAX 16
#define PIECE_SKIP 0
#define PIECE_TO 4
#define PIECE_LEN 8
#define PIECE_ZERO 12
#define PIECE_SIZE 16
#define PLAN_COUNT (PIECES_MAX * PIECE_SIZE)
#define PLAN_START_INFO (PLAN_COUNT + 4)
#define PLAN_ENTRY (PLAN_COUNT + 8)

/* QEMU, docs/specs/fw_cfg.rst */
#define FW_CFG_SELECT 0x510
#define FW_CFG_DATA 0x511
#define FW_CFG_FILES 0x19

#define CODE_32 0x08
#define DATA 0x10
#define CR0_PE 1
#define MSR_EFER_NUMBER 0xc0000080
