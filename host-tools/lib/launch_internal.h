/* SPDX-License-Identifier: MIT */
/* What the files of the launcher share. */
#pragma once

#include "host-tools/lib/launch.h"

#define UNI_QEMU_PROGRAM "qemu-system-x86_64"

/* QEMU's ends of the channels. */
struct uni_launch_channels {
	int memory_fd;
	int qmp_fd;
	int console_fd;
	int gdb_listener;
	int app_listener;
	int probe_fd;
	int trace_fd;
};

/* An allocated argument vector for execvp(3), NULL when memory is short. */
char **uni_launch_command(const struct uni_launch_options *options,
			  const struct uni_launch_channels *channels);
void uni_launch_command_free(char **words);
