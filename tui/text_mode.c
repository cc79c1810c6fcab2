/* SPDX-License-Identifier: MIT */
#include "tui/text_mode.h"

#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tracing/errno.h"
#include "tui/clock.h"
#include "tui/layout.h"

#define WIDTH_DEFAULT 200
#define WIDTH_MAX 1000

/* How long a guest may take to answer. One that does not is shown as far as it is known. */
#define SETTLE_NS 500000000ull

/* What the operator says (COLUMNS), what the terminal has, or a width that cuts nothing. */
static int text_width(void)
{
	const char *columns = getenv("COLUMNS");
	long width = columns ? strtol(columns, NULL, 10) : 0;
	struct winsize size;

	if (width < 1 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		width = size.ws_col;
	if (width < 1)
		width = WIDTH_DEFAULT;
	return width > WIDTH_MAX ? WIDTH_MAX : (int)width;
}

/* Listens until the time has come, or (`settled`) every guest has answered before it. */
static void listen_until(struct model *model, uint64_t end_ns, bool settled)
{
	struct pollfd fds[MODEL_GUESTS_MAX];

	for (;;) {
		uint64_t now_ns = clock_now_ns();

		model_receive(model, false, now_ns);
		if (now_ns >= end_ns || (settled && model_is_settled(model)))
			return;
		if (poll(fds, model_fill_poll(model, fds, MODEL_GUESTS_MAX),
			 clock_poll_timeout(now_ns, end_ns)) < 0 &&
		    errno != EINTR)
			return;
	}
}

static void look(struct model *model)
{
	uint64_t now_ns = clock_now_ns();

	model_refresh(model, now_ns);
	listen_until(model, now_ns + SETTLE_NS, true);
}

/* Steal is known from the second report on that a supervisor sends, one a second. */
#define STEAL_NS 2200000000ull

static bool steal_is_known(const struct model *model)
{
	for (size_t i = 0; i < model->count; i++)
		if (model->guests[i]->client && !model->guests[i]->model.starved.known &&
		    guest_state(model->guests[i]) == UNI_GUEST_RUNNING)
			return false;
	return true;
}

static void await_steal(struct model *model, uint64_t start_ns)
{
	while (!steal_is_known(model) && clock_now_ns() < start_ns + STEAL_NS)
		listen_until(model, clock_now_ns() + STEAL_NS / 50, false);
}

static int print(struct ui *ui, const struct model *model, struct screen *screen,
		 struct uni_error *error)
{
	bool ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;

	if (screen_resize(screen, text_width(), layout_height(ui, model)) < 0)
		return uni_error_set(error, -UNI_ENOMEM, "out of memory");
	layout_draw(screen, ui, model, clock_now_ns());
	screen_print(screen, ascii, stdout);
	if (fflush(stdout) != 0)
		return uni_error_system(error, errno, "cannot write the output");
	return 0;
}

static int run(struct model *model, struct ui *ui, struct screen *screen, uint64_t count,
	       struct uni_error *error)
{
	uint64_t delay_ns = ui->delay_ms * 1000000;
	uint64_t start_ns = clock_now_ns();

	/* Rates need two looks. */
	look(model);
	for (uint64_t i = 0; count == 0 || i < count; i++) {
		int result;

		listen_until(model, clock_now_ns() + delay_ns, false);
		await_steal(model, start_ns);
		look(model);
		if (i > 0)
			putchar('\n');
		result = print(ui, model, screen, error);
		if (result < 0)
			return result;
	}
	return 0;
}

int text_mode_run(const char *name, uint64_t count, uint64_t delay_ms, struct uni_error *error)
{
	struct screen screen = {0};
	struct model model;
	struct ui ui;
	int result;

	if (name) {
		struct uni_guest_info guest;

		result = uni_registry_find(name, &guest, error);
		if (result < 0)
			return result;
	}
	model_init(&model, delay_ms * 1000000);
	ui_init(&ui, delay_ms);
	ui.plain = true;
	if (name)
		ui_open(&ui, name);
	result = run(&model, &ui, &screen, count, error);
	ui_fini(&ui);
	model_fini(&model);
	screen_fini(&screen);
	return result;
}
