/* SPDX-License-Identifier: MIT */
/* Fields are documented in uniscope-dumps(1). */
#include "host-tools/dumps_output.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "host-tools/lib/cleanup.h"
#include "tracing/errno.h"

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text ? json_object_new_string(text) : NULL);
}

static void add_number(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

static void add_address(struct json_object *object, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	add_text(object, key, text);
}

static void add_facts(struct json_object *object, const struct uni_dump_info *info,
		      const struct uni_crash_cause *cause)
{
	add_number(object, "id", info->id);
	add_text(object, "guest", info->guest);
	add_text(object, "cause", cause->headline);
	add_text(object, "kind", info->has_panic ? uni_dump_kind_name(info->kind) : "silent");
	add_text(object, "signature", cause->signature);
	add_number(object, "died_unix_ns", info->died_unix_ns);
	add_number(object, "uptime_ns", info->uptime_ns);
	add_text(object, "boot_id", info->boot_id);
	add_text(object, "build_id", info->build_id);
	add_text(object, "image", info->image);
	json_object_object_add(object, "complete", json_object_new_boolean(info->complete));
	json_object_object_add(object, "coming", json_object_new_boolean(info->is_coming));
	add_text(object, "why_incomplete", info->complete ? NULL : info->why);
	add_number(object, "disk_size", info->disk_size);
}

static int print(struct json_object *object, struct uni_error *error)
{
	const char *text = json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (text)
		puts(text);
	json_object_put(object);
	return text ? 0 : uni_error_set(error, -UNI_ENOMEM, "cannot print JSON: out of memory");
}

int dumps_list_json(const struct dump_row *rows, size_t count, struct uni_error *error)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < count; i++) {
		struct json_object *object = json_object_new_object();

		add_facts(object, &rows[i].info, &rows[i].cause);
		add_number(object, "seen", rows[i].seen);
		json_object_array_add(list, object);
	}
	return print(list, error);
}

static struct json_object *frames_of(const struct uni_report_thread *thread)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < thread->frame_count; i++) {
		const struct uni_report_frame *frame = &thread->frames[i];
		struct json_object *object = json_object_new_object();

		add_address(object, "pc", frame->pc);
		add_text(object, "function", frame->symbol.function);
		add_text(object, "file", frame->symbol.file);
		add_number(object, "line", frame->symbol.line);
		json_object_object_add(object, "inlined",
				       json_object_new_boolean(frame->symbol.inlined));
		json_object_array_add(list, object);
	}
	return list;
}

static struct json_object *thread_of(const struct uni_dump_report *report, size_t index)
{
	const struct uni_report_thread *thread = &report->threads[index];
	struct json_object *object = json_object_new_object();

	add_number(object, "id", thread->id);
	add_text(object, "name", thread->model ? thread->model->name : NULL);
	add_text(object, "state",
		 thread->model ? uni_model_thread_state_name(thread->model) : NULL);
	json_object_object_add(object, "crashed", json_object_new_boolean(index == 0));
	json_object_object_add(object, "frames", frames_of(thread));
	json_object_object_add(object, "frames_cut", json_object_new_boolean(thread->is_cut));
	return object;
}

static struct json_object *log_of(const struct uni_model *model)
{
	struct json_object *list = json_object_new_array();

	for (size_t age = UNI_MODEL_LOG_LINES; age-- > 0;) {
		const struct uni_model_log_line *line = uni_model_log_line(model, age);
		struct json_object *object;

		if (!line)
			continue;
		object = json_object_new_object();
		add_number(object, "time_ns", line->time_ns);
		add_number(object, "thread", line->thread);
		add_text(object, "text", line->text);
		json_object_array_add(list, object);
	}
	return list;
}

int dumps_info_json(const struct uni_dump_report *report, struct uni_error *error)
{
	struct json_object *object = json_object_new_object();
	struct json_object *threads = json_object_new_array();

	add_facts(object, &report->info, &report->cause);
	add_text(object, "sentence", report->cause.sentence);
	if (report->info.has_panic) {
		add_number(object, "cpu", report->info.cpu);
		add_address(object, "pc", report->info.pc);
		add_address(object, "address", report->info.address);
	}
	for (size_t i = 0; i < report->thread_count; i++)
		json_object_array_add(threads, thread_of(report, i));
	json_object_object_add(object, "threads", threads);
	json_object_object_add(object, "log", log_of(&report->model));
	add_text(object, "core", report->core_path);
	add_text(object, "remark", report->remark[0] ? report->remark : NULL);
	return print(object, error);
}
