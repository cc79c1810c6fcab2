/* SPDX-License-Identifier: MIT */
/*
 * What the operator does: which screen is open, where the cursors are, what is being typed. Keys
 * come in, requests to the outside (quit, gdb, record) go out; knows no terminal.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host-tools/lib/registry.h"
#include "tui/model.h"
#include "tui/table.h"

#define UI_PROMPT_SIZE TABLE_FILTER_SIZE
#define UI_DELAY_MIN_MS 100
#define UI_DELAY_MAX_MS 60000

/* Keys that are no character; characters of ASCII stand for themselves. */
enum ui_key {
	UI_KEY_ESCAPE = 27,
	UI_KEY_ENTER = 13,
	UI_KEY_BACKSPACE = 8,
	UI_KEY_F1 = 0x110001, /* the others follow in their order */
	UI_KEY_F10 = UI_KEY_F1 + 9,
	UI_KEY_UP,
	UI_KEY_DOWN,
	UI_KEY_LEFT,
	UI_KEY_RIGHT,
	UI_KEY_PAGE_UP,
	UI_KEY_PAGE_DOWN,
	UI_KEY_HOME,
	UI_KEY_END,
};

enum ui_view {
	UI_VIEW_GUESTS,
	UI_VIEW_GUEST,
};

enum ui_prompt {
	UI_PROMPT_NONE,
	UI_PROMPT_SEARCH,
	UI_PROMPT_FILTER,
	UI_PROMPT_DELAY,
};

/* What the program is to do; for `guest` of struct ui. */
enum ui_request {
	UI_REQUEST_NONE,
	UI_REQUEST_QUIT,
	UI_REQUEST_GDB,
	UI_REQUEST_RECORD,
};

struct ui {
	enum ui_view view;
	char opened[UNI_GUEST_NAME_SIZE]; /* the guest of UI_VIEW_GUEST */
	struct table guests;
	struct table threads;

	bool help;
	bool paused; /* the screen stands still; the guests do not */
	enum ui_prompt prompt;
	char typed[UI_PROMPT_SIZE];
	char searched[UI_PROMPT_SIZE];
	uint64_t delay_ms;

	const char *hint; /* a line above the keys; NULL: none */
	char message[128];
	uint64_t message_until_ns;

	bool plain; /* text output: no keys, no cursor, no history that is not there */
	char guest[UNI_GUEST_NAME_SIZE]; /* of the request */
};

void ui_init(struct ui *ui, uint64_t delay_ms);
void ui_fini(struct ui *ui);

/* Opens one guest's screen. */
void ui_open(struct ui *ui, const char *name);

enum ui_request ui_key(struct ui *ui, const struct model *model, int key, uint64_t now_ns);
enum ui_request ui_click(struct ui *ui, const struct model *model, int x, int y, uint64_t now_ns);

/* Shows a line for a few seconds. */
void ui_say(struct ui *ui, uint64_t now_ns, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The table on the screen, and what its functions want as context (NULL: its guest is gone). */
struct table *ui_table(struct ui *ui);
const void *ui_context(const struct ui *ui, const struct model *model);
