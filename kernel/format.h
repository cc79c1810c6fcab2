/* SPDX-License-Identifier: MIT */
#pragma once

/* printf's formatting, freestanding: %d %i %u %x %X %p %c %s %% with flags 0 - +, width and
 * precision (also as *), length hh h l ll z t. No allocation, any context. */

#include <stdarg.h>
#include <stddef.h>

/* Writes at most size bytes, the 0 included (none when size is 0); returns the length the whole
 * text has. */
size_t format_text(char *buffer, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
size_t format_text_v(char *buffer, size_t size, const char *format, va_list arguments)
	__attribute__((format(printf, 3, 0)));
