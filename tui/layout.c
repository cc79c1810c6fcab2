/* SPDX-License-Identifier: MIT */
#include "tui/layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host-tools/lib/quantity.h"

#define LEVEL_LOWEST 0x2581 /* an eighth of a column; the full one is 7 further */
#define BAR_FULL 0x2587

int layout_sparkline(struct screen *screen, int x, int y, int width, enum style style,
		     const struct history *history, double max)
{
	for (int i = 0; i < width; i++) {
		double value;
		uint32_t glyph = ' ';

		if (history_get(history, (size_t)(width - 1 - i), &value)) {
			double share = max > 0 ? value / max : 0;
			int level = share >= 1 ? 7 : share <= 0 ? 0 : (int)(share * 8);

			glyph = LEVEL_LOWEST + (uint32_t)level;
		}
		screen_put_glyph(screen, x + i, y, style, glyph);
	}
	return x + width;
}

int layout_bar(struct screen *screen, int x, int y, int width, enum style style, double share)
{
	int full = (int)(share * width + 0.5);

	for (int i = 0; i < width; i++)
		screen_put_glyph(screen, x + i, y, i < full ? style : STYLE_DIM,
				 i < full ? BAR_FULL : LEVEL_LOWEST);
	return x + width;
}

static int put_right(struct screen *screen, int left, int y, enum style style, const char *text)
{
	int x = screen->width - screen_text_width(text) - 1;

	if (x <= left)
		return left;
	screen_put(screen, x, y, -1, style, text);
	return x;
}

/* "14:02:11  1 s", with what makes the screen other than usual. */
static void draw_clock(struct screen *screen, const struct ui *ui, int left)
{
	time_t now = time(NULL);
	char text[96], clock[16];
	struct tm local;

	localtime_r(&now, &local);
	strftime(clock, sizeof(clock), "%H:%M:%S", &local);
	snprintf(text, sizeof(text), "%s%s  %g s", ui->paused ? "PAUSED (Z goes on)  " : "", clock,
		 (double)ui->delay_ms / 1000);
	/* Text may be very wide: its lines end where they end. */
	if (ui->plain)
		screen_put(screen, left + 2, 0, -1, STYLE_BAR, text);
	else
		put_right(screen, left, 0, STYLE_BAR, text);
}

static void draw_guests_head(struct screen *screen, const struct ui *ui, const struct model *model)
{
	size_t up = model_count_state(model, UNI_GUEST_RUNNING);
	size_t crashed = model_count_state(model, UNI_GUEST_CRASHED) +
			 model_count_state(model, UNI_GUEST_DUMPING);
	int x;

	screen_style_row(screen, 0, STYLE_BAR);
	x = screen_printf(screen, 1, 0, STYLE_BAR, "unitop  %zu guest%s %zu up", model->count,
			  model->count == 1 ? "" : "s", up);
	if (crashed > 0)
		x = screen_printf(screen, x, 0, STYLE_BAR, " %zu crashed", crashed);
	if (model->total > MODEL_GUESTS_MAX)
		x = screen_printf(screen, x, 0, STYLE_BAR, " %zu more not shown",
				  model->total - MODEL_GUESTS_MAX);
	x = screen_printf(screen, x, 0, STYLE_BAR, "  host %u CPUs", model->host.cpus);
	if (model->host.known)
		x = screen_printf(screen, x, 0, STYLE_BAR, " %.0f %% steal %.1f %%",
				  model->host.cpu_share * 100, model->host.steal_share * 100);
	draw_clock(screen, ui, x);
}

static void draw_guest_head(struct screen *screen, const struct ui *ui, const struct guest *guest)
{
	const struct uni_model *model = &guest->model;
	char memory[UNI_QUANTITY_SIZE], uptime[UNI_QUANTITY_SIZE];
	int x;

	screen_style_row(screen, 0, STYLE_BAR);
	x = screen_printf(screen, 1, 0, STYLE_BAR, "%s  %s", guest->name,
			  uni_model_run_state_name(guest_state(guest)));
	if (model->has_hello)
		x = screen_printf(
			screen, x, 0, STYLE_BAR, "  %s %s %u vCPU %s  up %s",
			model->hello.application, guest->machine, model->hello.cpu_count,
			uni_quantity_bytes(memory, sizeof(memory), model->hello.memory_size),
			uni_quantity_duration(uptime, sizeof(uptime), model->time_ns));
	if (screen->width >= 100 && model->hello.build_id[0])
		x = screen_printf(screen, x, 0, STYLE_BAR, "  build %.8s", model->hello.build_id);
	if (screen->width >= 120 && guest->accel[0])
		x = screen_printf(screen, x, 0, STYLE_BAR, "  %s", guest->accel);
	draw_clock(screen, ui, x);
}

