/* SPDX-License-Identifier: MIT */
/* uniscope: finds the command, parses its options, and prints its error if it has one. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host-tools/command.h"
#include "host-tools/lib/cleanup.h"
#include "tracing/errno.h"

static void print_help(FILE *out)
{
	fprintf(out, "Usage: uniscope COMMAND [OPTIONS] [ARGUMENTS]\n"
		     "Starts unikernels, and looks into those that run.\n\nCommands:\n");
	for (unsigned i = 0; i < command_count; i++)
		fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(out, "\n`uniscope COMMAND --help` has the options of a command, and "
		     "`man uniscope-COMMAND` more.\n");
}

static int unknown_command(const char *name, struct uni_error *error)
{
	const struct command *near = command_suggest(name);

	if (near)
		return uni_error_usage(error, "there is no command '%s'; did you mean '%s'?", name,
				       near->name);
	return uni_error_usage(error, "there is no command '%s'; see uniscope --help", name);
}

static int run_command(const struct command *command, int argc, char **argv,
		       struct uni_error *error)
{
	uni_cleanup_free void *values = calloc(1, command->options->values_size + 1);
	struct uni_arguments arguments;
	char program[64];
	int status;

	if (!values)
		return uni_error_set(error, -UNI_ENOMEM, "out of memory");
	snprintf(program, sizeof(program), "uniscope %s", command->name);
	status =
		uni_options_parse(command->options, program, argc, argv, values, &arguments, error);
	if (status == UNI_OPTIONS_HELP) {
		uni_options_print_help(command->options, program, command->summary, stdout);
		return UNI_EXIT_OK;
	}
	return status < 0 ? status : command->run(values, &arguments, error);
}

/* A full disk or a closed pipe behind stdout is a failure, not a shorter output. */
static int flush_output(int status, struct uni_error *error)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	return status == UNI_EXIT_OK ? uni_error_set(error, -UNI_EIO, "cannot write the output")
				     : status;
}

int main(int argc, char **argv)
{
	struct uni_error error = {.exit_status = UNI_EXIT_FAILED};
	const struct command *command;
	int status;

	setlocale(LC_ALL, "");
	if (argc < 2) {
		print_help(stderr);
		return UNI_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_help(stdout);
		return UNI_EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("uniscope %s\n", UNI_VERSION);
		return UNI_EXIT_OK;
	}
	command = command_find(argv[1]);
	status = command ? run_command(command, argc - 1, argv + 1, &error)
			 : unknown_command(argv[1], &error);
	if (status >= 0)
		status = flush_output(status, &error);
	return status < 0 ? uni_error_print(&error, "uniscope") : status;
}
