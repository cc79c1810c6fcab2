/* SPDX-License-Identifier: MIT */
#include "tui/ui.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/layout.h"

#define MESSAGE_NS 4000000000ull

void ui_init(struct ui *ui, uint64_t delay_ms)
{
	*ui = (struct ui){.delay_ms = delay_ms};
	table_init(&ui->guests, &layout_guests_ops, GUESTS_NAME);
	table_init(&ui->threads, &layout_threads_ops, THREADS_CPU);
}

void ui_fini(struct ui *ui)
{
	table_fini(&ui->guests);
	table_fini(&ui->threads);
}

void ui_open(struct ui *ui, const char *name)
{
	if (strcmp(ui->opened, name) != 0) {
		ui->threads.has_cursor = false;
		ui->threads.place = 0;
		ui->threads.top = 0;
		ui->threads.filter[0] = '\0';
	}
	snprintf(ui->opened, sizeof(ui->opened), "%s", name);
	ui->view = UI_VIEW_GUEST;
}

void ui_say(struct ui *ui, uint64_t now_ns, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(ui->message, sizeof(ui->message), format, arguments);
	va_end(arguments);
	ui->message_until_ns = now_ns + MESSAGE_NS;
}

struct table *ui_table(struct ui *ui)
{
	return ui->view == UI_VIEW_GUESTS ? &ui->guests : &ui->threads;
}

const void *ui_context(const struct ui *ui, const struct model *model)
{
	return ui->view == UI_VIEW_GUESTS ? (const void *)model : model_guest(model, ui->opened);
}

/* The guest that keys mean: the one that is open, or the one under the cursor. */
static const struct guest *current_guest(const struct ui *ui, const struct model *model)
{
	if (ui->view == UI_VIEW_GUEST)
		return model_guest(model, ui->opened);
	for (size_t i = 0; i < model->count && ui->guests.has_cursor; i++)
		if (model->guests[i]->id == ui->guests.cursor)
			return model->guests[i];
	return NULL;
}

static enum ui_request request(struct ui *ui, const struct model *model, enum ui_request request,
			       uint64_t now_ns)
{
	const struct guest *guest = current_guest(ui, model);

	if (!guest || !guest->client) {
		ui_say(ui, now_ns, "%s",
		       guest ? "This guest runs no more." : "No guest is chosen.");
		return UI_REQUEST_NONE;
	}
	memcpy(ui->guest, guest->name, sizeof(ui->guest));
	return request;
}

static void begin_prompt(struct ui *ui, enum ui_prompt prompt)
{
	ui->prompt = prompt;
	ui->typed[0] = '\0';
	if (prompt == UI_PROMPT_FILTER)
		memcpy(ui->typed, ui_table(ui)->filter, sizeof(ui->typed));
}

static void set_delay(struct ui *ui, uint64_t now_ns)
{
	char *end;
	double delay_s = strtod(ui->typed, &end);

	if (end == ui->typed || *end || !(delay_s * 1000 >= UI_DELAY_MIN_MS) ||
	    !(delay_s * 1000 <= UI_DELAY_MAX_MS)) {
		ui_say(ui, now_ns, "'%s' is no delay: 0.1 to 60 seconds", ui->typed);
		return;
	}
	ui->delay_ms = (uint64_t)(delay_s * 1000 + 0.5);
}

/* The text changed: filters and searches follow while it is typed. */
static void follow_prompt(struct ui *ui, const struct model *model, bool again, uint64_t now_ns)
{
	struct table *table = ui_table(ui);
	const void *context = ui_context(ui, model);

	if (ui->prompt == UI_PROMPT_FILTER)
		memcpy(table->filter, ui->typed, sizeof(table->filter));
	if (ui->prompt != UI_PROMPT_SEARCH || !ui->typed[0] || !context)
		return;
	if (!table_search(table, context, ui->typed, again, now_ns))
		ui_say(ui, now_ns, "No row has '%s' in its name.", ui->typed);
}

static void prompt_key(struct ui *ui, const struct model *model, int key, uint64_t now_ns)
{
	size_t len = strlen(ui->typed);

	switch (key) {
	case UI_KEY_ESCAPE:
		ui->typed[0] = '\0';
		follow_prompt(ui, model, false, now_ns);
		ui->prompt = UI_PROMPT_NONE;
		return;
	case UI_KEY_ENTER:
		if (ui->prompt == UI_PROMPT_DELAY)
			set_delay(ui, now_ns);
		if (ui->prompt == UI_PROMPT_SEARCH)
			memcpy(ui->searched, ui->typed, sizeof(ui->searched));
		ui->prompt = UI_PROMPT_NONE;
		return;
	case UI_KEY_F1 + 2:
	case UI_KEY_DOWN:
		follow_prompt(ui, model, true, now_ns);
		return;
	case UI_KEY_BACKSPACE:
		if (len > 0)
			ui->typed[len - 1] = '\0';
		break;
	default:
		if (key < ' ' || key > '~' || len + 1 >= sizeof(ui->typed))
			return;
		ui->typed[len] = (char)key;
		ui->typed[len + 1] = '\0';
		break;
	}
	follow_prompt(ui, model, false, now_ns);
}

