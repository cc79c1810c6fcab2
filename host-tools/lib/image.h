/* SPDX-License-Identifier: MIT */
/*
 * What a guest's ELF file says about itself, and whether it is a guest that can be started: an
 * x86-64 executable with a PVH entry (Xen's XEN_ELFNOTE_PHYS32_ENTRY, which QEMU boots).
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host-tools/lib/error.h"

struct uni_image {
	char path[PATH_MAX]; /* absolute */
	char stem[64]; /* file name without folder and ".elf": the default name of the guest */
	uint8_t build_id[32];
	uint32_t build_id_len;	/* 0: it has none */
	char build_id_text[65]; /* in hexadecimal */
	uint64_t load_start;	/* physical address of its first loaded byte */
	uint64_t load_end;	/* and behind its last one, zeroed memory included */
	uint64_t entry;		/* of PVH */
	bool has_debug_info;
	bool has_gdb_helpers;	   /* .debug_gdb_scripts */
	uint32_t tracepoint_count; /* 0: no metadata of tracepoints */
};

/*
 * Reads and checks the file. The error says what is wrong with it in words that fit behind
 * "cannot start NAME: ". Returns 0, -UNI_ENOENT, -UNI_EINVAL (no guest) or a negative errno value.
 */
int uni_image_read(const char *path, struct uni_image *image, struct uni_error *error);
