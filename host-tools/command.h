/* SPDX-License-Identifier: MIT */
/* A subcommand of uniscope: one cmd_NAME.c each, all in the table of commands.c. */
#pragma once

#include "host-tools/lib/error.h"
#include "host-tools/lib/options.h"

struct command {
	const char *name;
	const char *summary; /* one line, no capital, no full stop */
	const struct uni_options *options;

	/*
	 * `values` is the structure of `options`. Returns the exit status, or a negative code with
	 * the error filled, which is then printed as the one line on stderr.
	 */
	int (*run)(const void *values, const struct uni_arguments *arguments,
		   struct uni_error *error);
};

/* Sorted by name. */
extern const struct command *const commands[];
extern const unsigned command_count;

/* NULL when there is none. */
const struct command *command_find(const char *name);

/* The command whose name is like this mistyped one; NULL when none is near. */
const struct command *command_suggest(const char *name);
