/* SPDX-License-Identifier: MIT */
/* Shared by the files of the dump. */
#pragma once

#include "guest-probe/dump.h"

/* The notes of UNI_NOTE_OWNER; context is the struct uni_dump. */
void uni_dump_put_notes(void *context, struct uni_core_writer *writer);
