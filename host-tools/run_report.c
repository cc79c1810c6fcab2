/* SPDX-License-Identifier: MIT */
#include "host-tools/run_report.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tracing/errno.h"

static void send_report(int fd, const struct run_report *report)
{
	/* Whoever waited may have gone; the guest goes on all the same when it is detached. */
	(void)!send(fd, report, sizeof(*report), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void send_kind(void *context, enum run_report_kind kind)
{
	struct run_report report = {.kind = kind};

	send_report(*(int *)context, &report);
}

static void on_started(void *context)
{
	send_kind(context, RUN_REPORT_STARTED);
}

static void on_booted(void *context)
{
	send_kind(context, RUN_REPORT_BOOTED);
}

/* A session of its own: no terminal's Ctrl-C or hangup reaches it, and it holds no pipe open. */
static void leave_terminal(void)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	dup2(null_fd, STDIN_FILENO);
	dup2(null_fd, STDOUT_FILENO);
	dup2(null_fd, STDERR_FILENO);
}

_Noreturn void run_report_supervise(const struct uni_supervisor_options *options, int control_fd,
				    bool detach)
{
	struct uni_supervisor_options mine = *options;
	struct run_report report = {.kind = RUN_REPORT_ENDED};
	int status;

	leave_terminal();
	mine.started = on_started;
	mine.booted = on_booted;
	mine.context = &control_fd;
	mine.control_fd = control_fd;
	mine.stop_at_eof = !detach;
	status = uni_supervisor_run(&mine, &report.ending, &report.error);
	if (status < 0)
		report.kind = RUN_REPORT_FAILED;
	send_report(control_fd, &report);
	_exit(status < 0 || !report.ending.clean ? UNI_EXIT_FAILED : UNI_EXIT_OK);
}

int run_report_receive(int control_fd, struct run_report *report, struct uni_error *error)
{
	ssize_t len;

	do {
		len = recv(control_fd, report, sizeof(*report), 0);
	} while (len < 0 && errno == EINTR);
	if (len == (ssize_t)sizeof(*report))
		return 0;
	return uni_error_set(error, -UNI_EIO, "its supervisor was killed");
}
