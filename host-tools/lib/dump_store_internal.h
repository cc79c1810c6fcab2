/* SPDX-License-Identifier: MIT */
/* Shared by dump_store.c (the folder), dump_writer.c (one dump that comes in), dump_info.c (JSON).
 */
#pragma once

#include "host-tools/lib/dump_store.h"

#define UNI_DUMP_INFO_FILE "info.json"
#define UNI_DUMP_CORE_FILE "core"

/* Reserved when a dump begins, so that its last words fit on a disk that the core has filled. */
#define UNI_DUMP_INFO_RESERVED 16384

/* info.json as text, allocated; NULL when memory is out. */
char *uni_dump_info_encode(const struct uni_dump_info *info);

/* Reads info.json of the open folder. -EINVAL: it is none of ours. `id` is the folder's. */
int uni_dump_info_read(int folder, uint64_t id, struct uni_dump_info *out)
	__attribute__((warn_unused_result));

/* Opens the store's folder, creating it and its parents (mode 0700). Returns the descriptor. */
int uni_dump_store_open_root(void) __attribute__((warn_unused_result));

/* Makes the next folder, open for the caller: no other process gets the same id. */
int uni_dump_store_new_folder(int root, uint64_t *id, int *folder)
	__attribute__((warn_unused_result));
