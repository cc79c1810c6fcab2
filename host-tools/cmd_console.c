/* SPDX-License-Identifier: MIT */
/* uniscope console: a guest's serial console. */
#include "host-tools/command.h"
#include "host-tools/console_session.h"
#include "host-tools/lib/registry.h"

static const struct uni_options console_options = {
	.arguments = "NAME",
	.details = "Shows what the guest has printed so far and goes on from there; lines that are "
		   "typed\n"
		   "go to the guest. Ctrl-C or the end of the input leaves, and the guest runs on.",
	.positional_min = 1,
	.positional_max = 1,
};

static int run(const void *values, const struct uni_arguments *arguments, struct uni_error *error)
{
	struct console_session session = {.control_fd = -1};
	struct uni_guest_info guest;
	int status = uni_registry_find(arguments->positional[0], &guest, error);

	if (status < 0)
		return status;
	session.console_fd = uni_registry_connect(&guest, UNI_SOCKET_CONSOLE, error);
	if (session.console_fd < 0)
		return session.console_fd;
	return console_session_run(&session, NULL, error);
}

const struct command command_console = {
	.name = "console",
	.summary = "show a guest's console, and type into it",
	.options = &console_options,
	.run = run,
};
