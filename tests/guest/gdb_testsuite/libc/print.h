/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/* printf's formatting; each piece goes to put(). Returns the length of all. */
int print_format(void (*put)(void *context, const char *text, size_t len), void *context,
		 const char *format, va_list *arguments);
