/* SPDX-License-Identifier: MIT */
/*
 * The images of guests that died. An image is built anew at its old path soon after a crash, and
 * the dump would lose its symbols: so a copy is kept, $XDG_STATE_HOME/uniscope/images/BUILD-ID,
 * once for all dumps of it.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "host-tools/lib/dump_store.h"

/* Copies the image that the dump names, if it still has the dump's build-id and is not kept yet.
 * -UNI_ENOENT: there is no such image any more; or what the file system says. A dump is worth
 * having without it. */
int uni_dump_image_keep(const struct uni_dump_info *info);

/* Finds the image of a dump by its build-id: the kept copy, the path that it was started from, or
 * where Debian keeps separate debug information. False: `why` says why there is none. */
bool uni_dump_image_find(const struct uni_dump_info *info, char image[PATH_MAX], char *why,
			 size_t why_size);
