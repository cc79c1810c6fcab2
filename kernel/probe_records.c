/* SPDX-License-Identifier: MIT */

#include <string.h>

#include "kernel/arch/x86_64/stopped_thread.h"
#include "kernel/clock.h"
#include "kernel/cpu.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/probe_internal.h"
#include "kernel/run_queue.h"
#include "kernel/thread.h"

/* Each thread, with the scheduler's locks, or, once the world is stopped, without. */
static void for_each_thread(bool (*visit)(const struct thread_info *info, void *context),
			    void *context)
{
	struct thread *thread = NULL;
	struct thread_info info;

	if (panic_current() == NULL) {
		thread_for_each(visit, context);
		return;
	}
	while ((thread = thread_next_stopped(thread)) != NULL) {
		thread_snapshot_stopped(thread, &info);
		if (!visit(&info, context))
			return;
	}
}

static bool is_idle(const struct thread_info *info)
{
	return info->priority == THREAD_PRIORITY_IDLE;
}

uint32_t probe_cpus(void *context, struct uni_cpu_record *records, uint32_t capacity)
{
	uint32_t count = 0;

	for (; count < cpu_count() && count < capacity; count++) {
		const struct cpu *cpu = &cpus[count];
		struct cpu_times times;

		cpu_get_times(count, &times);
		records[count] = (struct uni_cpu_record){
			.cpu = count,
			.thread = cpu->thread != NULL ? cpu->thread->id : 0,
			.busy_ns = times.busy_ns,
			.irq_ns = times.irq_ns,
			.idle_ns = times.idle_ns,
			.switches = cpu->switches,
			.interrupts = cpu->irq_count,
			.nmis = (uint32_t)cpu->nmi_count,
			.ready = run_queue_of(count)->ready_count,
		};
	}
	return count;
}

static uint8_t state_of(const struct thread_info *info)
{
	switch (info->state) {
	case THREAD_RUNNING:
		return UNI_THREAD_RUNNING;
	case THREAD_READY:
		return UNI_THREAD_READY;
	case THREAD_BLOCKED:
		return info->wait.kind == WAIT_SLEEP ? UNI_THREAD_SLEEPING : UNI_THREAD_BLOCKED;
	case THREAD_EXITED:
		return UNI_THREAD_EXITED;
	}
	return 0;
}

static uint8_t wait_kind_of(enum wait_kind kind)
{
	static const uint8_t kinds[] = {
		[WAIT_NONE] = UNI_WAIT_NONE,	 [WAIT_SLEEP] = UNI_WAIT_SLEEP,
		[WAIT_MUTEX] = UNI_WAIT_MUTEX,	 [WAIT_COND] = UNI_WAIT_COND,
		[WAIT_SEMAPHORE] = UNI_WAIT_SEM, [WAIT_JOIN] = UNI_WAIT_JOIN,
		[WAIT_IO] = UNI_WAIT_PORT,
	};

	return (unsigned)kind < sizeof(kinds) ? kinds[kind] : UNI_WAIT_NONE;
}

static void fill_wait(struct uni_thread_record *record, const struct thread_info *info)
{
	record->wait_kind = wait_kind_of(info->wait.kind);
	record->wait_owner = info->wait_owner;
	record->wait_object = (uintptr_t)info->wait.object;
	record->wait_since_ns = info->wait.since_ns;
	uni_frame_text(record->wait_name, sizeof(record->wait_name), info->wait.object_name);
}

static void fill_thread(struct uni_thread_record *record, const struct thread_info *info)
{
	record->id = info->id;
	record->state = state_of(info);
	record->priority = (uint8_t)info->priority;
	record->flags = (is_idle(info) ? UNI_THREAD_IDLE : 0) |
			(info->pinned_cpu != THREAD_ANY_CPU ? UNI_THREAD_PINNED : 0);
	record->cpu = info->cpu;
	record->run_ns = info->runtime_ns;
	record->switches = info->switches;
	record->entry = info->entry;
	record->pc = stopped_pc(info->saved_rsp);
	record->stack_size = (uint32_t)(info->stack_high - info->stack_low);
	record->stack_used = (uint32_t)info->stack_used_max;
	uni_frame_text(record->name, sizeof(record->name), info->name);
	if (info->state == THREAD_BLOCKED)
		fill_wait(record, info);
}

struct thread_collection {
	uint32_t after_id;
	struct uni_thread_record *records;
	uint32_t capacity;
	uint32_t count;
	uint32_t total;
};

static bool collect_thread(const struct thread_info *info, void *context)
{
	struct thread_collection *collection = context;

	collection->total++;
	if (info->id > collection->after_id && collection->count < collection->capacity)
		fill_thread(&collection->records[collection->count++], info);
	return true;
}

uint32_t probe_threads(void *context, uint32_t after_id, struct uni_thread_record *records,
		       uint32_t capacity, uint32_t *total)
{
	struct thread_collection collection = {
		.after_id = after_id,
		.records = records,
		.capacity = capacity,
	};

	for_each_thread(collect_thread, &collection);
	*total = collection.total;
	return collection.count;
}

void probe_log_range(void *context, uint64_t *oldest, uint64_t *next)
{
	*oldest = log_oldest();
	*next = log_next();
}

bool probe_log_read(void *context, uint64_t sequence, struct uni_log_record *record, char *text)
{
	static const uint8_t levels[] = {
		[LOG_ERROR] = UNI_LOG_ERROR,
		[LOG_WARNING] = UNI_LOG_WARNING,
		[LOG_INFO] = UNI_LOG_INFO,
		[LOG_DEBUG] = UNI_LOG_DEBUG,
	};
	struct log_record held;

	_Static_assert(LOG_TEXT_MAX <= UNI_PROBE_LOG_TEXT_MAX, "a log record must fit");
	if (!log_read(sequence, &held))
		return false;
	record->time_ns = held.time_ns;
	record->thread = held.thread;
	record->cpu = held.cpu;
	record->level = held.level < sizeof(levels) ? levels[held.level] : 0;
	record->text_len = held.len;
	memcpy(text, held.text, held.len);
	return true;
}