static bool move_key(struct ui *ui, int key, uint64_t now_ns)
{
	struct table *table = ui_table(ui);

	switch (key) {
	case UI_KEY_UP:
	case 'k':
		table_move(table, -1, now_ns);
		return true;
	case UI_KEY_DOWN:
	case 'j':
		table_move(table, 1, now_ns);
		return true;
	case UI_KEY_PAGE_UP:
		table_move_page(table, -1, now_ns);
		return true;
	case UI_KEY_PAGE_DOWN:
		table_move_page(table, 1, now_ns);
		return true;
	case UI_KEY_HOME:
		table_move_to(table, 0, now_ns);
		return true;
	case UI_KEY_END:
		table_move_to(table, SIZE_MAX, now_ns);
		return true;
	default:
		return false;
	}
}

static bool sort_key(struct ui *ui, int key)
{
	struct table *table = ui_table(ui);
	bool guests = ui->view == UI_VIEW_GUESTS;

	switch (key) {
	case UI_KEY_F1 + 5:
	case '>':
	case UI_KEY_RIGHT:
		table_sort_next(table, 1);
		return true;
	case '<':
	case UI_KEY_LEFT:
		table_sort_next(table, -1);
		return true;
	case 'I':
		table->inverted = !table->inverted;
		table->hold_until_ns = 0;
		return true;
	case 'P':
		table_sort_by(table, guests ? (size_t)GUESTS_CPU : (size_t)THREADS_CPU);
		return true;
	case 'M':
		table_sort_by(table, guests ? (size_t)GUESTS_MEMORY : (size_t)THREADS_STACK);
		return true;
	case 'T':
		table_sort_by(table, guests ? (size_t)GUESTS_UPTIME : (size_t)THREADS_TIME);
		return true;
	case 'N':
		table_sort_by(table, guests ? (size_t)GUESTS_NAME : (size_t)THREADS_NAME);
		return true;
	default:
		return false;
	}
}

static void open_current(struct ui *ui, const struct model *model)
{
	const struct guest *guest = current_guest(ui, model);

	if (ui->view == UI_VIEW_GUESTS && guest)
		ui_open(ui, guest->name);
}

/* Esc undoes one thing: a filter, or the way into a guest. */
static void go_back(struct ui *ui)
{
	struct table *table = ui_table(ui);

	if (table->filter[0])
		table->filter[0] = '\0';
	else
		ui->view = UI_VIEW_GUESTS;
}

enum ui_request ui_key(struct ui *ui, const struct model *model, int key, uint64_t now_ns)
{
	if (ui->help) {
		ui->help = false;
		return UI_REQUEST_NONE;
	}
	if (ui->prompt != UI_PROMPT_NONE) {
		prompt_key(ui, model, key, now_ns);
		return UI_REQUEST_NONE;
	}
	if (move_key(ui, key, now_ns) || sort_key(ui, key))
		return UI_REQUEST_NONE;
	switch (key) {
	case 'q':
	case UI_KEY_F10:
		return UI_REQUEST_QUIT;
	case 'g':
		return request(ui, model, UI_REQUEST_GDB, now_ns);
	case 't':
		return request(ui, model, UI_REQUEST_RECORD, now_ns);
	case UI_KEY_F1:
	case 'h':
	case '?':
		ui->help = true;
		break;
	case UI_KEY_F1 + 2:
	case '/':
		begin_prompt(ui, UI_PROMPT_SEARCH);
		break;
	case 'n':
		if (ui->searched[0] && ui_context(ui, model))
			table_search(ui_table(ui), ui_context(ui, model), ui->searched, true,
				     now_ns);
		break;
	case UI_KEY_F1 + 3:
	case '\\':
		begin_prompt(ui, UI_PROMPT_FILTER);
		break;
	case 'd':
		begin_prompt(ui, UI_PROMPT_DELAY);
		break;
	case ' ':
	case 'Z':
	case 'z':
		ui->paused = !ui->paused;
		break;
	case UI_KEY_ENTER:
		open_current(ui, model);
		break;
	case UI_KEY_ESCAPE:
		go_back(ui);
		break;
	default:
		break;
	}
	return UI_REQUEST_NONE;
}

enum ui_request ui_click(struct ui *ui, const struct model *model, int x, int y, uint64_t now_ns)
{
	if (ui->help)
		ui->help = false;
	else if (ui->prompt == UI_PROMPT_NONE && table_click(ui_table(ui), x, y, now_ns))
		open_current(ui, model);
	return UI_REQUEST_NONE;
}
