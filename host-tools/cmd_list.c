/* SPDX-License-Identifier: MIT */
/* uniscope list: the guests that run. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host-tools/command.h"
#include "host-tools/guest_state.h"
#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/registry.h"
#include "host-tools/lib/sanitize.h"

struct list_values {
	bool json;
};

static const struct uni_option list_list[] = {
	UNI_OPTION_FLAG(struct list_values, json, "json", 0, "print JSON"),
};

static const struct uni_options list_options = {
	.details = "Guests that have ended are not listed; `uniscope dumps` shows how they died.",
	.list = list_list,
	.count = sizeof(list_list) / sizeof(list_list[0]),
	.values_size = sizeof(struct list_values),
};

static uint64_t seconds_since(uint64_t unix_ns)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec > unix_ns / 1000000000
		       ? (uint64_t)now.tv_sec - unix_ns / 1000000000
		       : 0;
}

static void format_uptime(uint64_t seconds, char *out, size_t size)
{
	unsigned long long days = seconds / 86400;
	unsigned hours = seconds / 3600 % 24, minutes = seconds / 60 % 60;

	if (days)
		snprintf(out, size, "%llu d %02u:%02u", days, hours, minutes);
	else
		snprintf(out, size, "%02u:%02u:%02u", hours, minutes, (unsigned)(seconds % 60));
}

static void print_table(const struct uni_guest_info *guests, size_t count)
{
	if (count == 0) {
		printf("No guest runs. `uniscope run IMAGE` starts one.\n");
		return;
	}
	printf("%-20s %-9s %-8s %-5s %4s %8s %13s %8s  %s\n", "NAME", "STATE", "MACHINE", "ACCEL",
	       "CPUS", "MEMORY", "UP", "PID", "IMAGE");
	for (size_t i = 0; i < count; i++) {
		const struct uni_guest_info *guest = &guests[i];
		char image[sizeof(guest->image)];
		char uptime[32], memory[16];

		uni_sanitize(image, sizeof(image), guest->image, strlen(guest->image));
		format_uptime(seconds_since(guest->started_unix_ns), uptime, sizeof(uptime));
		snprintf(memory, sizeof(memory), "%u MiB", guest->memory_mib);
		printf("%-20s %-9s %-8s %-5s %4u %8s %13s %8d  %s\n", guest->name,
		       guest_state_name(guest), guest->machine, guest->accel, guest->cpus, memory,
		       uptime, guest->supervisor_pid, image);
	}
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

static void add_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_uint64(number));
}

static void print_json(const struct uni_guest_info *guests, size_t count)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < count; i++) {
		const struct uni_guest_info *guest = &guests[i];
		struct json_object *object = json_object_new_object();

		add_text(object, "name", guest->name);
		add_text(object, "state", guest_state_name(guest));
		add_text(object, "machine", guest->machine);
		add_text(object, "accel", guest->accel);
		add_number(object, "cpus", guest->cpus);
		add_number(object, "memory_mib", guest->memory_mib);
		add_number(object, "started_unix_ns", guest->started_unix_ns);
		add_number(object, "supervisor_pid", (uint64_t)guest->supervisor_pid);
		add_number(object, "qemu_pid", (uint64_t)guest->qemu_pid);
		add_text(object, "image", guest->image);
		add_text(object, "arguments", guest->arguments);
		add_text(object, "build_id", guest->build_id);
		add_text(object, "boot_id", guest->boot_id);
		add_text(object, "folder", guest->folder);
		json_object_array_add(list, object);
	}
	printf("%s\n", json_object_to_json_string_ext(
			       list, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(list);
}

static int run(const void *values, const struct uni_arguments *arguments, struct uni_error *error)
{
	const struct list_values *list_values = values;
	uni_cleanup_free struct uni_guest_info *guests = NULL;
	size_t count;
	int status = uni_registry_list(&guests, &count, error);

	if (status < 0)
		return status;
	if (list_values->json)
		print_json(guests, count);
	else
		print_table(guests, count);
	return UNI_EXIT_OK;
}

const struct command command_list = {
	.name = "list",
	.summary = "show the guests that run",
	.options = &list_options,
	.run = run,
};
