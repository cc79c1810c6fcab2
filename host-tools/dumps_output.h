/* SPDX-License-Identifier: MIT */
/* What `uniscope dumps` prints: for people (dumps_text.c) and as JSON (dumps_json.c). */
#pragma once

#include "host-tools/lib/dump_report.h"

/* A dump as the list shows it. */
struct dump_row {
	struct uni_dump_info info;
	struct uni_crash_cause cause;
	unsigned seen; /* dumps with the same signature, this one included */
};

void dumps_list_text(const struct dump_row *rows, size_t count);
void dumps_info_text(const struct uni_dump_report *report, const struct dump_row *rows,
		     size_t count);

/* -UNI_ENOMEM. */
int dumps_list_json(const struct dump_row *rows, size_t count, struct uni_error *error);
int dumps_info_json(const struct uni_dump_report *report, struct uni_error *error);
