/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/stat.h>

#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/sanitize.h"
#include "host-tools/lib/trace_info.h"
#include "tracing/errno.h"

#define FILE_SIZE_MAX (16 << 20)

static void put_object(struct json_object **object)
{
	json_object_put(*object);
}

#define cleanup_json uni_cleanup(put_object)

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

static void add_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_uint64(number));
}

static void add_counts(struct json_object *object, const struct uni_trace_cpu *cpu)
{
	add_number(object, "emitted", cpu->emitted);
	add_number(object, "recorded", cpu->recorded);
	add_number(object, "lost", uni_trace_cpu_lost(cpu));
	add_number(object, "discarded", cpu->discarded);
	add_number(object, "overwritten", cpu->overwritten);
	add_number(object, "packets", cpu->packets);
	add_number(object, "bytes", cpu->bytes);
}

static struct json_object *encode_cpus(const struct uni_trace_info *info)
{
	struct json_object *list = json_object_new_array();

	for (uint32_t i = 0; i < info->cpu_count; i++) {
		struct json_object *cpu = json_object_new_object();

		add_number(cpu, "cpu", i);
		add_counts(cpu, &info->cpus[i]);
		json_object_array_add(list, cpu);
	}
	return list;
}

static struct json_object *encode_threads(const struct uni_trace_info *info)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < info->thread_count; i++) {
		struct json_object *thread = json_object_new_object();

		add_number(thread, "id", info->threads[i].id);
		add_text(thread, "name", info->threads[i].name);
		json_object_array_add(list, thread);
	}
	return list;
}

static struct json_object *encode_points(const struct uni_trace_info *info)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < info->points.count; i++) {
		struct json_object *point = json_object_new_object();

		add_number(point, "id", info->points.list[i].id);
		add_text(point, "name", info->points.list[i].name);
		add_text(point, "fields", info->points.list[i].fields);
		json_object_array_add(list, point);
	}
	return list;
}

static struct json_object *encode(const struct uni_trace_info *info)
{
	struct json_object *object = json_object_new_object();
	struct json_object *clock = json_object_new_object();
	struct uni_trace_cpu total = uni_trace_info_total(info);

	add_number(object, "version", 1);
	add_text(object, "guest", info->guest);
	add_text(object, "image", info->image);
	add_text(object, "boot_id", info->boot_id);
	add_text(object, "build_id", info->build_id);
	add_text(object, "application", info->application);
	add_text(object, "kernel", info->kernel);
	add_number(clock, "tsc_hz", info->tsc_hz);
	add_number(clock, "tsc", info->tsc);
	add_number(clock, "time_ns", info->time_ns);
	add_number(clock, "unix_ns", info->unix_ns);
	json_object_object_add(object, "clock", clock);
	add_number(object, "duration_ns", info->duration_ns);
	json_object_object_add(object, "complete", json_object_new_boolean(info->complete));
	add_counts(object, &total);
	json_object_object_add(object, "cpus", encode_cpus(info));
	json_object_object_add(object, "threads", encode_threads(info));
	json_object_object_add(object, "tracepoints", encode_points(info));
	return object;
}

int uni_trace_info_write(const struct uni_trace_info *info, int folder_fd, struct uni_error *error)
{
	cleanup_json struct json_object *object = encode(info);
	const char *text = json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	uni_cleanup_fd int fd = openat(folder_fd, UNI_TRACE_INFO_FILE,
				       O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	uni_cleanup_file FILE *file = NULL;

	if (!text)
		return uni_error_system(error, ENOMEM, "cannot write " UNI_TRACE_INFO_FILE);
	if (fd < 0 || !(file = fdopen(fd, "w")))
		return uni_error_system(error, errno, "cannot write " UNI_TRACE_INFO_FILE);
	fd = -1;
	if (fputs(text, file) < 0 || fputc('\n', file) == EOF || fflush(file) != 0)
		return uni_error_system(error, errno, "cannot write " UNI_TRACE_INFO_FILE);
	return 0;
}

static struct json_object *get(struct json_object *object, const char *key, json_type type)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, type))
		return NULL;
	return value;
}

static void get_text(struct json_object *object, const char *key, char *out, size_t size)
{
	struct json_object *value = get(object, key, json_type_string);

	if (value)
		uni_sanitize(out, size, json_object_get_string(value),
			     (size_t)json_object_get_string_len(value));
}

static uint64_t get_number(struct json_object *object, const char *key)
{
	struct json_object *value = get(object, key, json_type_int);

	return value ? json_object_get_uint64(value) : 0;
}

