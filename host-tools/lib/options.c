/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "host-tools/lib/cleanup.h"
#include "tracing/errno.h"

/* getopt_long() returns LONG_BASE + index of the option; 1 is an argument that is no option. */
enum { POSITIONAL = 1, HELP = 'h', LONG_BASE = 256 };

static void *value_of(const struct uni_option *option, void *values)
{
	return (char *)values + option->offset;
}

static int parse_number(const struct uni_option *option, const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	if (!isdigit((unsigned char)text[0]))
		return -UNI_EINVAL;
	*value = strtoull(text, &end, 10);
	if (errno || *end != '\0')
		return -UNI_EINVAL;
	return *value < option->min || *value > option->max ? -UNI_ERANGE : 0;
}

/* Digits, and up to nine more after a point. */
static int parse_decimal(const struct uni_option *option, const char *text, uint64_t *value)
{
	char *end;
	double number;

	if (text[0] == '\0' || strspn(text, "0123456789.") != strlen(text))
		return -UNI_EINVAL;
	number = strtod(text, &end);
	if (*end != '\0')
		return -UNI_EINVAL;
	if (number < (double)option->min || number > (double)option->max)
		return -UNI_ERANGE;
	*value = (uint64_t)(number * (double)option->scale + 0.5);
	return 0;
}

static int set_number(const struct uni_option *option, const char *program, const char *text,
		      void *values, struct uni_error *error)
{
	uint64_t value = 0;
	int status = option->kind == UNI_OPTION_KIND_NUMBER ? parse_number(option, text, &value)
							    : parse_decimal(option, text, &value);

	if (status < 0)
		return uni_error_usage(error,
				       "--%s '%s' is not a number from %llu to %llu; see %s --help",
				       option->name, text, (unsigned long long)option->min,
				       (unsigned long long)option->max, program);
	*(uint64_t *)value_of(option, values) = value;
	return 0;
}

static int set_choice(const struct uni_option *option, const char *program, const char *text,
		      void *values, struct uni_error *error)
{
	char known[256] = "";

	for (unsigned i = 0; option->choices[i]; i++) {
		size_t len = strlen(known);

		if (strcmp(option->choices[i], text) == 0) {
			*(unsigned *)value_of(option, values) = i;
			return 0;
		}
		snprintf(known + len, sizeof(known) - len, "%s%s", i ? ", " : "",
			 option->choices[i]);
	}
	return uni_error_usage(error, "--%s '%s' is none of %s; see %s --help", option->name, text,
			       known, program);
}

static int set_value(const struct uni_option *option, const char *program, const char *text,
		     void *values, struct uni_error *error)
{
	switch (option->kind) {
	case UNI_OPTION_KIND_FLAG:
		*(bool *)value_of(option, values) = true;
		return 0;
	case UNI_OPTION_KIND_STRING:
		*(const char **)value_of(option, values) = text;
		return 0;
	case UNI_OPTION_KIND_NUMBER:
	case UNI_OPTION_KIND_DECIMAL:
		return set_number(option, program, text, values, error);
	case UNI_OPTION_KIND_CHOICE:
		return set_choice(option, program, text, values, error);
	}
	return -UNI_EINVAL;
}

/* The tables that getopt_long() wants. */
struct getopt_tables {
	struct option *longs;
	char *letters;
};

static int make_tables(const struct uni_options *options, struct getopt_tables *tables)
{
	char *letter;

	tables->longs = calloc(options->count + 2, sizeof(*tables->longs));
	/* Two letters and two colons an option, and "-:h". */
	tables->letters = calloc(options->count * 2 + 4, 1);
	if (!tables->longs || !tables->letters)
		return -UNI_ENOMEM;
	/* '-': arguments come in their order, so that those after "--" can be told apart. */
	letter = stpcpy(tables->letters, "-:h");
	for (size_t i = 0; i < options->count; i++) {
		const struct uni_option *option = &options->list[i];

		tables->longs[i] = (struct option){
			.name = option->name,
			.has_arg = option->argument ? required_argument : no_argument,
			.val = LONG_BASE + (int)i,
		};
		if (!option->letter)
			continue;
		*letter++ = option->letter;
		if (option->argument)
			*letter++ = ':';
	}
	tables->longs[options->count] = (struct option){.name = "help", .val = HELP};
	return 0;
}

static const struct uni_option *find_option(const struct uni_options *options, int code)
{
	if (code >= LONG_BASE)
		return &options->list[code - LONG_BASE];
	for (size_t i = 0; i < options->count; i++)
		if (options->list[i].letter && options->list[i].letter == code)
			return &options->list[i];
	return NULL;
}

