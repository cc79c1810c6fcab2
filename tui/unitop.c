/* SPDX-License-Identifier: MIT */
/* unitop: the guests of this host, live on a terminal or as text. */
#include <locale.h>
#include <stdio.h>

#include "host-tools/lib/error.h"
#include "host-tools/lib/options.h"
#include "tui/session.h"
#include "tui/text_mode.h"
#include "tui/ui.h"

struct unitop_values {
	bool batch;
	bool version;
	uint64_t count;
	uint64_t delay_ms;
	const char *hint;
};

static const struct uni_option option_list[] = {
	UNI_OPTION_FLAG(struct unitop_values, batch, "batch", 'b', "print text instead of drawing"),
	UNI_OPTION_NUMBER(struct unitop_values, count, "count", 'n', "N", 1, 1000000,
			  "print N times, then end (with -b; default: until it is stopped)"),
	UNI_OPTION_DECIMAL(struct unitop_values, delay_ms, "delay", 'd', "S", 0, 60, 1000,
			   "seconds between two looks, at least 0.1 (default 1)"),
	UNI_OPTION_STRING(struct unitop_values, hint, "hint", 0, "TEXT",
			  "a line to show above the keys"),
	UNI_OPTION_FLAG(struct unitop_values, version, "version", 'V', "print the version"),
};

static const struct uni_options options = {
	.arguments = "[NAME]",
	.details =
		"Without NAME it lists the guests; with it, it opens that one. F1 on the screen\n"
		"explains keys and columns.",
	.list = option_list,
	.count = sizeof(option_list) / sizeof(option_list[0]),
	.defaults = &(struct unitop_values){.delay_ms = 1000},
	.values_size = sizeof(struct unitop_values),
	.positional_max = 1,
};

static int run(const struct unitop_values *values, const struct uni_arguments *arguments,
	       struct uni_error *error)
{
	const char *name = arguments->positional_count ? arguments->positional[0] : NULL;

	if (values->version) {
		printf("unitop %s\n", UNI_VERSION);
		return 0;
	}
	if (values->delay_ms < UI_DELAY_MIN_MS)
		return uni_error_usage(error, "--delay must be 0.1 to 60 seconds");
	if (values->count > 0 && !values->batch)
		return uni_error_usage(error, "--count needs --batch");
	if (values->batch)
		return text_mode_run(name, values->count, values->delay_ms, error);
	return session_run(name, values->delay_ms, values->hint, error);
}

int main(int argc, char **argv)
{
	struct uni_error error = {0};
	struct uni_arguments arguments;
	struct unitop_values values;
	int status;

	setlocale(LC_ALL, "");
	status = uni_options_parse(&options, "unitop", argc, argv, &values, &arguments, &error);
	if (status == UNI_OPTIONS_HELP) {
		uni_options_print_help(&options, "unitop",
				       "the guests of this host, live: CPUs, threads, memory",
				       stdout);
		return UNI_EXIT_OK;
	}
	if (status == 0)
		status = run(&values, &arguments, &error);
	return status < 0 ? uni_error_print(&error, "unitop") : status;
}