static int decode_cpus(struct uni_trace_info *info, struct json_object *list)
{
	size_t count = list ? json_object_array_length(list) : 0;

	if (count > UNI_TRACE_CPUS_MAX)
		return -UNI_EINVAL;
	for (size_t i = 0; i < count; i++) {
		struct json_object *cpu = json_object_array_get_idx(list, i);

		if (get_number(cpu, "cpu") != i)
			return -UNI_EINVAL;
		info->cpus[i] = (struct uni_trace_cpu){
			.emitted = get_number(cpu, "emitted"),
			.discarded = get_number(cpu, "discarded"),
			.overwritten = get_number(cpu, "overwritten"),
			.recorded = get_number(cpu, "recorded"),
			.packets = get_number(cpu, "packets"),
			.bytes = get_number(cpu, "bytes"),
		};
	}
	info->cpu_count = (uint32_t)count;
	return 0;
}

static int decode_threads(struct uni_trace_info *info, struct json_object *list)
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *thread = json_object_array_get_idx(list, i);
		struct json_object *name = get(thread, "name", json_type_string);
		int result;

		if (!name)
			return -UNI_EINVAL;
		result = uni_trace_info_name_thread(info, (uint32_t)get_number(thread, "id"),
						    json_object_get_string(name),
						    (size_t)json_object_get_string_len(name));
		if (result < 0)
			return result;
	}
	return 0;
}

static int decode_points(struct uni_trace_info *info, struct json_object *list)
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *point = json_object_array_get_idx(list, i);
		struct json_object *name = get(point, "name", json_type_string);
		struct json_object *fields = get(point, "fields", json_type_string);
		int result;

		if (!name || !fields || get_number(point, "id") != i)
			return -UNI_EINVAL;
		result = uni_trace_points_add(&info->points, json_object_get_string(name),
					      json_object_get_string(fields));
		if (result < 0)
			return result;
	}
	return 0;
}

static int decode(struct uni_trace_info *info, struct json_object *object)
{
	struct json_object *clock = get(object, "clock", json_type_object);
	struct json_object *complete = get(object, "complete", json_type_boolean);
	int result;

	if (get_number(object, "version") != 1 || !clock || !complete)
		return -UNI_EINVAL;
	get_text(object, "guest", info->guest, sizeof(info->guest));
	get_text(object, "image", info->image, sizeof(info->image));
	get_text(object, "boot_id", info->boot_id, sizeof(info->boot_id));
	get_text(object, "build_id", info->build_id, sizeof(info->build_id));
	get_text(object, "application", info->application, sizeof(info->application));
	get_text(object, "kernel", info->kernel, sizeof(info->kernel));
	info->tsc_hz = get_number(clock, "tsc_hz");
	info->tsc = get_number(clock, "tsc");
	info->time_ns = get_number(clock, "time_ns");
	info->unix_ns = get_number(clock, "unix_ns");
	info->duration_ns = get_number(object, "duration_ns");
	info->complete = json_object_get_boolean(complete);
	if (info->tsc_hz == 0)
		return -UNI_EINVAL;
	result = decode_cpus(info, get(object, "cpus", json_type_array));
	if (result == 0)
		result = decode_threads(info, get(object, "threads", json_type_array));
	if (result == 0)
		result = decode_points(info, get(object, "tracepoints", json_type_array));
	return result;
}

int uni_trace_info_read(struct uni_trace_info *info, int folder_fd, const char *folder,
			struct uni_error *error)
{
	uni_cleanup_fd int fd = openat(folder_fd, UNI_TRACE_INFO_FILE, O_RDONLY | O_CLOEXEC);
	cleanup_json struct json_object *object = NULL;
	struct stat status;
	int result;

	memset(info, 0, sizeof(*info));
	if (fd < 0 || fstat(fd, &status) < 0)
		return errno == ENOENT
			       ? uni_error_set(error, -UNI_ENOENT,
					       "%s is not a recording (no " UNI_TRACE_INFO_FILE ")",
					       folder)
			       : uni_error_system(error, errno, "cannot read %s", folder);
	if (!S_ISREG(status.st_mode) || status.st_size > FILE_SIZE_MAX)
		return uni_error_set(error, -UNI_EINVAL, "cannot read %s/%s: not a file of ours",
				     folder, UNI_TRACE_INFO_FILE);
	object = json_object_from_fd(fd);
	result = json_object_is_type(object, json_type_object) ? decode(info, object) : -UNI_EINVAL;
	if (result < 0)
		return uni_error_set(error, result, "cannot read %s/%s: it is malformed", folder,
				     UNI_TRACE_INFO_FILE);
	return 0;
}
