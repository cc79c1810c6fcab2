/* SPDX-License-Identifier: MIT */
/*
 * The crash dump: an ELF64 ET_CORE file for x86-64 that gdb, drgn and elfutils open.
 *
 * One PT_NOTE, first, p_align 4, then one PT_LOAD a range of RAM with p_vaddr = p_paddr (a
 * unikernel of ours maps memory one to one), filesz = memsz: pages of zeroes are holes of the file.
 * No section headers. docs/formats/dump.md has the order of the notes and why each is there.
 *
 * NT_PRSTATUS, which holds registers, is in arch/x86_64/core_abi.h.
 *
 * Notes of owner UNI_NOTE_OWNER repeat payloads of probe_abi.h, so that one parser reads both.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define UNI_NOTE_OWNER "UNISCOPE"

enum uni_note_type {
	UNI_NOTE_PANIC = 1,   /* payload of UNI_FRAME_PANIC */
	UNI_NOTE_HELLO = 2,   /* payload of UNI_FRAME_HELLO */
	UNI_NOTE_THREADS = 3, /* payload of UNI_FRAME_THREADS; ids are the pids of the PRSTATUSes */
	UNI_NOTE_CPUS = 4,    /* payload of UNI_FRAME_CPUS */
	UNI_NOTE_METRIC_TABLE = 5, /* payload of UNI_FRAME_METRIC_TABLE */
	UNI_NOTE_METRICS = 6,	   /* payload of UNI_FRAME_METRICS */
	UNI_NOTE_LOG = 7,	   /* payload of UNI_FRAME_LOG */
	UNI_NOTE_TRACE_RINGS = 8,  /* struct uni_table, struct uni_note_ring... */
};

/* Where a CPU's ring lies in the memory of the dump. */
struct uni_note_ring {
	uint32_t cpu;
	uint32_t packet_size;	 /* bytes of one sub-buffer */
	uint64_t address;	 /* of the first sub-buffer */
	uint64_t size;		 /* bytes of all sub-buffers */
	uint64_t reserved_bytes; /* write position: bytes reserved since the session began */
};

_Static_assert(sizeof(struct uni_note_ring) == 32, "ring note layout");

/* NT_PRPSINFO of Linux for x86-64: eu-stack refuses a core without it. */
struct uni_core_prpsinfo {
	uint8_t state, sname, zombie, nice;
	uint32_t pad;
	uint64_t flag;
	uint32_t uid, gid;
	int32_t pid, ppid, pgrp, sid;
	char fname[16];
	char psargs[80];
};

_Static_assert(offsetof(struct uni_core_prpsinfo, pid) == 24, "prpsinfo layout");
_Static_assert(offsetof(struct uni_core_prpsinfo, fname) == 40, "prpsinfo layout");
_Static_assert(sizeof(struct uni_core_prpsinfo) == 136, "prpsinfo layout");

/* NT_SIGINFO: gdb's $_siginfo. */
struct uni_core_siginfo {
	int32_t signo;
	int32_t error;
	int32_t code;
	int32_t pad;
	uint64_t address; /* of the fault */
	uint8_t rest[104];
};

_Static_assert(sizeof(struct uni_core_siginfo) == 128, "siginfo layout");
