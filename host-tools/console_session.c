/* SPDX-License-Identifier: MIT */
#include "host-tools/console_session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/sanitize.h"

#define PIECE 4096

/* When the input has ended, what is on its way is still shown: until it pauses, or for so long. */
#define PAUSE_MS 100
#define DRAIN_ROUNDS_MAX 100

enum { CONSOLE, INPUT, SIGNALS, CONTROL, FD_COUNT };

struct state {
	struct pollfd fds[FD_COUNT];
	struct uni_sanitizer sanitizer;
	bool raw;	/* the output is no terminal */
	unsigned drain; /* rounds since the input ended; 0: it has not */
};

static int write_all(const char *data, size_t len, struct uni_error *error)
{
	while (len > 0) {
		ssize_t written = write(STDOUT_FILENO, data, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return uni_error_system(error, errno, "cannot write the console's output");
		data += written;
		len -= (size_t)written;
	}
	return 0;
}

/* Returns 1 at the end of the console. */
static int show_output(struct state *state, struct uni_error *error)
{
	char shown[(PIECE + 4) * UNI_SANITIZE_GROWTH];
	uint8_t data[PIECE];
	ssize_t len = read(state->fds[CONSOLE].fd, data, sizeof(data));
	size_t shown_len;

	if (len < 0 && errno == EINTR)
		return 0;
	if (len <= 0)
		return 1;
	if (state->raw)
		return write_all((const char *)data, (size_t)len, error);
	shown_len = uni_sanitizer_feed(&state->sanitizer, shown, data, (size_t)len);
	return write_all(shown, shown_len, error);
}

/* Returns 1 when the input has ended. */
static int send_input(struct state *state)
{
	uint8_t data[1024];
	ssize_t len = read(STDIN_FILENO, data, sizeof(data));

	if (len < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	/* Reading a terminal from the background fails: without input it goes on. */
	if (len <= 0) {
		state->fds[INPUT].fd = -1;
		return 1;
	}
	send(state->fds[CONSOLE].fd, data, (size_t)len, MSG_NOSIGNAL);
	return 0;
}

static void ask_for_stop(int control_fd, int signal_fd)
{
	struct signalfd_siginfo info;

	if (read(signal_fd, &info, sizeof(info)) == sizeof(info))
		send(control_fd, "s", 1, MSG_NOSIGNAL);
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGTTIN, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* One round. Returns 1 at the end, 0 to go on, or a negative code. */
static int serve(struct state *state, struct run_report *report, struct uni_error *error)
{
	int status = 0;
	int ready = poll(state->fds, FD_COUNT, state->drain ? PAUSE_MS : -1);

	if (ready < 0)
		return errno == EINTR ? 0 : uni_error_system(error, errno, "cannot wait");
	if (state->drain && (ready == 0 || ++state->drain > DRAIN_ROUNDS_MAX))
		return 1;
	if (state->fds[CONSOLE].revents)
		status = show_output(state, error);
	if (status < 0)
		return status;
	if (status > 0) {
		/* The last report comes after the last output. */
		state->fds[CONSOLE].fd = -1;
		if (state->fds[CONTROL].fd < 0)
			return 1;
	}
	if (state->fds[INPUT].revents && send_input(state) && state->fds[CONTROL].fd < 0)
		state->drain = 1;
	if (state->fds[SIGNALS].revents) {
		if (state->fds[CONTROL].fd < 0)
			return 1;
		ask_for_stop(state->fds[CONTROL].fd, state->fds[SIGNALS].fd);
	}
	/* The console is emptied first, so that its last words stand before the verdict. */
	if (state->fds[CONTROL].revents && state->fds[CONSOLE].revents == 0) {
		status = run_report_receive(state->fds[CONTROL].fd, report, error);
		if (status < 0)
			return status;
		return report->kind == RUN_REPORT_ENDED || report->kind == RUN_REPORT_FAILED;
	}
	return 0;
}

int console_session_run(const struct console_session *session, struct run_report *report,
			struct uni_error *error)
{
	uni_cleanup_fd int console_fd = session->console_fd;
	uni_cleanup_fd int signal_fd = open_signals();
	struct state state = {.raw = !isatty(STDOUT_FILENO)};
	int status;

	state.fds[CONSOLE] = (struct pollfd){.fd = console_fd, .events = POLLIN};
	state.fds[INPUT] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
	state.fds[SIGNALS] = (struct pollfd){.fd = signal_fd, .events = POLLIN};
	state.fds[CONTROL] = (struct pollfd){.fd = session->control_fd, .events = POLLIN};
	do {
		status = serve(&state, report, error);
	} while (status == 0);
	return status < 0 ? status : 0;
}
