/* SPDX-License-Identifier: MIT */
/*
 * The command line of one command, as a table. Parsing, --help and its synopsis come from it; a
 * lint holds the man page against --help.
 *
 *	struct stop_values { uint64_t grace_ms; };
 *	static const struct uni_option stop_list[] = {
 *		UNI_OPTION_DECIMAL(struct stop_values, grace_ms, "grace", 'g', "S", 0, 3600, 1000,
 *				   "seconds that the guest may take to end by itself (default 2)"),
 *	};
 *	static const struct uni_options stop_options = {
 *		.arguments = "NAME", .positional_min = 1, .positional_max = 1,
 *		.list = stop_list, .count = 1,
 *		.defaults = &(struct stop_values){.grace_ms = 2000},
 *		.values_size = sizeof(struct stop_values),
 *	};
 *
 * Every command has --help (-h) without listing it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "host-tools/lib/error.h"

enum uni_option_kind {
	UNI_OPTION_KIND_FLAG,	 /* bool */
	UNI_OPTION_KIND_STRING,	 /* const char *, points into argv */
	UNI_OPTION_KIND_NUMBER,	 /* uint64_t, decimal, within min and max */
	UNI_OPTION_KIND_DECIMAL, /* uint64_t: the number, which may have a fraction, times scale */
	UNI_OPTION_KIND_CHOICE,	 /* unsigned: index in choices */
};

struct uni_option {
	const char *name;     /* without the dashes */
	char letter;	      /* of the short form; 0: none */
	const char *argument; /* what stands for its argument in texts, as "MIB"; NULL for a flag */
	const char *help;     /* one line, no capital, no full stop */
	enum uni_option_kind kind;
	size_t offset;		    /* of the value in the values structure */
	uint64_t min, max;	    /* of numbers; of decimals before scaling */
	uint64_t scale;		    /* of decimals, as 1000 for seconds kept as milliseconds */
	const char *const *choices; /* NULL-terminated */
};

#define UNI_OPTION_FLAG(type, field, long_name, short_letter, text)            \
	{                                                                      \
		.name = (long_name), .letter = (short_letter), .help = (text), \
		.kind = UNI_OPTION_KIND_FLAG, .offset = offsetof(type, field)  \
	}
#define UNI_OPTION_STRING(type, field, long_name, short_letter, shown, text)                    \
	{                                                                                       \
		.name = (long_name), .letter = (short_letter), .argument = (shown),             \
		.help = (text), .kind = UNI_OPTION_KIND_STRING, .offset = offsetof(type, field) \
	}
#define UNI_OPTION_NUMBER(type, field, long_name, short_letter, shown, least, most, text)        \
	{                                                                                        \
		.name = (long_name), .letter = (short_letter), .argument = (shown),              \
		.help = (text), .kind = UNI_OPTION_KIND_NUMBER, .offset = offsetof(type, field), \
		.min = (least), .max = (most)                                                    \
	}
#define UNI_OPTION_DECIMAL(type, field, long_name, short_letter, shown, least, most, factor, text) \
	{                                                                                          \
		.name = (long_name), .letter = (short_letter), .argument = (shown),                \
		.help = (text), .kind = UNI_OPTION_KIND_DECIMAL, .offset = offsetof(type, field),  \
		.min = (least), .max = (most), .scale = (factor)                                   \
	}
#define UNI_OPTION_CHOICE(type, field, long_name, short_letter, shown, list, text)               \
	{                                                                                        \
		.name = (long_name), .letter = (short_letter), .argument = (shown),              \
		.help = (text), .kind = UNI_OPTION_KIND_CHOICE, .offset = offsetof(type, field), \
		.choices = (list)                                                                \
	}

struct uni_options {
	const char *arguments; /* of the synopsis, after the options: "IMAGE [-- ARGUMENTS]" */
	const char *details;   /* paragraph of --help, lines of at most 80 columns; may be NULL */
	const struct uni_option *list;
	size_t count;
	const void *defaults; /* a values structure; NULL: all zero */
	size_t values_size;
	unsigned positional_min, positional_max; /* arguments before "--" */
	bool takes_rest;			 /* "--" and what follows it is allowed */
};

struct uni_arguments {
	char **positional; /* positional_count pointers and a NULL, inside argv */
	unsigned positional_count;
	char **rest; /* what follows "--"; rest_count pointers and a NULL */
	unsigned rest_count;
};

#define UNI_OPTIONS_HELP 1

/*
 * Parses argv (argv[0] is skipped and reordered in place) into values, which starts as the
 * defaults. `program` is "uniscope run", for texts. Returns 0, UNI_OPTIONS_HELP when help is asked
 * for, or a negative code with an error of exit status UNI_EXIT_USAGE.
 */
int uni_options_parse(const struct uni_options *options, const char *program, int argc, char **argv,
		      void *values, struct uni_arguments *arguments, struct uni_error *error);

/* Synopsis, summary, details and options, as --help shows them. */
void uni_options_print_help(const struct uni_options *options, const char *program,
			    const char *summary, FILE *out);
