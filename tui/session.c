/* SPDX-License-Identifier: MIT */
#include "tui/session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "host-tools/lib/cleanup.h"
#include "tracing/errno.h"
#include "tui/clock.h"
#include "tui/layout.h"
#include "tui/step_aside.h"
#include "tui/view_terminal.h"

/* What guests answer after this is shown at the next look. */
#define SETTLE_NS 80000000ull
/* Rates need two looks: the second one comes soon after the start. */
#define SECOND_LOOK_NS 300000000ull

struct session {
	struct model model;
	struct ui ui;
	struct screen screen;
	int signal_fd;
	bool ended;
	int signal;	    /* that ended it; 0: none */
	bool draw;	    /* something on the screen is other than it was */
	uint64_t look_ns;   /* when to ask the guests again */
	uint64_t settle_ns; /* until when answers are waited for; 0: for none */
	unsigned looks;
};

static int block_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGQUIT);
	sigaddset(&signals, SIGWINCH);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void resize(struct session *session)
{
	int width, height;

	view_resize(&width, &height);
	/* Without memory the old size stays, and is cut. */
	if (screen_resize(&session->screen, width, height) == 0)
		session->draw = true;
}

static void take_signals(struct session *session)
{
	struct signalfd_siginfo info;

	while (read(session->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH) {
			resize(session);
		} else {
			session->ended = true;
			session->signal = (int)info.ssi_signo;
		}
	}
}

/* Ctrl-C and Ctrl-\ of the program that had the terminal came here too. */
static void forget_signals(struct session *session)
{
	struct signalfd_siginfo info;

	while (read(session->signal_fd, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGHUP)
			session->ended = true;
}

static void hand_over(struct session *session, enum ui_request request)
{
	struct uni_error error = {0};
	int status;

	view_suspend();
	if (request == UI_REQUEST_GDB)
		status = step_aside_gdb(&session->model, session->ui.guest, &error);
	else
		status = step_aside_record(&session->model, session->ui.guest, &error);
	forget_signals(session);
	view_resume();
	resize(session);
	if (status < 0)
		ui_say(&session->ui, clock_now_ns(), "%s", error.text);
	session->look_ns = 0;
}

static void take_keys(struct session *session)
{
	struct view_event event;

	while (!session->ended && view_event(&event)) {
		uint64_t now_ns = clock_now_ns();
		enum ui_request request =
			event.is_click
				? ui_click(&session->ui, &session->model, event.x, event.y, now_ns)
				: ui_key(&session->ui, &session->model, event.key, now_ns);

		session->draw = true;
		if (request == UI_REQUEST_QUIT)
			session->ended = true;
		else if (request != UI_REQUEST_NONE)
			hand_over(session, request);
	}
}

static void look(struct session *session, uint64_t now_ns)
{
	uint64_t delay_ns = session->ui.delay_ms * 1000000;

	session->model.interval_ns = delay_ns;
	if (!session->ui.paused) {
		model_refresh(&session->model, now_ns);
		session->settle_ns = now_ns + SETTLE_NS;
	}
	session->look_ns = now_ns + delay_ns;
	if (session->looks++ == 0 && SECOND_LOOK_NS < delay_ns)
		session->look_ns = now_ns + SECOND_LOOK_NS;
}

/* Answers of many guests make one new picture, not one each. */
static void settle(struct session *session, bool urgent, uint64_t now_ns)
{
	if (urgent)
		session->draw = true;
	if (session->settle_ns == 0)
		return;
	if (now_ns >= session->settle_ns || model_is_settled(&session->model)) {
		session->settle_ns = 0;
		session->draw = true;
	}
}

static void draw(struct session *session, uint64_t now_ns)
{
	if (!session->draw || session->looks == 0 || (session->looks == 1 && session->settle_ns))
		return;
	layout_draw(&session->screen, &session->ui, &session->model, now_ns);
	view_show(&session->screen);
	session->draw = false;
}

static void wait_for_something(struct session *session, uint64_t now_ns)
{
	struct pollfd fds[MODEL_GUESTS_MAX + 2];
	uint64_t until_ns = session->look_ns;
	size_t count;

	if (session->settle_ns && session->settle_ns < until_ns)
		until_ns = session->settle_ns;
	fds[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = session->signal_fd, .events = POLLIN};
	count = 2 + model_fill_poll(&session->model, fds + 2, MODEL_GUESTS_MAX);
	if (poll(fds, count, clock_poll_timeout(now_ns, until_ns)) <= 0)
		return;
	take_signals(session);
	/* The terminal is gone. */
	if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		session->ended = true;
}

static void loop(struct session *session)
{
	resize(session);
	while (!session->ended) {
		uint64_t now_ns = clock_now_ns();
		bool urgent;

		if (now_ns >= session->look_ns)
			look(session, now_ns);
		urgent = model_receive(&session->model, session->ui.paused, now_ns);
		settle(session, urgent, now_ns);
		draw(session, now_ns);
		wait_for_something(session, now_ns);
		take_keys(session);
	}
}

int session_run(const char *name, uint64_t delay_ms, const char *hint, struct uni_error *error)
{
	struct session session = {.signal_fd = -1};
	struct uni_guest_info guest;
	int result = name ? uni_registry_find(name, &guest, error) : 0;

	if (result < 0)
		return result;
	result = view_open(error);
	if (result < 0)
		return result;
	session.signal_fd = block_signals();
	model_init(&session.model, delay_ms * 1000000);
	ui_init(&session.ui, delay_ms);
	session.ui.hint = hint;
	if (name)
		ui_open(&session.ui, name);
	loop(&session);
	view_close();
	close(session.signal_fd);
	ui_fini(&session.ui);
	model_fini(&session.model);
	screen_fini(&session.screen);
	return session.signal ? 128 + session.signal : 0;
}
