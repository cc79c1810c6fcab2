/* SPDX-License-Identifier: MIT */
/* uniscope gdb: gdb on a running guest, with its ELF file, its helpers and settings that suit it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host-tools/command.h"
#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/cursor.h"
#include "host-tools/lib/guest_client.h"
#include "host-tools/lib/image.h"
#include "host-tools/lib/registry.h"
#include "tracing/errno.h"

/* A guest that has a probe has said hello before this. */
#define HELLO_MS 200

#define QEMU_MS 5000

enum via { VIA_STUB, VIA_QEMU };

static const char *const via_names[] = {"stub", "qemu", NULL};

struct gdb_values {
	unsigned via;
};

static const struct uni_option gdb_list[] = {
	UNI_OPTION_CHOICE(
		struct gdb_values, via, "via", 0, "WAY", via_names,
		"stub (the guest's own, default) or qemu (QEMU's, which knows only vCPUs)"),
};

static const struct uni_options gdb_options = {
	.arguments = "NAME [-- GDB ARGUMENTS]",
	.details = "The guest stops when gdb comes, and goes on when gdb leaves.",
	.list = gdb_list,
	.count = sizeof(gdb_list) / sizeof(gdb_list[0]),
	.defaults = &(const struct gdb_values){.via = VIA_STUB},
	.values_size = sizeof(struct gdb_values),
	.positional_min = 1,
	.positional_max = 1,
	.takes_rest = true,
};

/* Before the image is opened.
 *
 * The guest's memory only changes while it runs, so gdb may read it in large lines; its breakpoints
 * stay while it is stopped, so that a step does not rewrite them all. gdb asks whether to kill the
 * guest when it ends, so it is told not to ask; with the helpers `kill` asks instead. */
static const char *const settings[] = {
	"set remotetimeout 30",
	"set dcache line-size 1024",
	"set stack-cache on",
	"set code-cache on",
	"set breakpoint always-inserted on",
	"set debuginfod enabled off",
	"set libthread-db-search-path /nonexistent",
	"set remote symbol-lookup-packet off",
	"set confirm off",
	"set default-collect $trace_timestamp",
};

#define SETTINGS_COUNT (sizeof(settings) / sizeof(settings[0]))

/* gdb reads a wrong file without a word; the build-id tells whether it is the one that runs.
 * Returns whether the file has helpers that fit. */
static bool check_image(const struct uni_guest_info *guest)
{
	uni_cleanup_free struct uni_image *image = calloc(1, sizeof(*image));
	struct uni_error error;

	if (!image)
		return false;
	if (uni_image_read(guest->image, image, &error) < 0) {
		fprintf(stderr, "uniscope: %s; gdb starts without symbols\n", error.text);
		return false;
	}
	if (strcmp(image->build_id_text, guest->build_id) != 0)
		fprintf(stderr,
			"uniscope: %s was built anew since %s was started; gdb will show "
			"wrong lines: restart the guest\n",
			guest->image, guest->name);
	else if (!image->has_debug_info)
		fprintf(stderr,
			"uniscope: %s has no debug information; gdb shows addresses only: "
			"build it with -g and do not strip it\n",
			guest->image);
	return image->has_gdb_helpers;
}

/* What the guest offers, by its hello, which comes right behind the state; 0: it has not said. */
static uint32_t features_of(const char *name)
{
	struct uni_client_frame frame = {0};
	struct uni_client *client;
	uint32_t features = 0;

	if (uni_client_open(name, &client, NULL) < 0)
		return 0;
	while (frame.type != UNI_FRAME_HELLO && uni_client_wait(client, HELLO_MS, &frame) > 0)
		;
	if (frame.type == UNI_FRAME_HELLO) {
		struct uni_cursor cursor;

		uni_cursor_init(&cursor, frame.payload, frame.len, "HELLO frame");
		uni_cursor_skip(&cursor, offsetof(struct uni_hello, features));
		features = uni_cursor_u32(&cursor);
	}
	uni_client_close(client);
	return features;
}

static int stub_socket(const struct uni_guest_info *guest, char *path, size_t size,
		       struct uni_error *error)
{
	const uint32_t features = features_of(guest->name);

	if (features && !(features & UNI_FEATURE_GDB))
		return uni_error_set(error, -UNI_ENOTSUP,
				     "cannot debug %s: it was built without the gdb stub; try "
				     "--via qemu",
				     guest->name);
	snprintf(path, size, "%s/%s", guest->folder, UNI_SOCKET_GDB);
	return 0;
}

static int qemu_socket(const struct uni_guest_info *guest, char *path, size_t size,
		       struct uni_error *error)
{
	struct uni_client_reply reply;
	struct uni_client *client;
	int status = uni_client_open(guest->name, &client, error);

	if (status < 0)
		return status;
	status = uni_client_call(client, UNI_FRAME_QEMU_GDB, NULL, 0, QEMU_MS, NULL, NULL, &reply,
				 error);
	uni_client_close(client);
	if (status == 0)
		snprintf(path, size, "%s", reply.text);
	return status;
}

static int run(const void *values, const struct uni_arguments *arguments, struct uni_error *error)
{
	const struct gdb_values *gdb_values = values;
	struct uni_guest_info guest;
	char socket[PATH_MAX + 32], attach[PATH_MAX + 256], trust[PATH_MAX + 64];
	uni_cleanup_free const char **words = NULL;
	unsigned count = 0;
	bool has_helpers;
	int status = uni_registry_find(arguments->positional[0], &guest, error);

	if (status < 0)
		return status;
	if (gdb_values->via == VIA_QEMU)
		status = qemu_socket(&guest, socket, sizeof(socket), error);
	else
		status = stub_socket(&guest, socket, sizeof(socket), error);
	if (status < 0)
		return status;
	has_helpers = check_image(&guest);
	words = calloc(2 * SETTINGS_COUNT + arguments->rest_count + 10, sizeof(*words));
	if (!words)
		return uni_error_set(error, -UNI_ENOMEM, "out of memory");
	words[count++] = "gdb";
	words[count++] = "-q";
	for (unsigned i = 0; i < SETTINGS_COUNT; i++) {
		words[count++] = "-iex";
		words[count++] = settings[i];
	}
	/* Scripts of this image and of the system, of nothing else. */
	snprintf(trust, sizeof(trust), "set auto-load safe-path /usr/share/gdb%s%s",
		 has_helpers ? ":" : "", has_helpers ? guest.image : "");
	words[count++] = "-iex";
	words[count++] = trust;
	if (has_helpers)
		snprintf(attach, sizeof(attach), "uni attach %s %s", guest.name, socket);
	else
		snprintf(attach, sizeof(attach), "target remote %s", socket);
	words[count++] = "-ex";
	words[count++] = attach;
	for (unsigned i = 0; i < arguments->rest_count; i++)
		words[count++] = arguments->rest[i];
	if (access(guest.image, R_OK) == 0)
		words[count++] = guest.image;
	fflush(NULL);
	execvp(words[0], (char *const *)words);
	if (errno == ENOENT)
		return uni_error_set(error, -ENOENT,
				     "cannot debug %s: gdb is not installed or not on the PATH; "
				     "install the package gdb",
				     guest.name);
	return uni_error_system(error, errno, "cannot debug %s: cannot run gdb", guest.name);
}

const struct command command_gdb = {
	.name = "gdb",
	.summary = "debug a guest that runs",
	.options = &gdb_options,
	.run = run,
};
