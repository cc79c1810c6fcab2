/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/guest_model_internal.h"
#include "tracing/errno.h"

/* The head of a table whose records all lie in the payload; `count` is cut at max. */
static int read_table(struct uni_cursor *payload, size_t record_size, uint32_t max,
		      struct uni_table *table)
{
	uni_cursor_struct(payload, sizeof(*table), table, sizeof(*table));
	if (uni_cursor_failed(payload) || table->record_size < record_size ||
	    payload->left / table->record_size < table->count)
		return -UNI_EINVAL;
	if (table->total < table->count)
		table->total = table->count;
	if (table->count > max)
		table->count = max;
	return 0;
}

static void set_time(struct uni_model *model, const struct uni_table *table)
{
	model->time_ns = table->time_ns;
}

static const struct uni_model_cpu *find_cpu(const struct uni_model *model, size_t hint,
					    uint32_t cpu)
{
	if (hint < model->cpu_count && model->cpus[hint].record.cpu == cpu)
		return &model->cpus[hint];
	for (size_t i = 0; i < model->cpu_count; i++)
		if (model->cpus[i].record.cpu == cpu)
			return &model->cpus[i];
	return NULL;
}

int model_apply_cpus(struct uni_model *model, struct uni_cursor *payload)
{
	uni_cleanup_free struct uni_model_cpu *cpus = NULL;
	struct uni_table table;

	if (read_table(payload, sizeof(struct uni_cpu_record), UNI_MODEL_CPUS_MAX, &table) < 0)
		return -UNI_EINVAL;
	cpus = calloc(table.count ? table.count : 1, sizeof(*cpus));
	if (!cpus)
		return -UNI_ENOMEM;
	for (uint32_t i = 0; i < table.count; i++) {
		struct uni_model_cpu *cpu = &cpus[i];
		const struct uni_model_cpu *old;
		struct uni_cpu_record record;

		uni_cursor_struct(payload, table.record_size, &record, sizeof(record));
		old = find_cpu(model, i, record.cpu);
		if (old)
			*cpu = *old;
		cpu->record = record;
		uni_rate_update(&cpu->busy, record.busy_ns, table.time_ns, model->rate_min_ns);
		uni_rate_update(&cpu->irq, record.irq_ns, table.time_ns, model->rate_min_ns);
		uni_rate_update(&cpu->idle, record.idle_ns, table.time_ns, model->rate_min_ns);
		uni_rate_update(&cpu->switches, record.switches, table.time_ns, model->rate_min_ns);
		uni_rate_update(&cpu->interrupts, record.interrupts, table.time_ns,
				model->rate_min_ns);
	}
	free(model->cpus);
	model->cpus = uni_take(&cpus);
	model->cpu_count = table.count;
	model->cpu_total = table.total;
	set_time(model, &table);
	return 0;
}

static int compare_threads(const void *left, const void *right)
{
	const struct uni_model_thread *a = left;
	const struct uni_model_thread *b = right;

	return (a->record.id > b->record.id) - (a->record.id < b->record.id);
}

/* Keeps the first thread of each id of a sorted table; returns how many that are. */
static size_t drop_duplicates(struct uni_model_thread *threads, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && threads[kept - 1].record.id == threads[i].record.id)
			continue;
		if (kept != i)
			threads[kept] = threads[i];
		kept++;
	}
	return kept;
}

static struct uni_model_thread *find_thread(struct uni_model_thread *threads, size_t count,
					    uint32_t id)
{
	struct uni_model_thread key = {.record.id = id};

	return count ? bsearch(&key, threads, count, sizeof(key), compare_threads) : NULL;
}

const struct uni_model_thread *uni_model_thread(const struct uni_model *model, uint32_t id)
{
	return find_thread(model->threads, model->thread_count, id);
}

static void update_thread(const struct uni_model *model, struct uni_model_thread *thread,
			  uint64_t time_ns)
{
	const struct uni_thread_record *record = &thread->record;
	const struct uni_model_thread *old =
		find_thread(model->threads_before, model->thread_before_count, record->id);

	uni_sanitize(thread->name, sizeof(thread->name), record->name,
		     strnlen(record->name, sizeof(record->name)));
	uni_sanitize(thread->wait_name, sizeof(thread->wait_name), record->wait_name,
		     strnlen(record->wait_name, sizeof(record->wait_name)));
	if (old) {
		thread->run = old->run;
		thread->switches = old->switches;
	}
	uni_rate_update(&thread->run, record->run_ns, time_ns, model->rate_min_ns);
	uni_rate_update(&thread->switches, record->switches, time_ns, model->rate_min_ns);
}

static void begin_threads(struct uni_model *model, const struct uni_table *table)
{
	free(model->threads_before);
	model->threads_before = model->threads;
	model->thread_before_count = model->thread_count;
	model->threads = NULL;
	model->thread_count = 0;
	model->threads_tsc = table->tsc;
	model->threads_time_ns = table->time_ns;
	model->snapshots++;
}

/* A large table comes in several frames: they carry the same TSC, and ids only rise. */
static bool continues(const struct uni_model *model, const struct uni_table *table,
		      const struct uni_model_thread *first)
{
	return model->thread_count > 0 && table->tsc == model->threads_tsc &&
	       first->record.id > model->threads[model->thread_count - 1].record.id;
}

