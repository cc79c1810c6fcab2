/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "host-tools/lib/options.h"

struct values {
	const char *name;
	uint64_t cpus;
	uint64_t timeout_ms;
	unsigned machine;
	bool detach;
};

static const char *const machines[] = {"microvm", "q35", NULL};

static const struct uni_option list[] = {
	UNI_OPTION_STRING(struct values, name, "name", 'n', "NAME", "name of the guest"),
	UNI_OPTION_NUMBER(struct values, cpus, "cpus", 0, "N", 1, 16, "vCPUs"),
	UNI_OPTION_DECIMAL(struct values, timeout_ms, "timeout", 't', "S", 0, 60, 1000, "seconds"),
	UNI_OPTION_CHOICE(struct values, machine, "machine", 0, "MACHINE", machines, "of QEMU"),
	UNI_OPTION_FLAG(struct values, detach, "detach", 'd', "do not wait"),
};

static const struct uni_options options = {
	.arguments = "IMAGE [-- GUEST ARGUMENTS]",
	.list = list,
	.count = sizeof(list) / sizeof(list[0]),
	.defaults = &(const struct values){.cpus = 2},
	.values_size = sizeof(struct values),
	.positional_min = 1,
	.positional_max = 1,
	.takes_rest = true,
};

static struct values values;
static struct uni_arguments arguments;
static struct uni_error error;

/* Words are separated by blanks. */
static int parse(const char *line)
{
	static char text[256];
	static char *argv[32];
	int argc = 0;

	snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	memset(&error, 0, sizeof(error));
	return uni_options_parse(&options, "uniscope run", argc, argv, &values, &arguments, &error);
}

Test(options, defaults_hold)
{
	cr_assert_eq(parse("run shop.elf"), 0);
	cr_assert_eq(values.cpus, 2);
	cr_assert_null(values.name);
	cr_assert_eq(arguments.positional_count, 1);
	cr_assert_str_eq(arguments.positional[0], "shop.elf");
	cr_assert_null(arguments.positional[1]);
	cr_assert_eq(arguments.rest_count, 0);
}

Test(options, every_kind_before_and_behind_the_argument)
{
	cr_assert_eq(parse("run --name web -t 1.5 shop.elf --machine q35 --cpus=4 -d"), 0, "%s",
		     error.text);
	cr_assert_str_eq(values.name, "web");
	cr_assert_eq(values.timeout_ms, 1500);
	cr_assert_eq(values.machine, 1);
	cr_assert_eq(values.cpus, 4);
	cr_assert(values.detach);
	cr_assert_str_eq(arguments.positional[0], "shop.elf");
}

Test(options, the_rest_is_not_looked_into)
{
	cr_assert_eq(parse("run -n web shop.elf -d -- --cpus 0 load=4"), 0, "%s", error.text);
	cr_assert_eq(values.cpus, 2);
	cr_assert_eq(arguments.positional_count, 1);
	cr_assert_null(arguments.positional[1]);
	cr_assert_eq(arguments.rest_count, 3);
	cr_assert_str_eq(arguments.rest[0], "--cpus");
	cr_assert_str_eq(arguments.rest[2], "load=4");
	cr_assert_null(arguments.rest[3]);
}

static void expect_usage(const char *line, const char *text)
{
	cr_assert_lt(parse(line), 0, "%s", line);
	cr_assert_eq(error.exit_status, UNI_EXIT_USAGE);
	cr_assert_str_eq(error.text, text);
}

Test(options, wrong_lines_are_explained)
{
	expect_usage("run --cpus 0 a",
		     "--cpus '0' is not a number from 1 to 16; see uniscope run --help");
	expect_usage("run --cpus 17 a",
		     "--cpus '17' is not a number from 1 to 16; see uniscope run --help");
	expect_usage("run --cpus -1 a",
		     "--cpus '-1' is not a number from 1 to 16; see uniscope run --help");
	expect_usage("run --cpus +4 a",
		     "--cpus '+4' is not a number from 1 to 16; see uniscope run --help");
	expect_usage("run --cpus 0x2 a",
		     "--cpus '0x2' is not a number from 1 to 16; see uniscope run --help");
	expect_usage("run -t 1e3 a",
		     "--timeout '1e3' is not a number from 0 to 60; see uniscope run --help");
	expect_usage("run -t 1.2.3 a",
		     "--timeout '1.2.3' is not a number from 0 to 60; see uniscope run --help");
	expect_usage("run --machine pc a",
		     "--machine 'pc' is none of microvm, q35; see uniscope run --help");
	expect_usage("run --nome web a", "there is no option --nome; see uniscope run --help");
	expect_usage("run -x a", "there is no option -x; see uniscope run --help");
	expect_usage("run a --name", "--name wants an argument; see uniscope run --help");
	expect_usage("run", "an argument is missing: uniscope run IMAGE [-- GUEST "
			    "ARGUMENTS]; see uniscope run --help");
	expect_usage("run a b", "'b' is one argument too many; see uniscope run --help");
}

Test(options, help_wins_and_shows_the_table)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	cr_assert_eq(parse("run --help"), UNI_OPTIONS_HELP);
	cr_assert_eq(parse("run -h"), UNI_OPTIONS_HELP);
	uni_options_print_help(&options, "uniscope run", "start a guest", out);
	fclose(out);
	cr_assert_not_null(strstr(text, "Usage: uniscope run [OPTIONS] IMAGE [-- GUEST "
					"ARGUMENTS]\nStart a guest.\n"));
	cr_assert_not_null(strstr(text, "  -n, --name NAME              name of the guest\n"));
	cr_assert_not_null(strstr(text, "      --machine MACHINE        of QEMU\n"));
	free(text);
}
