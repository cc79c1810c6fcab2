/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host-tools/lib/quantity.h"
#include "tui/layout.h"

#define BAR_WIDTH 10
#define BOTH_WIDTH 110 /* for the heap and the requests side by side */

/* Columns of one vCPU: with its bar and share only, with what is ready to run, with all. */
static const int cpu_widths[] = {26, 46, 79};
#define CPU_BRIEF 1
#define CPU_FULL 2

static void draw_cpu(struct screen *screen, const struct uni_model_cpu *cpu, int x, int y,
		     int level)
{
	double busy, irq, idle;

	x = screen_printf(screen, x, y, STYLE_BOLD, "vCPU%-3u", cpu->record.cpu);
	if (!uni_model_one_cpu(cpu, &busy, &irq, &idle)) {
		layout_bar(screen, x, y, BAR_WIDTH, STYLE_GOOD, 0);
		return;
	}
	x = layout_bar(screen, x, y, BAR_WIDTH, busy + irq > 0.9 ? STYLE_WARN : STYLE_GOOD,
		       busy + irq);
	x = screen_printf(screen, x + 1, y, STYLE_NORMAL, "%5.1f %%", (busy + irq) * 100);
	if (level >= CPU_FULL)
		x = screen_printf(screen, x, y, STYLE_NORMAL, "  app %.1f", busy * 100);
	if (level >= CPU_BRIEF)
		x = screen_printf(screen, x, y, STYLE_NORMAL, "  irq %.1f", irq * 100);
	if (level >= CPU_FULL)
		x = screen_printf(screen, x, y, STYLE_NORMAL, "  idle %.1f", idle * 100);
	if (level >= CPU_BRIEF)
		x = screen_printf(screen, x, y, cpu->record.ready > 1 ? STYLE_WARN : STYLE_NORMAL,
				  "  ready %u", cpu->record.ready);
	if (level >= CPU_FULL)
		screen_printf(screen, x, y, STYLE_DIM, "  %.0f sw/s", cpu->switches.per_s);
}

/* In `rows` rows, as much of each CPU as fits; the last row says how many are left out. */
static int draw_cpus(struct screen *screen, const struct uni_model *model, int y, int rows)
{
	int level = CPU_FULL;
	size_t shown = model->cpu_count;
	int across;

	for (;; level--) {
		across = screen->width / cpu_widths[level];
		across = across < 1 ? 1 : across;
		if (shown <= (size_t)(across * rows) || level == 0)
			break;
	}
	if (shown > (size_t)(across * rows))
		shown = (size_t)(across * (rows - 1));
	for (size_t i = 0; i < shown; i++)
		draw_cpu(screen, &model->cpus[i], 1 + (int)(i % (size_t)across) * cpu_widths[level],
			 y + (int)(i / (size_t)across), level);
	y += (int)((shown + (size_t)across - 1) / (size_t)across);
	if (shown < model->cpu_count)
		screen_printf(screen, 1, y++, STYLE_DIM, "and %zu more vCPUs",
			      model->cpu_count - shown);
	return y;
}

/* A sparkline, where there is a history to show. */
static int put_history(struct screen *screen, const struct ui *ui, int x, int y,
		       const struct history *history, double max)
{
	if (ui->plain || history->count < 2)
		return x;
	return layout_sparkline(screen, x, y, screen->width >= 120 ? 24 : 10, STYLE_ACCENT, history,
				max) +
	       1;
}

static int draw_heap(struct screen *screen, const struct ui *ui, const struct guest *guest, int x,
		     int y)
{
	char used_text[UNI_QUANTITY_SIZE], limit_text[UNI_QUANTITY_SIZE];
	char rate[UNI_QUANTITY_SIZE];
	uint64_t used, limit;
	double per_s;
	bool steady;

	if (!uni_model_heap(&guest->model, &used, &limit))
		return x;
	x = screen_put(screen, x, y, -1, STYLE_BOLD, "heap ");
	x = put_history(screen, ui, x, y, &guest->heap, (double)limit);
	x = screen_printf(screen, x, y, STYLE_NORMAL, "%s of %s",
			  uni_quantity_bytes(used_text, sizeof(used_text), used),
			  uni_quantity_bytes(limit_text, sizeof(limit_text), limit));
	if (guest_heap_growth(guest, &per_s, &steady) && steady)
		x = screen_printf(screen, x, y, STYLE_WARN, " +%s",
				  uni_quantity_rate(rate, sizeof(rate), per_s, UNI_UNIT_BYTES));
	return x + 2;
}

static int draw_requests(struct screen *screen, const struct ui *ui, const struct guest *guest,
			 int x, int y)
{
	const struct uni_model_metric *requests = uni_model_metric(&guest->model, "app.requests");
	const struct uni_model_metric *latency =
		uni_model_metric(&guest->model, "app.latency_p99_ns");
	char text[UNI_QUANTITY_SIZE];

	if (requests && requests->rate.known) {
		x = screen_put(screen, x, y, -1, STYLE_BOLD, "req/s ");
		x = put_history(screen, ui, x, y, &guest->requests, history_max(&guest->requests));
		x = screen_printf(screen, x, y, STYLE_NORMAL, "%s",
				  uni_quantity_count(text, sizeof(text), requests->rate.per_s)) +
		    2;
	}
	if (latency && latency->has_value) {
		x = screen_put(screen, x, y, -1, STYLE_BOLD, "p99 ");
		x = put_history(screen, ui, x, y, &guest->latency, history_max(&guest->latency));
		x = screen_printf(screen, x, y, STYLE_NORMAL, "%s",
				  uni_quantity_duration(text, sizeof(text), latency->value)) +
		    2;
	}
	return x;
}

