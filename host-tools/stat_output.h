/* SPDX-License-Identifier: MIT */
/* What `uniscope stat` prints: for people (stat_text.c) and as JSON (stat_json.c). */
#pragma once

#include "host-tools/lib/guest_model.h"
#include "host-tools/lib/registry.h"

void stat_print_text(const struct uni_guest_info *guest, const struct uni_model *model);

/* One line. Fields are documented in uniscope-stat(1). -UNI_ENOMEM. */
int stat_print_json(const struct uni_guest_info *guest, const struct uni_model *model,
		    struct uni_error *error);
