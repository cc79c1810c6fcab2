/* SPDX-License-Identifier: MIT */
#pragma once

/* Brings the tracing up. In thread "main", before app_main(). */
void trace_init(void);