/* What getopt_long() stumbled over: it tells the letter, or 0 or a val for a long option. */
static int bad_option(const char *program, int code, char **argv, struct uni_error *error)
{
	const char *word = argv[optind - 1];
	char letter[3] = {'-', (char)optopt, '\0'};

	if (optopt > 0 && optopt < LONG_BASE && strncmp(word, "--", 2) != 0)
		word = letter;
	if (code == ':')
		return uni_error_usage(error, "%s wants an argument; see %s --help", word, program);
	return uni_error_usage(error, "there is no option %s; see %s --help", word, program);
}

static int parse_words(const struct uni_options *options, const char *program, int argc,
		       char **argv, const struct getopt_tables *tables, void *values,
		       struct uni_arguments *arguments, struct uni_error *error)
{
	unsigned count = 0;
	int code;

	opterr = 0;
	optind = 0; /* glibc: start over, with this call's "-" */
	while ((code = getopt_long(argc, argv, tables->letters, tables->longs, NULL)) != -1) {
		const struct uni_option *option = find_option(options, code);
		int status;

		if (code == POSITIONAL) {
			/* argv[count + 1] has been read already: count arguments lie before it. */
			argv[++count] = optarg;
			continue;
		}
		if (code == HELP)
			return UNI_OPTIONS_HELP;
		if (!option)
			return bad_option(program, code, argv, error);
		status = set_value(option, program, optarg, values, error);
		if (status < 0)
			return status;
	}
	arguments->rest = argv + optind;
	arguments->rest_count = (unsigned)(argc - optind);
	arguments->positional = argv + 1;
	arguments->positional_count = count;
	return 0;
}

static int check_counts(const struct uni_options *options, const char *program,
			const struct uni_arguments *arguments, bool has_rest,
			struct uni_error *error)
{
	const char *shown = options->arguments ? options->arguments : "";

	if (arguments->positional_count < options->positional_min)
		return uni_error_usage(error, "an argument is missing: %s %s; see %s --help",
				       program, shown, program);
	if (arguments->positional_count > options->positional_max)
		return uni_error_usage(error, "'%s' is one argument too many; see %s --help",
				       arguments->positional[options->positional_max], program);
	if (has_rest && !options->takes_rest)
		return uni_error_usage(error, "nothing may follow '--'; see %s --help", program);
	return 0;
}

int uni_options_parse(const struct uni_options *options, const char *program, int argc, char **argv,
		      void *values, struct uni_arguments *arguments, struct uni_error *error)
{
	uni_cleanup_free struct option *longs = NULL;
	uni_cleanup_free char *letters = NULL;
	struct getopt_tables tables = {0};
	struct uni_arguments found = {0};
	int status = make_tables(options, &tables);

	longs = tables.longs;
	letters = tables.letters;
	if (status < 0)
		return uni_error_set(error, status, "%s: out of memory", program);
	if (options->defaults)
		memcpy(values, options->defaults, options->values_size);
	else if (options->values_size > 0)
		memset(values, 0, options->values_size);

	status = parse_words(options, program, argc, argv, &tables, values, &found, error);
	if (status != 0)
		return status;
	status = check_counts(options, program, &found, found.rest_count > 0, error);
	if (status < 0)
		return status;
	/* Terminates the list; what stood there has been read, or is the "--". */
	if (found.rest != found.positional + found.positional_count)
		found.positional[found.positional_count] = NULL;
	*arguments = found;
	return 0;
}

static void print_option(const struct uni_option *option, FILE *out)
{
	char left[80];
	char letter[5] = "    ";

	if (option->letter)
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	snprintf(left, sizeof(left), "%s--%s%s%s", letter, option->name,
		 option->argument ? " " : "", option->argument ? option->argument : "");
	fprintf(out, "  %-28s %s\n", left, option->help);
}

void uni_options_print_help(const struct uni_options *options, const char *program,
			    const char *summary, FILE *out)
{
	fprintf(out, "Usage: %s%s%s%s\n", program, options->count ? " [OPTIONS]" : "",
		options->arguments ? " " : "", options->arguments ? options->arguments : "");
	fprintf(out, "%c%s.\n", toupper((unsigned char)summary[0]), summary + 1);
	if (options->details)
		fprintf(out, "\n%s\n", options->details);
	fprintf(out, "\nOptions:\n");
	for (size_t i = 0; i < options->count; i++)
		print_option(&options->list[i], out);
	fprintf(out, "  %-28s %s\n", "-h, --help", "show this text");
}
