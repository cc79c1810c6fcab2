/* SPDX-License-Identifier: MIT */
/* uniscope gdb: gdb on a running guest, with its ELF file and settings that suit a guest. */
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

static const struct uni_options gdb_options = {
	.arguments = "NAME [-- GDB ARGUMENTS]",
	.details = "The guest stops when gdb comes, and goes on when gdb leaves.",
	.positional_min = 1,
	.positional_max = 1,
	.takes_rest = true,
};

/* gdb reads a wrong file without a word; the build-id tells whether it is the one that runs. */
static void check_image(const struct uni_guest_info *guest)
{
	uni_cleanup_free struct uni_image *image = calloc(1, sizeof(*image));
	struct uni_error error;

	if (!image)
		return;
	if (uni_image_read(guest->image, image, &error) < 0)
		fprintf(stderr, "uniscope: %s; gdb starts without symbols\n", error.text);
	else if (strcmp(image->build_id_text, guest->build_id) != 0)
		fprintf(stderr,
			"uniscope: %s was built anew since %s was started; gdb will show "
			"wrong lines: restart the guest\n",
			guest->image, guest->name);
	else if (!image->has_debug_info)
		fprintf(stderr,
			"uniscope: %s has no debug information; gdb shows addresses only: "
			"build it with -g and do not strip it\n",
			guest->image);
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

static int run(const void *values, const struct uni_arguments *arguments, struct uni_error *error)
{
	struct uni_guest_info guest;
	char target[PATH_MAX + 32];
	/* The guest's memory only changes while it runs, so gdb may read it in large lines; its
	 * breakpoints stay while it is stopped, so that a step does not rewrite them all. Scripts
	 * in the ELF file are not run. */
	const char *settings[] = {
		"set remotetimeout 30",
		"set dcache line-size 1024",
		"set stack-cache on",
		"set code-cache on",
		"set breakpoint always-inserted on",
		"set auto-load safe-path /usr/share/gdb",
	};
	const unsigned settings_count = sizeof(settings) / sizeof(settings[0]);
	uni_cleanup_free const char **words = NULL;
	unsigned count = 0;
	uint32_t features;
	int status = uni_registry_find(arguments->positional[0], &guest, error);

	if (status < 0)
		return status;
	features = features_of(guest.name);
	if (features && !(features & UNI_FEATURE_GDB))
		return uni_error_set(error, -UNI_ENOTSUP,
				     "cannot debug %s: it was built without the gdb stub",
				     guest.name);
	check_image(&guest);
	words = calloc(2 * settings_count + arguments->rest_count + 8, sizeof(*words));
	if (!words)
		return uni_error_set(error, -UNI_ENOMEM, "out of memory");
	snprintf(target, sizeof(target), "target remote %s/%s", guest.folder, UNI_SOCKET_GDB);
	words[count++] = "gdb";
	words[count++] = "-q";
	for (unsigned i = 0; i < settings_count; i++) {
		words[count++] = "-iex";
		words[count++] = settings[i];
	}
	words[count++] = "-ex";
	words[count++] = target;
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
