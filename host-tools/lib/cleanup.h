/* SPDX-License-Identifier: MIT */
/*
 * Cleanup attributes: what a variable holds is given back when it goes out of scope.
 *
 *	uni_cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
 *	...
 *	return uni_take_fd(&fd);
 *
 * Variables must be initialised where they are declared: -1 for descriptors, NULL for pointers.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void uni_cleanup_fd_function(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void uni_cleanup_file_function(FILE **file)
{
	int saved = errno;

	if (*file)
		fclose(*file);
	errno = saved;
}

static inline void uni_cleanup_dir_function(DIR **dir)
{
	int saved = errno;

	if (*dir)
		closedir(*dir);
	errno = saved;
}

static inline void uni_cleanup_free_function(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}

#define uni_cleanup(function) __attribute__((cleanup(function)))
#define uni_cleanup_fd uni_cleanup(uni_cleanup_fd_function)
#define uni_cleanup_file uni_cleanup(uni_cleanup_file_function)
#define uni_cleanup_dir uni_cleanup(uni_cleanup_dir_function)
#define uni_cleanup_free uni_cleanup(uni_cleanup_free_function)

/* Hands a descriptor out of its scope. */
static inline int uni_take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Hands a pointer out of its scope: uni_take(&text). */
#define uni_take(pointer_to_pointer)                                                 \
	({                                                                           \
		__typeof__(*(pointer_to_pointer)) uni_taken = *(pointer_to_pointer); \
		*(pointer_to_pointer) = NULL;                                        \
		uni_taken;                                                           \
	})
