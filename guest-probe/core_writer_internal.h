/* SPDX-License-Identifier: MIT */
/* Shared by the files of the core writer. */
#pragma once

#include "guest-probe/core_writer.h"

/* Appends bytes to the file, or counts them while measuring. */
void uni_core_append(struct uni_core_writer *writer, const void *bytes, size_t len);

/* Appends all notes in their order. */
void uni_core_put_notes(struct uni_core_writer *writer);
