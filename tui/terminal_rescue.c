/* SPDX-License-Identifier: MIT */
#include "tui/terminal_rescue.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* What every terminal that unitop can draw on understands: mouse off, attributes off, cursor on,
 * back from the alternate screen (xterm's control sequences). */
static const char leave[] = "\033[?1000l\033[?1002l\033[?1006l\033[0m\033[?25h\033[?1l\033>"
			    "\033[?1049l\r";

static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

static struct termios saved;
static char stack[16 * 1024] __attribute__((aligned(16)));

void rescue_save_terminal(void)
{
	tcgetattr(STDIN_FILENO, &saved);
}

static void rescue(int number)
{
	/* Both are async-signal-safe. SA_RESETHAND lets the second one kill. */
	if (write(STDOUT_FILENO, leave, sizeof(leave) - 1) >= 0)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	raise(number);
}

static void set_handlers(void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};

	action.sa_flags = (int)(SA_RESETHAND | SA_ONSTACK);
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigaction(faults[i], &action, NULL);
}

void rescue_arm(void)
{
	const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};

	sigaltstack(&alternate, NULL);
	set_handlers(rescue);
}

void rescue_disarm(void)
{
	set_handlers(SIG_DFL);
}
