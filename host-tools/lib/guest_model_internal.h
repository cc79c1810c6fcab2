/* SPDX-License-Identifier: MIT */
/* The tables of a guest model: between guest_model.c and guest_model_tables.c only. */
#pragma once

#include "host-tools/lib/cursor.h"
#include "host-tools/lib/guest_model.h"

/* Each takes in the payload of one frame: 0, -UNI_EINVAL with the model as before, -UNI_ENOMEM. */
int model_apply_cpus(struct uni_model *model, struct uni_cursor *payload);
int model_apply_threads(struct uni_model *model, struct uni_cursor *payload);
int model_apply_metric_table(struct uni_model *model, struct uni_cursor *payload);
int model_apply_metrics(struct uni_model *model, struct uni_cursor *payload);
int model_apply_trace_stats(struct uni_model *model, struct uni_cursor *payload);
