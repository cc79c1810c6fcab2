/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/launch_internal.h"
#include "tracing/errno.h"

/* Deep enough for a burst of frames; the kernel may give less. */
#define SOCKET_BUFFER (1 << 20)

const char *const uni_machine_names[] = {"microvm", "q35", NULL};
const char *const uni_accel_names[] = {"auto", "tcg", "kvm", NULL};

const struct uni_launched uni_launched_none = {
	.pid = -1,
	.pid_fd = -1,
	.memory_fd = -1,
	.qmp_fd = -1,
	.console_fd = -1,
	.probe_fd = -1,
	.trace_fd = -1,
	.stderr_fd = -1,
};

/* Whether the processor offers hardware virtualization to us: svm or vmx among its flags. */
static bool has_virtualization(void)
{
	uni_cleanup_file FILE *file = fopen("/proc/cpuinfo", "re");
	uni_cleanup_free char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		if (strncmp(line, "flags", 5) != 0)
			continue;
		/* The list ends with a line break. */
		return strstr(line, " svm ") || strstr(line, " svm\n") || strstr(line, " vmx ") ||
		       strstr(line, " vmx\n");
	}
	return false;
}

int uni_launch_resolve_accel(enum uni_accel wanted, enum uni_accel *accel, bool *slow_kvm,
			     struct uni_error *error)
{
	uni_cleanup_fd int fd = -1;
	bool virtualization;

	*slow_kvm = false;
	*accel = UNI_ACCEL_TCG;
	if (wanted == UNI_ACCEL_TCG)
		return 0;
	fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (wanted == UNI_ACCEL_KVM && fd < 0) {
		uni_error_system(error, errno, "--accel kvm needs /dev/kvm");
		return uni_error_advise(error, "take --accel tcg");
	}
	virtualization = has_virtualization();
	if (wanted == UNI_ACCEL_KVM || (fd >= 0 && virtualization))
		*accel = UNI_ACCEL_KVM;
	*slow_kvm = *accel == UNI_ACCEL_KVM && !virtualization;
	return 0;
}

int uni_launch_check_memory(const struct uni_image *image, uint32_t memory_mib,
			    struct uni_error *error)
{
	uint64_t mib = 1024 * 1024;
	uint64_t needed = (image->load_end + mib - 1) / mib;
	/* Twice the image leaves it something to work with. */
	uint64_t advised = 8;

	if (memory_mib > needed)
		return 0;
	while (advised < 2 * needed)
		advised *= 2;
	return uni_error_set(error, -UNI_ENOMEM,
			     "%u MiB of memory is less than the image needs (loaded up to %.1f "
			     "MiB); try --memory %llu",
			     memory_mib, (double)image->load_end / (double)mib,
			     (unsigned long long)advised);
}

