/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host-tools/lib/sanitize.h"
#include "host-tools/report.h"
#include "tracing/errno.h"

/* The thread, made when it is seen for the first time; NULL when memory is out. */
static struct report_thread *thread_of(struct report *report, uint32_t id)
{
	size_t low = 0, high = report->thread_count;
	struct report_thread *threads;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (report->threads[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < report->thread_count && report->threads[low].id == id)
		return &report->threads[low];
	if (report->thread_count == UNI_TRACE_THREADS_MAX)
		return NULL;
	threads = reallocarray(report->threads, report->thread_count + 1, sizeof(*threads));
	if (!threads)
		return NULL;
	report->threads = threads;
	memmove(&threads[low + 1], &threads[low], (report->thread_count - low) * sizeof(*threads));
	threads[low] = (struct report_thread){.id = id};
	report->thread_count++;
	return &threads[low];
}

/* The CPU's thread has run until now. */
static int account_run(struct report *report, struct report_cpu *cpu, uint32_t thread_id,
		       uint64_t now_ns)
{
	struct report_thread *thread = thread_of(report, thread_id);

	if (!thread)
		return -UNI_ENOMEM;
	/* Before the first switch on a CPU its thread is known by that switch only. */
	thread->run_ns += now_ns - (cpu->since_ns ? cpu->since_ns : report->first_ns);
	return 0;
}

static int feed_switch(struct report *report, const struct uni_trace_event *event)
{
	struct report_cpu *cpu = &report->cpus[event->cpu];
	uint32_t next_id = (uint32_t)uni_trace_event_number(event, "next");
	struct report_thread *next;

	if (account_run(report, cpu, (uint32_t)uni_trace_event_number(event, "prev"),
			event->time_ns) < 0)
		return -UNI_ENOMEM;
	cpu->thread = next_id;
	cpu->since_ns = event->time_ns;
	next = thread_of(report, next_id);
	if (!next)
		return -UNI_ENOMEM;
	next->switches++;
	if (next->woken_ns) {
		if (!next->latency)
			next->latency = calloc(1, sizeof(*next->latency));
		if (!next->latency)
			return -UNI_ENOMEM;
		uni_histogram_add(next->latency, event->time_ns - next->woken_ns);
		next->woken_ns = 0;
	}
	return 0;
}

static int feed_wakeup(struct report *report, const struct uni_trace_event *event)
{
	struct report_thread *thread =
		thread_of(report, (uint32_t)uni_trace_event_number(event, "thread"));

	if (!thread)
		return -UNI_ENOMEM;
	if (!thread->woken_ns)
		thread->woken_ns = event->time_ns;
	return 0;
}

static int feed_thread_start(struct report *report, const struct uni_trace_event *event)
{
	const char *name = uni_trace_event_text(event, "name");

	return uni_trace_info_name_thread(report->info,
					  (uint32_t)uni_trace_event_number(event, "thread"), name,
					  strlen(name));
}

/* NULL with *result 0: one lock too many. */
static struct report_lock *lock_of(struct report *report, uint64_t address, int *result)
{
	struct report_lock *lock;

	*result = 0;
	for (size_t i = 0; i < report->lock_count; i++) {
		if (report->locks[i]->address == address)
			return report->locks[i];
	}
	if (report->lock_count == REPORT_LOCKS_MAX) {
		report->locks_left_out++;
		return NULL;
	}
	lock = calloc(1, sizeof(*lock));
	if (!lock) {
		*result = -UNI_ENOMEM;
		return NULL;
	}
	lock->address = address;
	report->locks[report->lock_count++] = lock;
	return lock;
}

static int feed_lock(struct report *report, const struct uni_trace_event *event)
{
	const char *what = event->point->name;
	int result;
	struct report_lock *lock = lock_of(report, uni_trace_event_number(event, "lock"), &result);

	if (!lock)
		return result;
	if (strcmp(what, "lock:wait") == 0) {
		const char *name = uni_trace_event_text(event, "name");

		if (lock->name[0] == '\0')
			uni_sanitize(lock->name, sizeof(lock->name), name, strlen(name));
		if (lock->site == 0)
			lock->site = uni_trace_event_number(event, "site");
	} else if (strcmp(what, "lock:acquired") == 0) {
		uni_histogram_add(&lock->wait, uni_trace_event_number(event, "waited_ns"));
	} else if (strcmp(what, "lock:release") == 0) {
		uint64_t held_ns = uni_trace_event_number(event, "held_ns");

		if (held_ns >= lock->hold.max)
			lock->longest_holder = report->cpus[event->cpu].thread;
		uni_histogram_add(&lock->hold, held_ns);
	}
	return 0;
}

int report_feed(struct report *report, const struct uni_trace_event *event)
{
	const char *name = event->point->name;

	if (report->event_count++ == 0)
		report->first_ns = event->time_ns;
	report->last_ns = event->time_ns;
	report->by_point[event->point->id]++;
	if (strcmp(name, "sched:switch") == 0)
		return feed_switch(report, event);
	if (strcmp(name, "sched:wakeup") == 0)
		return feed_wakeup(report, event);
	if (strcmp(name, "sched:thread_start") == 0)
		return feed_thread_start(report, event);
	if (strncmp(name, "lock:", 5) == 0)
		return feed_lock(report, event);
	return 0;
}

void report_end(struct report *report)
{
	for (uint32_t i = 0; i < report->info->cpu_count; i++) {
		struct report_cpu *cpu = &report->cpus[i];

		if (cpu->thread)
			(void)account_run(report, cpu, cpu->thread, report->last_ns);
	}
}

void report_fini(struct report *report)
{
	for (size_t i = 0; i < report->thread_count; i++)
		free(report->threads[i].latency);
	for (size_t i = 0; i < report->lock_count; i++)
		free(report->locks[i]);
	free(report->threads);
}

const char *report_thread_name(const struct report *report, uint32_t id, char out[64])
{
	const char *name = uni_trace_info_thread(report->info, id);

	if (name)
		snprintf(out, 64, "%s", name);
	else if (id)
		snprintf(out, 64, "thread %u", id);
	else
		snprintf(out, 64, "?");
	return out;
}
