/* SPDX-License-Identifier: MIT */

/* Time and the process that there is none of. alarm() is what keeps a test that hangs from staying
 * for ever; the runner's time limit does that here. */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tests/guest/gdb_testsuite/guest.h"

#define NS_PER_S 1000000000ull
#define THE_PROCESS 42000 /* what gdb calls the process of a target that has none */

unsigned alarm(unsigned seconds)
{
	(void)seconds;
	return 0;
}

unsigned sleep(unsigned seconds)
{
	guest_sleep_ns(seconds * NS_PER_S);
	return 0;
}

int usleep(useconds_t microseconds)
{
	guest_sleep_ns(microseconds * 1000ull);
	return 0;
}

int nanosleep(const struct timespec *duration, struct timespec *left)
{
	(void)left;
	guest_sleep_ns((uint64_t)duration->tv_sec * NS_PER_S + (uint64_t)duration->tv_nsec);
	return 0;
}

time_t time(time_t *out)
{
	time_t now = (time_t)(guest_time_ns() / NS_PER_S);

	if (out != NULL)
		*out = now;
	return now;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	uint64_t ns = guest_time_ns();

	(void)zone;
	now->tv_sec = (time_t)(ns / NS_PER_S);
	now->tv_usec = (suseconds_t)(ns % NS_PER_S / 1000);
	return 0;
}

pid_t getpid(void)
{
	return THE_PROCESS;
}

pid_t getppid(void)
{
	return 1;
}
