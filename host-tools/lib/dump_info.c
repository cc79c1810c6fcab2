// SPDX-License-Identifier: MIT
/* info.json: json-c reads and writes it. Numbers of 64 bits that are no sizes or times are written
 * as "0x..." because readers in other languages keep numbers as doubles. */
#include "host-tools/lib/dump_store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/sanitize.h"

#define INFO_FILE_MAX (256u << 10)

static void put_text(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

static void put_u64(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

static struct json_object *new_address(uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_object_new_string(text);
}

static void put_address(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, new_address(value));
}

static void put_panic(struct json_object *object, const struct uni_dump_info *info)
{
	struct json_object *panic = json_object_new_object();
	struct json_object *frames = json_object_new_array();

	put_u64(panic, "kind", info->kind);
	put_text(panic, "kind_name", uni_dump_kind_name(info->kind));
	put_u64(panic, "cpu", info->cpu);
	put_u64(panic, "thread", info->thread);
	if (info->vector != UNI_PANIC_NO_VECTOR)
		put_u64(panic, "vector", info->vector);
	put_address(panic, "error_code", info->error_code);
	put_address(panic, "address", info->address);
	put_address(panic, "pc", info->pc);
	put_address(panic, "sp", info->sp);
	put_u64(panic, "uptime_ns", info->uptime_ns);
	for (uint32_t i = 0; i < info->frame_count; i++)
		json_object_array_add(frames, new_address(info->frames[i]));
	json_object_object_add(panic, "frames", frames);
	json_object_object_add(object, "panic", panic);
}

char *uni_dump_info_encode(const struct uni_dump_info *info)
{
	struct json_object *object = json_object_new_object();
	const char *text;
	char *copy = NULL;

	put_u64(object, "id", info->id);
	put_text(object, "guest", info->guest);
	put_text(object, "image", info->image);
	put_text(object, "boot_id", info->boot_id);
	put_text(object, "build_id", info->build_id);
	put_text(object, "source", info->source == UNI_DUMP_FROM_HOST ? "host" : "guest");
	put_u64(object, "memory_size", info->memory_size);
	put_u64(object, "started_unix_ns", info->started_unix_ns);
	put_u64(object, "died_unix_ns", info->died_unix_ns);
	put_text(object, "cause", info->cause);
	if (info->has_panic)
		put_panic(object, info);
	json_object_object_add(object, "complete", json_object_new_boolean(info->complete));
	put_text(object, "why", info->why);
	put_u64(object, "core_size", info->core_size);
	put_u64(object, "data_size", info->data_size);
	put_u64(object, "disk_size", info->disk_size);

	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
							      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text && asprintf(&copy, "%s\n", text) < 0)
		copy = NULL;
	json_object_put(object);
	return copy;
}

/* Values of a wrong type read as empty or 0: the file is ours, but anybody may have edited it. */

static void get_text(struct json_object *object, const char *key, char *out, size_t size)
{
	struct json_object *value;

	out[0] = '\0';
	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return;
	uni_sanitize(out, size, json_object_get_string(value),
		     (size_t)json_object_get_string_len(value));
}

static uint64_t get_u64(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_int))
		return 0;
	return json_object_get_uint64(value);
}

static uint64_t address_of(struct json_object *value)
{
	if (!json_object_is_type(value, json_type_string))
		return 0;
	return strtoull(json_object_get_string(value), NULL, 16);
}

static uint64_t get_address(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? address_of(value) : 0;
}

static void get_panic(struct json_object *panic, struct uni_dump_info *out)
{
	struct json_object *value;
	size_t count;

	out->has_panic = true;
	out->kind = (uint32_t)get_u64(panic, "kind");
	out->cpu = (uint32_t)get_u64(panic, "cpu");
	out->thread = (uint32_t)get_u64(panic, "thread");
	out->vector = UNI_PANIC_NO_VECTOR;
	if (json_object_object_get_ex(panic, "vector", &value))
		out->vector = (uint32_t)get_u64(panic, "vector");
	out->error_code = get_address(panic, "error_code");
	out->address = get_address(panic, "address");
	out->pc = get_address(panic, "pc");
	out->sp = get_address(panic, "sp");
	out->uptime_ns = get_u64(panic, "uptime_ns");
	if (!json_object_object_get_ex(panic, "frames", &value) ||
	    !json_object_is_type(value, json_type_array))
		return;
	count = json_object_array_length(value);
	for (size_t i = 0; i < count && i < UNI_DUMP_FRAMES_MAX; i++)
		out->frames[out->frame_count++] = address_of(json_object_array_get_idx(value, i));
}

static void info_of_json(struct json_object *object, uint64_t id, struct uni_dump_info *out)
{
	struct json_object *value;
	char source[16];

	*out = (struct uni_dump_info){.id = id, .vector = UNI_PANIC_NO_VECTOR};
	get_text(object, "guest", out->guest, sizeof(out->guest));
	get_text(object, "image", out->image, sizeof(out->image));
	get_text(object, "boot_id", out->boot_id, sizeof(out->boot_id));
	get_text(object, "build_id", out->build_id, sizeof(out->build_id));
	get_text(object, "source", source, sizeof(source));
	out->source = strcmp(source, "host") ? UNI_DUMP_FROM_GUEST : UNI_DUMP_FROM_HOST;
	out->memory_size = get_u64(object, "memory_size");
	out->started_unix_ns = get_u64(object, "started_unix_ns");
	out->died_unix_ns = get_u64(object, "died_unix_ns");
	get_text(object, "cause", out->cause, sizeof(out->cause));
	if (json_object_object_get_ex(object, "panic", &value) &&
	    json_object_is_type(value, json_type_object))
		get_panic(value, out);
	if (json_object_object_get_ex(object, "complete", &value))
		out->complete = json_object_get_boolean(value);
	get_text(object, "why", out->why, sizeof(out->why));
	out->core_size = get_u64(object, "core_size");
	out->data_size = get_u64(object, "data_size");
	out->disk_size = get_u64(object, "disk_size");
}

int uni_dump_info_read(int folder, uint64_t id, struct uni_dump_info *out)
{
	uni_cleanup_fd int fd =
		openat(folder, UNI_DUMP_INFO_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	uni_cleanup_free char *text = malloc(INFO_FILE_MAX + 1);
	struct json_object *object;
	ssize_t len;
	bool ours;

	if (fd < 0)
		return -errno;
	len = text ? pread(fd, text, INFO_FILE_MAX + 1, 0) : -1;
	if (len < 0 || len > (ssize_t)INFO_FILE_MAX)
		return -EINVAL;
	text[len] = '\0';
	object = json_tokener_parse(text);
	ours = json_object_is_type(object, json_type_object);
	if (ours)
		info_of_json(object, id, out);
	json_object_put(object);
	return ours ? 0 : -EINVAL;
}
