/* SPDX-License-Identifier: MIT */
/* What the host does, from /proc/stat, and what this program costs it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct host_load {
	unsigned cpus;
	bool known;	     /* the shares hold something: two looks were taken */
	double cpu_share;    /* not idle, of all CPUs, 0 to 1 */
	double steal_share;  /* taken by the hypervisor under this host */
	double own_share;    /* CPU of this process, of one CPU */
	uint64_t own_memory; /* resident bytes */

	uint64_t all, idle, steal; /* ticks at the last look */
	uint64_t own_ns, looked_ns;
};

/* Zero-initialise it. What cannot be read stays as it was. */
void host_load_update(struct host_load *load, uint64_t now_ns);
