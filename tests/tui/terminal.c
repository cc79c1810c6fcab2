/* SPDX-License-Identifier: MIT */
#include "tests/tui/terminal.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AWAIT_MS 10000

static int on_property(VTermProp property, VTermValue *value, void *context)
{
	struct terminal *terminal = context;

	if (property == VTERM_PROP_ALTSCREEN)
		terminal->alternate = value->boolean;
	else if (property == VTERM_PROP_CURSORVISIBLE)
		terminal->cursor_visible = value->boolean;
	else if (property == VTERM_PROP_TITLE)
		terminal->title_changed = true;
	return 1;
}

static int on_bell(void *context)
{
	((struct terminal *)context)->bells++;
	return 1;
}

static const VTermScreenCallbacks callbacks = {.settermprop = on_property, .bell = on_bell};

bool terminal_start(struct terminal *terminal, char *const argv[], int columns, int rows)
{
	const struct winsize size = {
		.ws_row = (unsigned short)rows,
		.ws_col = (unsigned short)columns,
	};

	memset(terminal, 0, sizeof(*terminal));
	terminal->rows = rows;
	terminal->columns = columns;
	terminal->cursor_visible = true;
	terminal->vterm = vterm_new(rows, columns);
	vterm_set_utf8(terminal->vterm, 1);
	terminal->screen = vterm_obtain_screen(terminal->vterm);
	vterm_screen_set_callbacks(terminal->screen, &callbacks, terminal);
	vterm_screen_enable_altscreen(terminal->screen, 1);
	vterm_screen_reset(terminal->screen, 1);
	terminal->title_changed = false;
	terminal->pid = forkpty(&terminal->fd, NULL, NULL, &size);
	if (terminal->pid == 0) {
		/* Waits until the settings have been read, which is what they must be again. */
		char go;

		if (read(STDIN_FILENO, &go, 1) == 1)
			execv(argv[0], argv);
		_exit(127);
	}
	if (terminal->pid < 0 || tcgetattr(terminal->fd, &terminal->settings) < 0)
		return false;
	terminal_type(terminal, "\n");
	return true;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Takes in what the program writes within ms; false: it has closed the terminal. */
static bool read_output(struct terminal *terminal, int ms)
{
	struct pollfd ready = {.fd = terminal->fd, .events = POLLIN};
	char bytes[4096];
	ssize_t got;

	if (poll(&ready, 1, ms) <= 0)
		return true;
	got = read(terminal->fd, bytes, sizeof(bytes));
	if (got <= 0)
		return false;
	vterm_input_write(terminal->vterm, bytes, (size_t)got);
	return true;
}

void terminal_follow(struct terminal *terminal, int ms)
{
	int64_t end_ms = now_ms() + ms;

	for (int64_t left_ms = ms; left_ms > 0; left_ms = end_ms - now_ms())
		if (!read_output(terminal, (int)left_ms))
			return;
}

static size_t put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	out[0] = (char)(0xe0 | c >> 12);
	out[1] = (char)(0x80 | (c >> 6 & 0x3f));
	out[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

const char *terminal_row(struct terminal *terminal, int y)
{
	static char row[1024];
	size_t len = 0;

	for (int x = 0; x < terminal->columns && len + 4 < sizeof(row); x++) {
		VTermScreenCell cell;

		vterm_screen_get_cell(terminal->screen, (VTermPos){.row = y, .col = x}, &cell);
		len += put_utf8(row + len, cell.chars[0] ? cell.chars[0] : ' ');
	}
	while (len > 0 && row[len - 1] == ' ')
		len--;
	row[len] = '\0';
	return row;
}

const char *terminal_text(struct terminal *terminal)
{
	char *out = terminal->text;

	for (int y = 0; y < terminal->rows; y++) {
		const char *row = terminal_row(terminal, y);
		size_t len = strlen(row);

		memcpy(out, row, len);
		out += len;
		*out++ = '\n';
	}
	*out = '\0';
	return terminal->text;
}

bool terminal_await(struct terminal *terminal, const char *text, bool wanted)
{
	int64_t end_ms = now_ms() + AWAIT_MS;

	while ((strstr(terminal_text(terminal), text) != NULL) != wanted) {
		if (now_ms() > end_ms || !read_output(terminal, 50))
			return false;
	}
	return true;
}

void terminal_type(struct terminal *terminal, const char *keys)
{
	size_t len = strlen(keys);

	if (write(terminal->fd, keys, len) != (ssize_t)len)
		abort();
}

void terminal_resize(struct terminal *terminal, int columns, int rows)
{
	const struct winsize size = {
		.ws_row = (unsigned short)rows,
		.ws_col = (unsigned short)columns,
	};

	vterm_set_size(terminal->vterm, rows, columns);
	terminal->rows = rows;
	terminal->columns = columns;
	ioctl(terminal->fd, TIOCSWINSZ, &size);
}

int terminal_find(struct terminal *terminal, const char *text)
{
	for (int y = 0; y < terminal->rows; y++)
		if (strstr(terminal_row(terminal, y), text))
			return y;
	return -1;
}

int terminal_chosen(struct terminal *terminal)
{
	for (int y = 1; y < terminal->rows - 1; y++) {
		int x = 0;

		for (; x < terminal->columns; x++) {
			VTermScreenCell cell;

			vterm_screen_get_cell(terminal->screen, (VTermPos){.row = y, .col = x},
					      &cell);
			if (!cell.attrs.reverse)
				break;
		}
		if (x == terminal->columns)
			return y;
	}
	return -1;
}

int terminal_wait(struct terminal *terminal)
{
	int64_t end_ms = now_ms() + AWAIT_MS;
	int status = -1;

	while (waitpid(terminal->pid, &status, WNOHANG) == 0) {
		if (now_ms() > end_ms)
			return -1;
		read_output(terminal, 20);
	}
	terminal->pid = 0;
	/* What it wrote last. */
	terminal_follow(terminal, 50);
	return status;
}

bool terminal_is_restored(const struct terminal *terminal)
{
	struct termios now;

	return tcgetattr(terminal->fd, &now) == 0 && now.c_iflag == terminal->settings.c_iflag &&
	       now.c_oflag == terminal->settings.c_oflag &&
	       now.c_lflag == terminal->settings.c_lflag &&
	       now.c_cflag == terminal->settings.c_cflag;
}

void terminal_fini(struct terminal *terminal)
{
	if (terminal->pid > 0) {
		kill(terminal->pid, SIGKILL);
		waitpid(terminal->pid, NULL, 0);
	}
	close(terminal->fd);
	vterm_free(terminal->vterm);
}
