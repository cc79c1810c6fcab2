/* SPDX-License-Identifier: MIT */

/* Life and death of the program. */

#include <stdlib.h>
#include <unistd.h>

#include "tests/guest/gdb_testsuite/guest.h"

#define HANDLERS_MAX 32

typedef void (*function)(void);

/* The linker script's. */
extern const function __init_array_start[], __init_array_end[];
extern const function __fini_array_start[], __fini_array_end[];

int main(int argc, char **argv, char **envp);
int __cxa_atexit(void (*handler)(void *), void *argument, void *image);

char **environ;
void *__dso_handle;

static struct {
	void (*run)(void *argument);
	void *argument;
} handlers[HANDLERS_MAX];
static unsigned handler_count;

int __cxa_atexit(void (*handler)(void *), void *argument, void *image)
{
	(void)image;
	if (handler_count == HANDLERS_MAX)
		return -1;
	handlers[handler_count].run = handler;
	handlers[handler_count++].argument = argument;
	return 0;
}

static void run_plain(void *argument)
{
	((function)argument)();
}

int atexit(void (*handler)(void))
{
	return __cxa_atexit(run_plain, (void *)handler, NULL);
}

/* On its own: tests stop at it, whoever ends the program. */
__attribute__((noinline)) void _exit(int status)
{
	guest_exit(status);
}

void _Exit(int status)
{
	guest_exit(status);
}

void exit(int status)
{
	size_t count = (size_t)(__fini_array_end - __fini_array_start);

	while (handler_count > 0) {
		handler_count--;
		handlers[handler_count].run(handlers[handler_count].argument);
	}
	while (count-- > 0)
		__fini_array_start[count]();
	_exit(status);
}

void abort(void)
{
	guest_abort();
}

void libc_start(char *path)
{
	/* On the stack, where gdb finds no name for them. */
	char search[] = "PATH=/bin";
	char *arguments[] = {path, NULL};
	char *environment[] = {search, NULL};

	environ = environment;
	for (const function *next = __init_array_start; next < __init_array_end; next++)
		(*next)();
	exit(main(1, arguments, environ));
}
