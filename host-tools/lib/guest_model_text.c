/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "host-tools/lib/guest_model.h"
#include "host-tools/lib/quantity.h"

bool uni_model_one_cpu(const struct uni_model_cpu *cpu, double *busy, double *irq, double *idle)
{
	double all = cpu->busy.per_s + cpu->irq.per_s + cpu->idle.per_s;

	if (!cpu->busy.known || !cpu->irq.known || !cpu->idle.known || all <= 0)
		return false;
	*busy = cpu->busy.per_s / all;
	*irq = cpu->irq.per_s / all;
	*idle = cpu->idle.per_s / all;
	return true;
}

bool uni_model_cpu_share(const struct uni_model *model, double *share)
{
	double sum = 0;

	for (size_t i = 0; i < model->cpu_count; i++) {
		double busy, irq, idle;

		if (!uni_model_one_cpu(&model->cpus[i], &busy, &irq, &idle))
			return false;
		sum += busy + irq;
	}
	if (model->cpu_count == 0)
		return false;
	*share = sum / (double)model->cpu_count;
	return true;
}

bool uni_model_heap(const struct uni_model *model, uint64_t *used, uint64_t *limit)
{
	const struct uni_model_metric *used_metric = uni_model_metric(model, "heap.used");
	const struct uni_model_metric *total_metric = uni_model_metric(model, "heap.total");
	uint64_t most = model->hello.memory_size;

	if (total_metric && total_metric->has_value)
		most = total_metric->value;
	if (!used_metric || !used_metric->has_value || most == 0)
		return false;
	*used = used_metric->value;
	*limit = most;
	return true;
}

uint64_t uni_model_waiting_ns(const struct uni_model *model, const struct uni_model_thread *thread)
{
	uint64_t since_ns = thread->record.wait_since_ns;

	if (thread->record.wait_kind == UNI_WAIT_NONE || since_ns == 0 ||
	    since_ns > model->threads_time_ns)
		return 0;
	return model->threads_time_ns - since_ns;
}

#define NAME_OF(names, number) \
	((number) < sizeof(names) / sizeof((names)[0]) && (names)[number] ? (names)[number] : "?")

const char *uni_model_run_state_name(uint32_t state)
{
	static const char *const names[] = {
		[UNI_GUEST_BOOTING] = "booting", [UNI_GUEST_RUNNING] = "running",
		[UNI_GUEST_PAUSED] = "paused",	 [UNI_GUEST_DEBUGGED] = "debugged",
		[UNI_GUEST_CRASHED] = "crashed", [UNI_GUEST_DUMPING] = "dumping",
		[UNI_GUEST_EXITED] = "exited",
	};

	return NAME_OF(names, state);
}

const char *uni_model_thread_state_name(const struct uni_model_thread *thread)
{
	static const char *const names[] = {
		[UNI_THREAD_READY] = "ready",	  [UNI_THREAD_RUNNING] = "running",
		[UNI_THREAD_BLOCKED] = "blocked", [UNI_THREAD_SLEEPING] = "sleeping",
		[UNI_THREAD_EXITED] = "exited",
	};

	if (thread->record.flags & UNI_THREAD_IDLE)
		return "idle";
	return NAME_OF(names, thread->record.state);
}

const char *uni_model_wait_kind_name(uint8_t kind)
{
	static const char *const names[] = {
		[UNI_WAIT_NONE] = "",	  [UNI_WAIT_MUTEX] = "mutex",
		[UNI_WAIT_COND] = "cond", [UNI_WAIT_SEM] = "semaphore",
		[UNI_WAIT_JOIN] = "join", [UNI_WAIT_SLEEP] = "sleep",
		[UNI_WAIT_PORT] = "port",
	};

	return NAME_OF(names, kind);
}

const char *uni_model_clock_name(uint32_t method)
{
	static const char *const names[] = {
		[UNI_CLOCK_UNKNOWN] = "unknown",
		[UNI_CLOCK_CPUID] = "CPUID",
		[UNI_CLOCK_KVMCLOCK] = "kvmclock",
		[UNI_CLOCK_PIT] = "PIT",
	};

	return NAME_OF(names, method);
}

const char *uni_model_wait_text(const struct uni_model *model,
				const struct uni_model_thread *thread, char *out, size_t size)
{
	const struct uni_thread_record *record = &thread->record;
	char holder[UNI_MODEL_NAME_SIZE + 32] = "";
	char waited[UNI_QUANTITY_SIZE + 2] = "";
	uint64_t waiting_ns = uni_model_waiting_ns(model, thread);

	if (record->wait_kind == UNI_WAIT_NONE || (record->flags & UNI_THREAD_IDLE)) {
		snprintf(out, size, "%s", "");
		return out;
	}
	if (record->wait_owner != 0) {
		const struct uni_model_thread *owner = uni_model_thread(model, record->wait_owner);
		/* A join waits for the end of a thread, everything else for what it holds. */
		const char *how = record->wait_kind == UNI_WAIT_JOIN ? " of" : ", held by";

		if (owner)
			snprintf(holder, sizeof(holder), "%s %s", how, owner->name);
		else
			snprintf(holder, sizeof(holder), "%s thread %u", how, record->wait_owner);
	}
	if (waiting_ns > 0) {
		waited[0] = ' ';
		uni_quantity_duration(waited + 1, sizeof(waited) - 1, waiting_ns);
	}
	snprintf(out, size, "%s%s%s%s%s", uni_model_wait_kind_name(record->wait_kind),
		 thread->wait_name[0] ? " " : "", thread->wait_name, holder, waited);
	return out;
}
