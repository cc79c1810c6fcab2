/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/trace_info.h"

#include <stdlib.h>
#include <string.h>

#include "host-tools/lib/sanitize.h"
#include "tracing/errno.h"

void uni_trace_info_fini(struct uni_trace_info *info)
{
	free(info->threads);
	uni_trace_points_fini(&info->points);
	memset(info, 0, sizeof(*info));
}

/* Where the thread is, or would be, in the sorted list. */
static size_t thread_index(const struct uni_trace_info *info, uint32_t id)
{
	size_t low = 0, high = info->thread_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (info->threads[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int uni_trace_info_name_thread(struct uni_trace_info *info, uint32_t id, const char *name,
			       size_t len)
{
	size_t index = thread_index(info, id);
	struct uni_trace_thread *threads;

	if (index < info->thread_count && info->threads[index].id == id)
		return 0;
	if (info->thread_count == UNI_TRACE_THREADS_MAX)
		return -UNI_ENOSPC;
	/* Grown in steps of 64. */
	if (info->thread_count % 64 == 0) {
		threads = reallocarray(info->threads, info->thread_count + 64, sizeof(*threads));
		if (!threads)
			return -UNI_ENOMEM;
		info->threads = threads;
	}
	memmove(&info->threads[index + 1], &info->threads[index],
		(info->thread_count - index) * sizeof(*threads));
	info->threads[index].id = id;
	uni_sanitize(info->threads[index].name, sizeof(info->threads[index].name), name, len);
	info->thread_count++;
	return 0;
}

const char *uni_trace_info_thread(const struct uni_trace_info *info, uint32_t id)
{
	size_t index = thread_index(info, id);

	if (index < info->thread_count && info->threads[index].id == id)
		return info->threads[index].name;
	return NULL;
}

struct uni_trace_cpu uni_trace_info_total(const struct uni_trace_info *info)
{
	struct uni_trace_cpu total = {0};

	for (uint32_t i = 0; i < info->cpu_count; i++) {
		total.emitted += info->cpus[i].emitted;
		total.discarded += info->cpus[i].discarded;
		total.overwritten += info->cpus[i].overwritten;
		total.recorded += info->cpus[i].recorded;
		total.packets += info->cpus[i].packets;
		total.bytes += info->cpus[i].bytes;
	}
	return total;
}

uint64_t uni_trace_cpu_lost(const struct uni_trace_cpu *cpu)
{
	return cpu->emitted > cpu->recorded ? cpu->emitted - cpu->recorded : 0;
}

uint64_t uni_trace_info_ns(const struct uni_trace_info *info, uint64_t tsc)
{
	__int128 cycles = (__int128)tsc - info->tsc;
	__int128 ns = info->tsc_hz ? cycles * 1000000000 / info->tsc_hz + info->time_ns : 0;

	if (ns < 0)
		return 0;
	return ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}
