/* SPDX-License-Identifier: MIT */
/* Exceptions of the processor in words (Intel SDM volume 3, chapter 6). */
#pragma once

#include <stdbool.h>

#include "host-tools/lib/dump_store.h"

struct uni_fault_words {
	char what[128]; /* "null pointer + 24" */
	char deed[192]; /* what the function did: "read address 0x18, a null pointer + 24" */
};

/* `pc_is_code`: the pc of the record lies in code of the image. */
void uni_fault_describe(const struct uni_dump_info *info, bool pc_is_code,
			struct uni_fault_words *out);

/* Whether a page fault was on writing. */
bool uni_fault_is_write(const struct uni_dump_info *info);