static int draw_key(struct screen *screen, int x, int y, const char *key, const char *text)
{
	if (x + screen_text_width(key) + screen_text_width(text) + 2 > screen->width)
		return screen->width;
	x = screen_put(screen, x, y, -1, STYLE_BAR, key);
	return screen_put(screen, x + 1, y, -1, STYLE_NORMAL, text) + 2;
}

static void draw_keys(struct screen *screen, const struct ui *ui, const struct model *model, int y)
{
	char cost[64], memory[UNI_QUANTITY_SIZE];
	int x = draw_key(screen, 1, y, "F1", "Help");

	if (ui->view == UI_VIEW_GUESTS)
		x = draw_key(screen, x, y, "Enter", "Open");
	else
		x = draw_key(screen, x, y, "Esc", "Back");
	x = draw_key(screen, x, y, "g", "gdb");
	x = draw_key(screen, x, y, "t", "Trace");
	x = draw_key(screen, x, y, "F3", "Search");
	x = draw_key(screen, x, y, "F4", "Filter");
	x = draw_key(screen, x, y, "F6", "Sort");
	x = draw_key(screen, x, y, "q", "Quit");
	snprintf(cost, sizeof(cost), "%.1f %% %s", model->host.own_share * 100,
		 uni_quantity_bytes(memory, sizeof(memory), model->host.own_memory));
	if (model->host.known)
		put_right(screen, x, y, STYLE_DIM, cost);
}

static void draw_prompt(struct screen *screen, const struct ui *ui, int y)
{
	static const char *const names[] = {
		[UI_PROMPT_SEARCH] = "Search (F3 next, Enter done)",
		[UI_PROMPT_FILTER] = "Filter (Enter keeps it, Esc drops it)",
		[UI_PROMPT_DELAY] = "Seconds between two looks",
	};
	int x = screen_printf(screen, 1, y, STYLE_BAR, "%s:", names[ui->prompt]);

	x = screen_put(screen, x + 1, y, -1, STYLE_BOLD, ui->typed);
	screen_put_glyph(screen, x, y, STYLE_SELECTED, ' ');
}

/* The lines below the table, from the bottom up; returns the first row that is theirs. */
static int draw_foot(struct screen *screen, const struct ui *ui, const struct model *model,
		     uint64_t now_ns)
{
	const struct table *table = ui->view == UI_VIEW_GUESTS ? &ui->guests : &ui->threads;
	int y = screen->height - 1;

	if (ui->prompt != UI_PROMPT_NONE)
		draw_prompt(screen, ui, y);
	else
		draw_keys(screen, ui, model, y);
	if (now_ns < ui->message_until_ns && y > 2)
		screen_put(screen, 1, --y, -1, STYLE_WARN, ui->message);
	if (ui->hint && y > 2)
		screen_put(screen, 1, --y, -1, STYLE_ACCENT, ui->hint);
	if (table->filter[0] && ui->prompt != UI_PROMPT_FILTER && y > 2)
		screen_printf(screen, 1, --y, STYLE_WARN, "Only rows with '%s'; Esc shows all.",
			      table->filter);
	return y;
}

void layout_draw(struct screen *screen, struct ui *ui, const struct model *model, uint64_t now_ns)
{
	const struct guest *guest =
		ui->view == UI_VIEW_GUEST ? model_guest(model, ui->opened) : NULL;
	int bottom = screen->height;

	screen_clear(screen);
	if (ui->help) {
		layout_help(screen);
		return;
	}
	if (guest)
		draw_guest_head(screen, ui, guest);
	else
		draw_guests_head(screen, ui, model);
	if (!ui->plain)
		bottom = draw_foot(screen, ui, model, now_ns);
	if (guest)
		layout_guest(screen, ui, model, guest, 1, bottom, now_ns);
	else if (ui->view == UI_VIEW_GUEST)
		screen_printf(screen, 1, 1, STYLE_WARN, "No guest '%s' runs.", ui->opened);
	else
		layout_guests(screen, ui, model, 1, bottom, now_ns);
}

int layout_height(const struct ui *ui, const struct model *model)
{
	const struct guest *guest = model_guest(model, ui->opened);
	size_t rows = model->count;

	if (ui->view == UI_VIEW_GUEST && guest)
		rows = guest->model.cpu_count + guest->model.thread_count + UNI_MODEL_LOG_LINES;
	return (int)rows + 16;
}
