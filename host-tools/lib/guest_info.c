/* SPDX-License-Identifier: MIT */
/* guest.json of the runtime folder. */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/registry_internal.h"
#include "tracing/errno.h"

#define FILE_MAX_SIZE (64 * 1024)

static void put_object(struct json_object **object)
{
	json_object_put(*object);
}

#define cleanup_json uni_cleanup(put_object)

static void get_text(struct json_object *object, const char *key, char *out, size_t size)
{
	struct json_object *value;

	if (json_object_object_get_ex(object, key, &value) &&
	    json_object_is_type(value, json_type_string))
		snprintf(out, size, "%s", json_object_get_string(value));
}

static uint64_t get_number(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_int))
		return 0;
	return json_object_get_uint64(value);
}

int uni_guest_info_read(int folder_fd, struct uni_guest_info *guest)
{
	uni_cleanup_fd int fd =
		openat(folder_fd, UNI_REGISTRY_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	cleanup_json struct json_object *object = NULL;
	uni_cleanup_free char *text = NULL;
	ssize_t len;

	if (fd < 0)
		return -errno;
	text = malloc(FILE_MAX_SIZE);
	if (!text)
		return -UNI_ENOMEM;
	len = read(fd, text, FILE_MAX_SIZE - 1);
	if (len < 0)
		return -errno;
	text[len] = '\0';
	object = json_tokener_parse(text);
	if (!json_object_is_type(object, json_type_object))
		return -UNI_EINVAL;

	memset(guest, 0, sizeof(*guest));
	get_text(object, "name", guest->name, sizeof(guest->name));
	get_text(object, "image", guest->image, sizeof(guest->image));
	get_text(object, "build_id", guest->build_id, sizeof(guest->build_id));
	get_text(object, "boot_id", guest->boot_id, sizeof(guest->boot_id));
	get_text(object, "machine", guest->machine, sizeof(guest->machine));
	get_text(object, "accel", guest->accel, sizeof(guest->accel));
	get_text(object, "arguments", guest->arguments, sizeof(guest->arguments));
	guest->cpus = (uint32_t)get_number(object, "cpus");
	guest->memory_mib = (uint32_t)get_number(object, "memory_mib");
	guest->supervisor_pid = (pid_t)get_number(object, "supervisor_pid");
	guest->qemu_pid = (pid_t)get_number(object, "qemu_pid");
	guest->started_unix_ns = get_number(object, "started_unix_ns");
	return 0;
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

static void add_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_uint64(number));
}

static struct json_object *encode(const struct uni_guest_info *guest)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "name", guest->name);
	add_text(object, "image", guest->image);
	add_text(object, "build_id", guest->build_id);
	add_text(object, "boot_id", guest->boot_id);
	add_text(object, "machine", guest->machine);
	add_text(object, "accel", guest->accel);
	add_text(object, "arguments", guest->arguments);
	add_number(object, "cpus", guest->cpus);
	add_number(object, "memory_mib", guest->memory_mib);
	add_number(object, "supervisor_pid", (uint64_t)guest->supervisor_pid);
	add_number(object, "qemu_pid", (uint64_t)guest->qemu_pid);
	add_number(object, "started_unix_ns", guest->started_unix_ns);
	return object;
}

int uni_guest_info_write(int folder_fd, const struct uni_guest_info *guest, struct uni_error *error)
{
	static const char fresh[] = UNI_REGISTRY_FILE ".new";
	cleanup_json struct json_object *object = encode(guest);
	const char *text = json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	uni_cleanup_fd int fd = -1;
	size_t len;

	if (!text)
		return uni_error_set(error, -UNI_ENOMEM, "out of memory");
	len = strlen(text);
	fd = openat(folder_fd, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write(fd, text, len) != (ssize_t)len ||
	    renameat(folder_fd, fresh, folder_fd, UNI_REGISTRY_FILE) < 0)
		return uni_error_system(error, errno ? errno : ENOSPC, "cannot write %s of %s",
					UNI_REGISTRY_FILE, guest->name);
	return 0;
}
