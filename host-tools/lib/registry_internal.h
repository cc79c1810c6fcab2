/* SPDX-License-Identifier: MIT */
/* What the files of the registry share. */
#pragma once

#include "host-tools/lib/registry.h"

#define UNI_REGISTRY_FILE "guest.json"
#define UNI_REGISTRY_LOCK "lock"

/* Reads folder_fd/guest.json. Returns 0 or a negative code (-UNI_ENOENT: not written yet). */
int uni_guest_info_read(int folder_fd, struct uni_guest_info *guest);

/* Writes it as a whole: a new file, then rename(2). */
int uni_guest_info_write(int folder_fd, const struct uni_guest_info *guest,
			 struct uni_error *error);

/*
 * Opens and locks folder_fd/lock; the descriptor, -UNI_EBUSY when another process holds it,
 * or a negative errno value.
 */
int uni_registry_lock(int folder_fd, bool create);

/* Removes the folder with its files. The caller holds its lock. */
void uni_registry_remove(const char *folder, int folder_fd);
