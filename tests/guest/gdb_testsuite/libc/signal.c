/* SPDX-License-Identifier: MIT */

/* There are no signals: what sets them up succeeds, what sends one does nothing. */

#include <signal.h>
#include <stddef.h>
#include <string.h>

sighandler_t signal(int number, sighandler_t handler)
{
	(void)number;
	(void)handler;
	return SIG_DFL;
}

int sigaction(int number, const struct sigaction *restrict action, struct sigaction *restrict old)
{
	(void)number;
	(void)action;
	if (old != NULL)
		memset(old, 0, sizeof(*old));
	return 0;
}

int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
	(void)how;
	(void)set;
	(void)old;
	return 0;
}

int sigemptyset(sigset_t *set)
{
	memset(set, 0, sizeof(*set));
	return 0;
}

int sigfillset(sigset_t *set)
{
	memset(set, 0xff, sizeof(*set));
	return 0;
}

int(sigaddset)(sigset_t *set, int number)
{
	set->__val[0] |= 1ul << (number - 1);
	return 0;
}

int raise(int number)
{
	(void)number;
	return 0;
}

int kill(int process, int number)
{
	(void)process;
	(void)number;
	return 0;
}
