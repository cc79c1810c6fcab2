/* SPDX-License-Identifier: MIT */
#include "host-tools/command.h"

#include <string.h>

/* Each in its cmd_NAME.c. */
extern const struct command command_console;
extern const struct command command_dumps;
extern const struct command command_gdb;
extern const struct command command_list;
extern const struct command command_load;
extern const struct command command_record;
extern const struct command command_report;
extern const struct command command_run;
extern const struct command command_stat;
extern const struct command command_stop;

const struct command *const commands[] = {
	&command_console, &command_dumps,  &command_gdb, &command_list, &command_load,
	&command_record,  &command_report, &command_run, &command_stat, &command_stop,
};

const unsigned command_count = sizeof(commands) / sizeof(commands[0]);

const struct command *command_find(const char *name)
{
	for (unsigned i = 0; i < command_count; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

/* Edit distance of two short words, by the row method; long ones count as far. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[16];
	size_t len = strlen(b);

	if (len >= 16 || strlen(a) >= 16)
		return 16;
	for (size_t j = 0; j <= len; j++)
		row[j] = (unsigned)j;
	for (size_t i = 0; a[i]; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i + 1;
		for (size_t j = 0; j < len; j++) {
			unsigned best = diagonal + (a[i] != b[j]);

			diagonal = row[j + 1];
			best = row[j] + 1 < best ? row[j] + 1 : best;
			row[j + 1] = diagonal + 1 < best ? diagonal + 1 : best;
		}
	}
	return row[len];
}

const struct command *command_suggest(const char *name)
{
	const struct command *nearest = NULL;
	unsigned least = 3;

	for (unsigned i = 0; i < command_count; i++) {
		unsigned far = distance(name, commands[i]->name);

		if (far < least) {
			least = far;
			nearest = commands[i];
		}
	}
	return nearest;
}
