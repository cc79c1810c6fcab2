/* SPDX-License-Identifier: MIT */
#include "tui/host_load.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "host-tools/lib/cleanup.h"

static void update_host(struct host_load *load)
{
	uni_cleanup_file FILE *file = fopen("/proc/stat", "re");
	/* user nice system idle iowait irq softirq steal (proc(5)); guest time is part of user. */
	uint64_t ticks[8] = {0};
	uint64_t all = 0, idle;

	if (!file || fscanf(file,
			    "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
			    " %" SCNu64 " %" SCNu64 " %" SCNu64,
			    &ticks[0], &ticks[1], &ticks[2], &ticks[3], &ticks[4], &ticks[5],
			    &ticks[6], &ticks[7]) < 8)
		return;
	for (unsigned i = 0; i < 8; i++)
		all += ticks[i];
	idle = ticks[3] + ticks[4];
	if (load->all > 0 && all > load->all && idle >= load->idle && ticks[7] >= load->steal) {
		double elapsed = (double)(all - load->all);

		load->cpu_share = 1 - (double)(idle - load->idle) / elapsed;
		load->steal_share = (double)(ticks[7] - load->steal) / elapsed;
		load->known = true;
	}
	load->all = all;
	load->idle = idle;
	load->steal = ticks[7];
}

static void update_own(struct host_load *load, uint64_t now_ns)
{
	uni_cleanup_file FILE *file = fopen("/proc/self/statm", "re");
	struct timespec used;
	uint64_t own_ns, resident;

	if (file && fscanf(file, "%*u %" SCNu64, &resident) == 1)
		load->own_memory = resident * (uint64_t)sysconf(_SC_PAGESIZE);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	own_ns = (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
	if (load->looked_ns > 0 && now_ns > load->looked_ns)
		load->own_share =
			(double)(own_ns - load->own_ns) / (double)(now_ns - load->looked_ns);
	load->own_ns = own_ns;
	load->looked_ns = now_ns;
}

void host_load_update(struct host_load *load, uint64_t now_ns)
{
	/* A tick is 10 ms: shares over less than a few of them mean nothing. */
	if (load->looked_ns > 0 && now_ns - load->looked_ns < 200000000)
		return;
	load->cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	update_host(load);
	update_own(load, now_ns);
}
