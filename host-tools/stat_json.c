/* SPDX-License-Identifier: MIT */
/* Fields are documented in uniscope-stat(1). Names stay; what is not known is null. */
#include <json-c/json.h>
#include <stdio.h>
#include <time.h>

#include "host-tools/stat_output.h"
#include "tracing/errno.h"

#define SCHEMA 1

static void add(struct json_object *object, const char *key, struct json_object *value)
{
	json_object_object_add(object, key, value);
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	add(object, key, json_object_new_string(text));
}

static void add_number(struct json_object *object, const char *key, uint64_t number)
{
	add(object, key, json_object_new_uint64(number));
}

/* Six digits say all that a difference of two looks can tell. */
static void add_rate(struct json_object *object, const char *key, const struct uni_rate *rate,
		     double scale)
{
	char text[64];

	if (!rate->known) {
		add(object, key, NULL);
		return;
	}
	snprintf(text, sizeof(text), "%.6g", rate->per_s * scale);
	add(object, key, json_object_new_double_s(rate->per_s * scale, text));
}

static struct json_object *hello_object(const struct uni_model_hello *hello)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "application", hello->application);
	add_text(object, "kernel", hello->kernel);
	add_text(object, "arguments", hello->cmdline);
	add_text(object, "build_id", hello->build_id);
	add_text(object, "boot_id", hello->boot_id);
	add_number(object, "cpu_count", hello->cpu_count);
	add_number(object, "memory_size", hello->memory_size);
	add_number(object, "tsc_hz", hello->tsc_hz);
	add_text(object, "clock", uni_model_clock_name(hello->clock_method));
	add_number(object, "interval_ms", hello->interval_ms);
	return object;
}

static struct json_object *cpu_object(const struct uni_model_cpu *cpu)
{
	struct json_object *object = json_object_new_object();

	add_number(object, "cpu", cpu->record.cpu);
	add_rate(object, "busy", &cpu->busy, 1e-9);
	add_rate(object, "irq", &cpu->irq, 1e-9);
	add_rate(object, "idle", &cpu->idle, 1e-9);
	add_rate(object, "switches_per_s", &cpu->switches, 1);
	add_rate(object, "interrupts_per_s", &cpu->interrupts, 1);
	add_number(object, "nmis", cpu->record.nmis);
	add_number(object, "ready", cpu->record.ready);
	return object;
}

static struct json_object *wait_object(const struct uni_model *model,
				       const struct uni_model_thread *thread)
{
	const struct uni_model_thread *owner = uni_model_thread(model, thread->record.wait_owner);
	struct json_object *object;

	if (thread->record.wait_kind == UNI_WAIT_NONE)
		return NULL;
	object = json_object_new_object();
	add_text(object, "kind", uni_model_wait_kind_name(thread->record.wait_kind));
	add_text(object, "name", thread->wait_name);
	add(object, "owner",
	    thread->record.wait_owner ? json_object_new_uint64(thread->record.wait_owner) : NULL);
	add(object, "owner_name", owner ? json_object_new_string(owner->name) : NULL);
	add_number(object, "waiting_ns", uni_model_waiting_ns(model, thread));
	return object;
}

static struct json_object *thread_object(const struct uni_model *model,
					 const struct uni_model_thread *thread)
{
	const struct uni_thread_record *record = &thread->record;
	struct json_object *object = json_object_new_object();

	add_number(object, "id", record->id);
	add_text(object, "name", thread->name);
	add_text(object, "state", uni_model_thread_state_name(thread));
	add_number(object, "priority", record->priority);
	add_number(object, "cpu", record->cpu);
	add(object, "pinned", json_object_new_boolean(record->flags & UNI_THREAD_PINNED));
	add_number(object, "run_ns", record->run_ns);
	add_rate(object, "run", &thread->run, 1e-9);
	add_number(object, "switches", record->switches);
	add_rate(object, "switches_per_s", &thread->switches, 1);
	add_number(object, "stack_size", record->stack_size);
	add_number(object, "stack_used", record->stack_used);
	add(object, "wait", wait_object(model, thread));
	return object;
}

static struct json_object *metric_object(const struct uni_model_metric *metric)
{
	static const char *const units[] = {
		[UNI_UNIT_NONE] = "none",
		[UNI_UNIT_BYTES] = "bytes",
		[UNI_UNIT_NS] = "ns",
		[UNI_UNIT_PERMILLE] = "permille",
	};
	struct json_object *object = json_object_new_object();

	add_text(object, "name", metric->name);
	add_text(object, "kind", metric->kind == UNI_METRIC_COUNTER ? "counter" : "gauge");
	add_text(object, "unit", metric->unit <= UNI_UNIT_PERMILLE ? units[metric->unit] : "none");
	add(object, "value", metric->has_value ? json_object_new_uint64(metric->value) : NULL);
	add_rate(object, "per_s", &metric->rate, 1);
	return object;
}

static struct json_object *losses_object(const struct uni_model_losses *losses)
{
	struct json_object *object = json_object_new_object();

	add_number(object, "log_lines", losses->log_lines);
	add_number(object, "trace_events_emitted", losses->trace_emitted);
	add_number(object, "trace_events_discarded", losses->trace_discarded);
	add_number(object, "client_frames", losses->client_frames);
	add_number(object, "client_bytes", losses->client_bytes);
	add_number(object, "malformed_frames", losses->malformed_frames);
	return object;
}

static struct json_object *guest_object(const struct uni_guest_info *guest,
					const struct uni_model *model)
{
	struct json_object *object = json_object_new_object();
	struct json_object *cpus = json_object_new_array();
	struct json_object *threads = json_object_new_array();
	struct json_object *metrics = json_object_new_array();
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	for (size_t i = 0; i < model->cpu_count; i++)
		json_object_array_add(cpus, cpu_object(&model->cpus[i]));
	for (size_t i = 0; i < model->thread_count; i++)
		json_object_array_add(threads, thread_object(model, &model->threads[i]));
	for (size_t i = 0; i < model->metric_count; i++)
		json_object_array_add(metrics, metric_object(&model->metrics[i]));
	add_number(object, "schema", SCHEMA);
	add_text(object, "guest", guest->name);
	add_number(object, "unix_ns", (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
	add(object, "state",
	    model->has_state ? json_object_new_string(uni_model_run_state_name(model->state.state))
			     : NULL);
	add_number(object, "uptime_ns", model->time_ns);
	add_text(object, "machine", guest->machine);
	add_text(object, "accel", guest->accel);
	add(object, "hello", model->has_hello ? hello_object(&model->hello) : NULL);
	add(object, "died_of",
	    model->has_panic ? json_object_new_string(model->panic.reason) : NULL);
	add_rate(object, "starved", &model->starved, 1e-9);
	add(object, "cpus", cpus);
	add(object, "threads", threads);
	add_number(object, "thread_total", model->thread_total);
	add(object, "metrics", metrics);
	add(object, "lost", losses_object(&model->losses));
	return object;
}

int stat_print_json(const struct uni_guest_info *guest, const struct uni_model *model,
		    struct uni_error *error)
{
	struct json_object *object = guest_object(guest, model);
	const char *text = json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (text)
		puts(text);
	json_object_put(object);
	return text ? 0 : uni_error_set(error, -UNI_ENOMEM, "cannot print JSON: out of memory");
}