static int append_threads(struct uni_model *model, const struct uni_model_thread *threads,
			  size_t count)
{
	struct uni_model_thread *grown;

	if (count > UNI_MODEL_THREADS_MAX - model->thread_count)
		count = UNI_MODEL_THREADS_MAX - model->thread_count;
	if (count == 0)
		return 0;
	grown = realloc(model->threads, (model->thread_count + count) * sizeof(*grown));
	if (!grown)
		return -UNI_ENOMEM;
	memcpy(grown + model->thread_count, threads, count * sizeof(*grown));
	model->threads = grown;
	model->thread_count += count;
	return 0;
}

int model_apply_threads(struct uni_model *model, struct uni_cursor *payload)
{
	uni_cleanup_free struct uni_model_thread *threads = NULL;
	struct uni_table table;
	size_t count;

	if (read_table(payload, sizeof(struct uni_thread_record), UNI_MODEL_THREADS_MAX, &table) <
	    0)
		return -UNI_EINVAL;
	threads = calloc(table.count ? table.count : 1, sizeof(*threads));
	if (!threads)
		return -UNI_ENOMEM;
	for (uint32_t i = 0; i < table.count; i++)
		uni_cursor_struct(payload, table.record_size, &threads[i].record,
				  sizeof(threads[i].record));
	qsort(threads, table.count, sizeof(*threads), compare_threads);
	count = drop_duplicates(threads, table.count);
	if (count == 0 || !continues(model, &table, threads))
		begin_threads(model, &table);
	for (size_t i = 0; i < count; i++)
		update_thread(model, &threads[i], table.time_ns);
	model->thread_total = table.total;
	set_time(model, &table);
	return append_threads(model, threads, count);
}

static struct uni_model_metric *find_metric(const struct uni_model *model, size_t hint, uint32_t id)
{
	if (hint < model->metric_count && model->metrics[hint].id == id)
		return &model->metrics[hint];
	for (size_t i = 0; i < model->metric_count; i++)
		if (model->metrics[i].id == id)
			return &model->metrics[i];
	return NULL;
}

int model_apply_metric_table(struct uni_model *model, struct uni_cursor *payload)
{
	uni_cleanup_free struct uni_model_metric *metrics = NULL;
	struct uni_table table;

	if (read_table(payload, sizeof(struct uni_metric_desc), UNI_MODEL_METRICS_MAX, &table) < 0)
		return -UNI_EINVAL;
	metrics = calloc(table.count ? table.count : 1, sizeof(*metrics));
	if (!metrics)
		return -UNI_ENOMEM;
	for (uint32_t i = 0; i < table.count; i++) {
		struct uni_model_metric *metric = &metrics[i];
		const struct uni_model_metric *old;
		struct uni_metric_desc desc;

		uni_cursor_struct(payload, table.record_size, &desc, sizeof(desc));
		old = find_metric(model, i, desc.id);
		if (old)
			*metric = *old;
		metric->id = desc.id;
		metric->kind = desc.kind;
		metric->unit = desc.unit;
		uni_sanitize(metric->name, sizeof(metric->name), desc.name,
			     strnlen(desc.name, sizeof(desc.name)));
	}
	free(model->metrics);
	model->metrics = uni_take(&metrics);
	model->metric_count = table.count;
	model->metric_total = table.total;
	return 0;
}

int model_apply_metrics(struct uni_model *model, struct uni_cursor *payload)
{
	struct uni_table table;

	if (read_table(payload, sizeof(struct uni_metric_value), UNI_MODEL_METRICS_MAX, &table) < 0)
		return -UNI_EINVAL;
	for (uint32_t i = 0; i < table.count; i++) {
		struct uni_metric_value value;
		struct uni_model_metric *metric;

		uni_cursor_struct(payload, table.record_size, &value, sizeof(value));
		metric = find_metric(model, i, value.id);
		if (!metric)
			continue;
		metric->value = value.value;
		metric->has_value = true;
		if (metric->kind == UNI_METRIC_COUNTER)
			uni_rate_update(&metric->rate, value.value, table.time_ns,
					model->rate_min_ns);
	}
	set_time(model, &table);
	return 0;
}

const struct uni_model_metric *uni_model_metric(const struct uni_model *model, const char *name)
{
	for (size_t i = 0; i < model->metric_count; i++)
		if (strcmp(model->metrics[i].name, name) == 0)
			return &model->metrics[i];
	return NULL;
}

int model_apply_trace_stats(struct uni_model *model, struct uni_cursor *payload)
{
	uint64_t emitted = 0, discarded = 0, overwritten = 0;
	struct uni_table table;

	if (read_table(payload, sizeof(struct uni_trace_stats_record), UNI_MODEL_CPUS_MAX, &table) <
	    0)
		return -UNI_EINVAL;
	for (uint32_t i = 0; i < table.count; i++) {
		struct uni_trace_stats_record record;

		uni_cursor_struct(payload, table.record_size, &record, sizeof(record));
		emitted += record.emitted;
		discarded += record.discarded;
		overwritten += record.overwritten;
	}
	model->losses.trace_emitted = emitted;
	model->losses.trace_discarded = discarded;
	model->losses.trace_overwritten = overwritten;
	return 0;
}