/* On one row where there is room for both. */
static int draw_memory_and_requests(struct screen *screen, const struct ui *ui,
				    const struct guest *guest, int y)
{
	int x = draw_heap(screen, ui, guest, 1, y);

	if (x > 1 && screen->width < BOTH_WIDTH) {
		y++;
		x = 1;
	}
	return draw_requests(screen, ui, guest, x, y) > 1 ? y + 1 : y;
}

static int draw_load(struct screen *screen, const struct ui *ui, const struct guest *guest, int x,
		     int y)
{
	const struct uni_model *model = &guest->model;
	uint64_t lost = guest_lost(guest);
	double share, starved;

	x = screen_put(screen, x, y, -1, STYLE_BOLD, "CPU  ");
	x = put_history(screen, ui, x, y, &guest->cpu, 1);
	if (uni_model_cpu_share(model, &share))
		x = screen_printf(screen, x, y, STYLE_NORMAL, "%.1f %%", share * 100);
	else
		x = screen_put(screen, x, y, -1, STYLE_DIM, "-");
	if (guest_starved(guest, &starved))
		x = screen_printf(screen, x, y, starved > 0.05 ? STYLE_WARN : STYLE_NORMAL,
				  "  stolen by the host %.1f %%", starved * 100);
	return screen_printf(screen, x, y, lost > 0 ? STYLE_WARN : STYLE_DIM, "  lost %" PRIu64,
			     lost);
}

static int draw_note(struct screen *screen, const struct model *model, const struct guest *guest,
		     int y, int bottom)
{
	static const enum style styles[] = {STYLE_DIM, STYLE_WARN, STYLE_BAD};
	char note[512];
	int severity;

	if (!*guest_note(guest, model->interval_ns, model->now_ns, note, sizeof(note), &severity) ||
	    y >= bottom)
		return y;
	screen_put(screen, 1, y++, -1, styles[severity], note);
	if (severity == 2 && y < bottom)
		screen_printf(screen, 1, y++, STYLE_ACCENT, "Next: uniscope dumps info %s",
			      guest->name);
	return y;
}

static enum style level_style(uint8_t level)
{
	return level == UNI_LOG_ERROR	  ? STYLE_BAD
	       : level == UNI_LOG_WARNING ? STYLE_WARN
					  : STYLE_NORMAL;
}

/* The end of the log, newest last. */
static void draw_log(struct screen *screen, const struct uni_model *model, int y, int bottom)
{
	int room = bottom - y - 1;

	screen_style_row(screen, y, STYLE_TITLE);
	screen_put(screen, 1, y++, -1, STYLE_TITLE, "LOG");
	for (int age = room - 1; age >= 0; age--) {
		const struct uni_model_log_line *line = uni_model_log_line(model, (size_t)age);
		int x;

		if (!line)
			continue;
		x = screen_printf(screen, 1, y, STYLE_DIM, "%6" PRIu64 ".%03" PRIu64 "  ",
				  line->time_ns / 1000000000, line->time_ns / 1000000 % 1000);
		screen_put(screen, x, y++, -1, level_style(line->level), line->text);
	}
}

static int log_rows(const struct screen *screen, const struct uni_model *model, int rows)
{
	int wanted = screen->height / 4;

	if (model->log_next == 0 || rows < 20)
		return 0;
	if (wanted > UNI_MODEL_LOG_LINES)
		wanted = UNI_MODEL_LOG_LINES;
	if ((uint64_t)wanted > model->log_next)
		wanted = (int)model->log_next;
	return wanted + 1;
}

static void draw_threads(struct screen *screen, struct ui *ui, const struct guest *guest, int y,
			 int bottom, uint64_t now_ns)
{
	const struct uni_model *model = &guest->model;
	int log = log_rows(screen, model, bottom - y);
	int needed;

	if (table_update(&ui->threads, guest, now_ns) < 0)
		return;
	needed = (int)ui->threads.count + 1;
	if (needed > bottom - log - y)
		needed = bottom - log - y;
	/* Without a log, or with few threads, the log moves up. */
	table_draw(&ui->threads, guest, screen, y, log > 0 ? needed : bottom - y, !ui->plain);
	if (ui->threads.count == 0)
		screen_put(screen, 1, y + 1, -1, STYLE_DIM,
			   model->snapshots == 0 ? "The guest has not told of its threads yet."
						 : "No thread passes the filter.");
	if (log > 0)
		draw_log(screen, model, ui->plain ? y + needed + 1 : bottom - log, bottom);
}

int layout_guest(struct screen *screen, struct ui *ui, const struct model *model,
		 const struct guest *guest, int y, int bottom, uint64_t now_ns)
{
	/* A third of the screen for the head leaves the threads the rest. */
	int cpu_rows = (bottom - y) / 3 > 0 ? (bottom - y) / 3 : 1;

	if (bottom - y >= 6) {
		y = draw_cpus(screen, &guest->model, y, ui->plain ? UNI_MODEL_CPUS_MAX : cpu_rows);
		draw_load(screen, ui, guest, 1, y++);
		y = draw_memory_and_requests(screen, ui, guest, y);
	}
	y = draw_note(screen, model, guest, y, bottom);
	if (y < bottom)
		draw_threads(screen, ui, guest, y, bottom, now_ns);
	return bottom;
}
