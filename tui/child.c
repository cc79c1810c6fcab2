/* SPDX-License-Identifier: MIT */
#include "tui/child.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host-tools/lib/cleanup.h"
#include "tui/clock.h"

extern char **environ;

#define WORDS_MAX 16

/* The uniscope of this build or installation, else that of the PATH. */
static void find_uniscope(char *path, size_t size)
{
	static const char *const places[] = {"uniscope", "../host-tools/uniscope"};
	char own[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);
	char *slash;

	snprintf(path, size, "uniscope");
	if (len <= 0)
		return;
	own[len] = '\0';
	slash = strrchr(own, '/');
	if (!slash)
		return;
	*slash = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char candidate[PATH_MAX + 32];

		snprintf(candidate, sizeof(candidate), "%s/%s", own, places[i]);
		if (access(candidate, X_OK) == 0) {
			snprintf(path, size, "%s", candidate);
			return;
		}
	}
}

/* Signals that unitop takes through a descriptor are the child's own again. */
static int spawn(const char *path, char *const argv[], pid_t *pid)
{
	posix_spawnattr_t attributes;
	sigset_t none;
	int result;

	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, &none);
	result = posix_spawnp(pid, path, NULL, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	return result;
}

/* Until the descriptor of the process says that it ended. */
static void listen_meanwhile(struct model *model, int pid_fd)
{
	struct pollfd fds[MODEL_GUESTS_MAX + 1];

	for (;;) {
		size_t count = 1 + model_fill_poll(model, fds + 1, MODEL_GUESTS_MAX);

		fds[0] = (struct pollfd){.fd = pid_fd, .events = POLLIN};
		if (poll(fds, count, -1) < 0 && errno != EINTR)
			return;
		if (fds[0].revents)
			return;
		model_receive(model, false, clock_now_ns());
	}
}

int child_run(struct model *model, const char *const words[], struct uni_error *error)
{
	char path[PATH_MAX + 32];
	const char *argv[WORDS_MAX + 2] = {path};
	uni_cleanup_fd int pid_fd = -1;
	int status, result;
	pid_t pid;

	for (size_t i = 0; i < WORDS_MAX && words[i]; i++)
		argv[i + 1] = words[i];
	find_uniscope(path, sizeof(path));
	result = spawn(path, (char *const *)argv, &pid);
	if (result != 0)
		return uni_error_system(error, result, "cannot start %s", path);
	pid_fd = pidfd_open(pid, 0);
	if (pid_fd >= 0)
		listen_meanwhile(model, pid_fd);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return uni_error_system(error, errno, "cannot wait for %s", path);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
