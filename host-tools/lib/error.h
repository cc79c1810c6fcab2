/* SPDX-License-Identifier: MIT */
/*
 * An error that a person reads: one line that says what failed, on what, why and what to do, as
 * "cannot start shop: 2 MiB of memory is less than the image needs (3.4 MiB loaded); try --memory
 * 8".
 *
 * Libraries fill one and return its negative code; only commands print it. Every text passes
 * through sanitize.h, so that names and guest text in it cannot reach the terminal raw, and is cut
 * at UNI_ERROR_TEXT_SIZE. All functions accept a NULL error and then keep nothing.
 */
#pragma once

#include <stddef.h>

#define UNI_ERROR_TEXT_SIZE 1024

/* Exit statuses of every program of Uniscope. */
enum uni_exit_status {
	UNI_EXIT_OK = 0,
	UNI_EXIT_FAILED = 1,
	UNI_EXIT_USAGE = 2,
	UNI_EXIT_NO_GUEST = 3,
};

struct uni_error {
	int code;			  /* negative UNI_E* or errno value; 0: nothing failed */
	enum uni_exit_status exit_status; /* what a command that fails by it exits with */
	char text[UNI_ERROR_TEXT_SIZE];
};

/* Sets the whole text, and returns `code` (negative). The exit status becomes UNI_EXIT_FAILED. */
int uni_error_set(struct uni_error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* As uni_error_set(), with ": " and strerror(errnum) after the text; returns -errnum. */
int uni_error_system(struct uni_error *error, int errnum, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* As uni_error_set() with -UNI_EINVAL, for a wrong command line: exit status UNI_EXIT_USAGE. */
int uni_error_usage(struct uni_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* As uni_error_set() with -UNI_ENOENT, for a guest that does not run: UNI_EXIT_NO_GUEST. */
int uni_error_no_guest(struct uni_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Puts "FORMAT: " before the text: what the caller was about. Keeps and returns the code. */
int uni_error_prefix(struct uni_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Puts "; FORMAT" after the text: what to do about it. Keeps and returns the code. */
int uni_error_advise(struct uni_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* For commands only: prints "PROGRAM: TEXT" as one line on stderr; returns the exit status. */
int uni_error_print(const struct uni_error *error, const char *program);
