/* SPDX-License-Identifier: MIT */
#pragma once

/* Where the kernel calls into the guest probe. */

#include <stdbool.h>

#include "guest-probe/metrics.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/panic.h"

/* In thread "main", once the ports are there, before app_main(). */
void probe_init(void);

/* On the panicking CPU: interrupts off, the others stopped, possibly on a fault stack of
 * IST_STACK_SIZE. Sends the panic and the dump, polled; takes no lock and allocates nothing.
 * Returns when it is out or cannot be. */
void probe_panic(const struct panic_info *info);

/* Tells the host that the guest ends of its own will, with the application's status; waits for it a
 * short while. Thread context, once. */
void probe_bye(int status);

/* Shows a number to the operator under a name (guest-probe/metrics.h). The metric is the caller's,
 * and stays. Thread context, after probe_init(). Returns 0, -UNI_ENOSPC, -UNI_EINVAL. */
int probe_add_metric(const struct uni_metric *metric);

/* Asked on an NMI that the stub did not claim. May panic. True: it was the probe's. */
bool probe_nmi(struct trap_frame *frame);
