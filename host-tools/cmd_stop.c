/* SPDX-License-Identifier: MIT */
/* uniscope stop: ends a guest in order. */
#include "guest-probe/probe_abi.h"
#include "host-tools/command.h"
#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/cursor.h"
#include "host-tools/lib/frame_stream.h"
#include "host-tools/lib/registry.h"
#include "tracing/errno.h"

#include <errno.h>
#include <unistd.h>

struct stop_values {
	uint64_t grace_ms;
};

static const struct uni_option stop_list[] = {
	UNI_OPTION_DECIMAL(struct stop_values, grace_ms, "grace", 'g', "S", 0, 3600, 1000,
			   "seconds that the guest may take to end by itself (default 2)"),
};

static const struct uni_options stop_options = {
	.arguments = "NAME",
	.details =
		"Asks the guest to end, and ends it when it has not done so in time. Returns when\n"
		"nothing of it runs any more.",
	.list = stop_list,
	.count = sizeof(stop_list) / sizeof(stop_list[0]),
	.defaults = &(const struct stop_values){.grace_ms = 2000},
	.values_size = sizeof(struct stop_values),
	.positional_min = 1,
	.positional_max = 1,
};

/* The supervisor closes the connection when everything is gone. */
static void wait_for_end(int fd)
{
	char data[4096];
	ssize_t len;

	do {
		len = read(fd, data, sizeof(data));
	} while (len > 0 || (len < 0 && errno == EINTR));
}

/* Its folder goes last. */
static void wait_for_folder(const char *name)
{
	struct uni_guest_info guest;

	for (int i = 0; i < 200 && uni_registry_find(name, &guest, NULL) == 0; i++)
		usleep(5000);
}

static int run(const void *values, const struct uni_arguments *arguments, struct uni_error *error)
{
	const struct stop_values *stop_values = values;
	const char *name = arguments->positional[0];
	struct uni_stop_request request = {.grace_ms = (uint32_t)stop_values->grace_ms};
	struct uni_guest_info guest;
	uni_cleanup_fd int fd = -1;
	int status = uni_registry_find(name, &guest, error);

	if (status < 0)
		return status;
	fd = uni_registry_connect(&guest, UNI_SOCKET_PROBE, error);
	if (fd < 0)
		return uni_error_prefix(error, "cannot stop %s", name);
	status = uni_frame_write(fd, UNI_FRAME_STOP, 1, &request, sizeof(request));
	if (status < 0)
		return uni_error_system(error, -status, "cannot stop %s", name);
	wait_for_end(fd);
	wait_for_folder(name);
	return UNI_EXIT_OK;
}

const struct command command_stop = {
	.name = "stop",
	.summary = "end a guest",
	.options = &stop_options,
	.run = run,
};