/* One channel: ours non-blocking, the other for QEMU. */
static int make_channel(int *ours, int *theirs)
{
	int ends[2], size = SOCKET_BUFFER;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	*ours = ends[0];
	*theirs = ends[1];
	for (int i = 0; i < 2; i++)
		if (setsockopt(ends[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
			setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return fcntl(*ours, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static int make_memory(const struct uni_launch_options *options, struct uni_error *error)
{
	uni_cleanup_fd int fd = memfd_create("uniscope-ram", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)options->memory_mib << 20) < 0)
		return uni_error_system(error, errno, "cannot make %u MiB of guest memory",
					options->memory_mib);
	return uni_take_fd(&fd);
}

static void keep_across_exec(int fd)
{
	fcntl(fd, F_SETFD, 0);
}

/* In the child: never returns. An exec that fails is told over status_fd as its errno. */
_Noreturn static void become_qemu(char **words, const struct uni_launch_channels *channels,
				  int stderr_fd, int status_fd, pid_t parent)
{
	static const int reset[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD};
	sigset_t none;
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* Its own group: Ctrl-C on the terminal is for the supervisor, which stops it in order. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (unsigned i = 0; i < sizeof(reset) / sizeof(reset[0]); i++)
		signal(reset[i], SIG_DFL);
	dup2(null_fd, STDIN_FILENO);
	dup2(null_fd, STDOUT_FILENO);
	dup2(stderr_fd, STDERR_FILENO);
	keep_across_exec(channels->memory_fd);
	keep_across_exec(channels->qmp_fd);
	keep_across_exec(channels->console_fd);
	keep_across_exec(channels->gdb_listener);
	keep_across_exec(channels->app_listener);
	keep_across_exec(channels->probe_fd);
	keep_across_exec(channels->trace_fd);
	execvp(words[0], words);
	if (write(status_fd, &errno, sizeof(errno)) < 0)
		_exit(126);
	_exit(127);
}

static int exec_error(int errnum, struct uni_error *error)
{
	if (errnum != ENOENT)
		return uni_error_system(error, errnum, "cannot run %s", UNI_QEMU_PROGRAM);
	return uni_error_set(error, -ENOENT,
			     "%s is not installed or not on the PATH; install the package "
			     "qemu-system-x86",
			     UNI_QEMU_PROGRAM);
}

/* Forks, and waits until QEMU runs or could not be run. */
static int start(char **words, const struct uni_launch_channels *channels, int stderr_fd,
		 struct uni_launched *launched, struct uni_error *error)
{
	uni_cleanup_fd int status_read = -1;
	uni_cleanup_fd int status_write = -1;
	pid_t parent = getpid();
	int pipe_fds[2], errnum;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return uni_error_system(error, errno, "cannot make a pipe");
	status_read = pipe_fds[0];
	status_write = pipe_fds[1];
	launched->pid = fork();
	if (launched->pid < 0)
		return uni_error_system(error, errno, "cannot start a process");
	if (launched->pid == 0)
		become_qemu(words, channels, stderr_fd, status_write, parent);
	launched->pid_fd = (int)syscall(SYS_pidfd_open, launched->pid, 0);
	if (launched->pid_fd < 0)
		return uni_error_system(error, errno, "cannot watch the process of QEMU");
	fcntl(launched->pid_fd, F_SETFD, FD_CLOEXEC);
	close(uni_take_fd(&status_write));
	if (read(status_read, &errnum, sizeof(errnum)) == sizeof(errnum))
		return exec_error(errnum, error);
	return 0;
}

static int make_channels(struct uni_launched *launched, struct uni_launch_channels *channels,
			 int *stderr_write, struct uni_error *error)
{
	int pipe_fds[2];
	int status = make_channel(&launched->qmp_fd, &channels->qmp_fd);

	if (status == 0)
		status = make_channel(&launched->console_fd, &channels->console_fd);
	if (status == 0)
		status = make_channel(&launched->probe_fd, &channels->probe_fd);
	if (status == 0)
		status = make_channel(&launched->trace_fd, &channels->trace_fd);
	if (status == 0 && pipe2(pipe_fds, O_CLOEXEC) < 0)
		status = -errno;
	if (status < 0)
		return uni_error_system(error, -status, "cannot make the channels to QEMU");
	launched->stderr_fd = pipe_fds[0];
	*stderr_write = pipe_fds[1];
	fcntl(launched->stderr_fd, F_SETFL, O_NONBLOCK);
	return 0;
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

int uni_launch(const struct uni_launch_options *options, struct uni_launched *launched,
	       struct uni_error *error)
{
	struct uni_launched fresh = uni_launched_none;
	struct uni_launch_channels channels = {.qmp_fd = -1,
					       .console_fd = -1,
					       .probe_fd = -1,
					       .trace_fd = -1,
					       .gdb_listener = options->gdb_listener,
					       .app_listener = options->app_listener};
	int stderr_write = -1;
	char **words = NULL;
	int status;

	fresh.memory_fd = make_memory(options, error);
	if (fresh.memory_fd < 0)
		return fresh.memory_fd;
	channels.memory_fd = fresh.memory_fd;
	status = make_channels(&fresh, &channels, &stderr_write, error);
	if (status == 0) {
		words = uni_launch_command(options, &channels);
		status = words ? start(words, &channels, stderr_write, &fresh, error)
			       : uni_error_set(error, -UNI_ENOMEM, "out of memory");
	}
	uni_launch_command_free(words);
	close_if_open(channels.qmp_fd);
	close_if_open(channels.console_fd);
	close_if_open(channels.probe_fd);
	close_if_open(channels.trace_fd);
	close_if_open(stderr_write);
	if (status < 0)
		uni_launched_end(&fresh);
	else
		*launched = fresh;
	return status;
}

void uni_launched_end(struct uni_launched *launched)
{
	if (launched->pid > 0) {
		kill(launched->pid, SIGKILL);
		waitpid(launched->pid, NULL, 0);
	}
	close_if_open(launched->pid_fd);
	close_if_open(launched->memory_fd);
	close_if_open(launched->qmp_fd);
	close_if_open(launched->console_fd);
	close_if_open(launched->probe_fd);
	close_if_open(launched->trace_fd);
	close_if_open(launched->stderr_fd);
	*launched = uni_launched_none;
}
