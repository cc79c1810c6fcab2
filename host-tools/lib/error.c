/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host-tools/lib/sanitize.h"
#include "tracing/errno.h"

static void format_text(char *out, const char *format, va_list arguments)
{
	char raw[UNI_ERROR_TEXT_SIZE];

	vsnprintf(raw, sizeof(raw), format, arguments);
	uni_sanitize(out, UNI_ERROR_TEXT_SIZE, raw, strlen(raw));
}

static int set(struct uni_error *error, int code, enum uni_exit_status exit_status,
	       const char *format, va_list arguments)
{
	if (error) {
		/* The arguments may point into error->text. */
		char text[UNI_ERROR_TEXT_SIZE];

		format_text(text, format, arguments);
		memcpy(error->text, text, sizeof(text));
		error->code = code;
		error->exit_status = exit_status;
	}
	return code;
}

int uni_error_set(struct uni_error *error, int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set(error, code, UNI_EXIT_FAILED, format, arguments);
	va_end(arguments);
	return code;
}

int uni_error_usage(struct uni_error *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set(error, -UNI_EINVAL, UNI_EXIT_USAGE, format, arguments);
	va_end(arguments);
	return -UNI_EINVAL;
}

int uni_error_no_guest(struct uni_error *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set(error, -UNI_ENOENT, UNI_EXIT_NO_GUEST, format, arguments);
	va_end(arguments);
	return -UNI_ENOENT;
}

static void join(struct uni_error *error, const char *first, const char *between,
		 const char *second)
{
	/* Cut by itself so that a long first part still leaves a terminated line. */
	char text[2 * UNI_ERROR_TEXT_SIZE + 4];

	snprintf(text, sizeof(text), "%s%s%s", first, between, second);
	uni_sanitize(error->text, sizeof(error->text), text, strlen(text));
}

int uni_error_system(struct uni_error *error, int errnum, const char *format, ...)
{
	char text[UNI_ERROR_TEXT_SIZE];
	va_list arguments;

	if (!error)
		return -errnum;
	va_start(arguments, format);
	format_text(text, format, arguments);
	va_end(arguments);
	error->code = -errnum;
	error->exit_status = UNI_EXIT_FAILED;
	join(error, text, ": ", strerror(errnum));
	return -errnum;
}

int uni_error_prefix(struct uni_error *error, const char *format, ...)
{
	char text[UNI_ERROR_TEXT_SIZE];
	va_list arguments;

	if (!error)
		return -UNI_EINVAL;
	va_start(arguments, format);
	format_text(text, format, arguments);
	va_end(arguments);
	join(error, text, ": ", error->text);
	return error->code;
}

int uni_error_advise(struct uni_error *error, const char *format, ...)
{
	char text[UNI_ERROR_TEXT_SIZE];
	va_list arguments;

	if (!error)
		return -UNI_EINVAL;
	va_start(arguments, format);
	format_text(text, format, arguments);
	va_end(arguments);
	join(error, error->text, "; ", text);
	return error->code;
}

int uni_error_print(const struct uni_error *error, const char *program)
{
	fprintf(stderr, "%s: %s\n", program, error->text);
	return error->exit_status;
}
