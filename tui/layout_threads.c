/* SPDX-License-Identifier: MIT */
/* The rows of the table of one guest's threads. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host-tools/lib/quantity.h"
#include "tui/layout.h"

/* A stack this full is worth a look. */
#define STACK_NOTABLE 0.8

static const struct table_column columns[] = {
	[THREADS_NAME] = {.title = "THREAD", .width = 12, .width_max = 32},
	[THREADS_STATE] = {.title = "STATE", .width = 8},
	[THREADS_CPU] = {.title = "CPU%", .width = 6, .right = true, .descends = true},
	[THREADS_WAIT] = {.title = "WAITS FOR", .width = 28, .width_max = 100, .rank = 1},
	[THREADS_SWITCHES] =
		{.title = "SW/s", .width = 6, .rank = 3, .right = true, .descends = true},
	[THREADS_STACK] =
		{.title = "STACK", .width = 12, .rank = 2, .right = true, .descends = true},
	[THREADS_PRIORITY] =
		{.title = "PRI", .width = 4, .rank = 5, .right = true, .descends = true},
	[THREADS_WHERE] = {.title = "CPU", .width = 4, .rank = 4, .right = true},
	[THREADS_TIME] = {.title = "TIME", .width = 11, .rank = 6, .right = true, .descends = true},
	[THREADS_ID] = {.title = "ID", .width = 5, .rank = 7, .right = true},
};

static const struct uni_model_thread *thread_at(const void *context, size_t row)
{
	return &((const struct guest *)context)->model.threads[row];
}

static size_t count(const void *context)
{
	return ((const struct guest *)context)->model.thread_count;
}

static uint64_t identity(const void *context, size_t row)
{
	return thread_at(context, row)->record.id;
}

static bool is_idle(const struct uni_model_thread *thread)
{
	return thread->record.flags & UNI_THREAD_IDLE;
}

static enum style state_style(const struct uni_model_thread *thread)
{
	if (is_idle(thread))
		return STYLE_DIM;
	switch (thread->record.state) {
	case UNI_THREAD_RUNNING:
		return STYLE_GOOD;
	case UNI_THREAD_READY:
		return STYLE_WARN;
	case UNI_THREAD_EXITED:
		return STYLE_DIM;
	default:
		return STYLE_NORMAL;
	}
}

static void put_stack(const struct uni_model_thread *thread, struct table_cell *cell)
{
	double used = (double)thread->record.stack_used / 1024;
	double size = (double)thread->record.stack_size / 1024;

	snprintf(cell->text, sizeof(cell->text), "%.1f/%.0f KiB", used, size);
	if (used > size * STACK_NOTABLE)
		cell->style = STYLE_WARN;
}

static void put_rate(const struct uni_rate *rate, double scale, int digits, struct table_cell *cell)
{
	if (rate->known) {
		snprintf(cell->text, sizeof(cell->text), "%.*f", digits, rate->per_s * scale);
		return;
	}
	snprintf(cell->text, sizeof(cell->text), "-");
	cell->style = STYLE_DIM;
}

static void cell(const void *context, size_t row, size_t column, struct table_cell *cell)
{
	const struct guest *guest = context;
	const struct uni_model_thread *thread = thread_at(context, row);
	const struct uni_thread_record *record = &thread->record;

	cell->style = is_idle(thread) ? STYLE_DIM : STYLE_NORMAL;
	switch (column) {
	case THREADS_NAME:
		snprintf(cell->text, sizeof(cell->text), "%s", thread->name);
		break;
	case THREADS_STATE:
		snprintf(cell->text, sizeof(cell->text), "%s", uni_model_thread_state_name(thread));
		cell->style = state_style(thread);
		break;
	case THREADS_CPU:
		put_rate(&thread->run, 100 / 1e9, 1, cell);
		break;
	case THREADS_WAIT:
		uni_model_wait_text(&guest->model, thread, cell->text, sizeof(cell->text));
		break;
	case THREADS_SWITCHES:
		put_rate(&thread->switches, 1, 0, cell);
		break;
	case THREADS_STACK:
		put_stack(thread, cell);
		break;
	case THREADS_PRIORITY:
		snprintf(cell->text, sizeof(cell->text), "%u", record->priority);
		break;
	case THREADS_WHERE:
		snprintf(cell->text, sizeof(cell->text), "%u%s", record->cpu,
			 record->flags & UNI_THREAD_PINNED ? "!" : "");
		break;
	case THREADS_TIME:
		uni_quantity_duration(cell->text, sizeof(cell->text), record->run_ns);
		break;
	default:
		snprintf(cell->text, sizeof(cell->text), "%" PRIu32, record->id);
		break;
	}
}

static int order(double a, double b)
{
	return (a > b) - (a < b);
}

/* Of time that counts: an idle thread's is what nobody used. Whole percents, so that rows do not
 * change places over less. */
static double cpu_key(const struct uni_model_thread *thread)
{
	double percent = thread->run.known ? thread->run.per_s / 1e7 : -1;

	if (is_idle(thread))
		return -2;
	return percent < 0 || percent > 1e6 ? percent : (double)(int64_t)percent;
}

static int compare(const void *context, size_t a, size_t b, size_t column)
{
	const struct guest *guest = context;
	const struct uni_model_thread *x = thread_at(context, a);
	const struct uni_model_thread *y = thread_at(context, b);

	switch (column) {
	case THREADS_NAME:
		return strverscmp(x->name, y->name);
	case THREADS_STATE:
		return strcmp(uni_model_thread_state_name(x), uni_model_thread_state_name(y));
	case THREADS_CPU:
		return order(cpu_key(x), cpu_key(y));
	case THREADS_WAIT:
		return order((double)uni_model_waiting_ns(&guest->model, y),
			     (double)uni_model_waiting_ns(&guest->model, x));
	case THREADS_SWITCHES:
		return order(x->switches.per_s, y->switches.per_s);
	case THREADS_STACK:
		return order(x->record.stack_used, y->record.stack_used);
	case THREADS_PRIORITY:
		return order(x->record.priority, y->record.priority);
	case THREADS_WHERE:
		return order(x->record.cpu, y->record.cpu);
	case THREADS_TIME:
		return order((double)x->record.run_ns, (double)y->record.run_ns);
	default:
		return order(x->record.id, y->record.id);
	}
}

const struct table_ops layout_threads_ops = {
	.columns = columns,
	.column_count = sizeof(columns) / sizeof(columns[0]),
	.count = count,
	.identity = identity,
	.cell = cell,
	.compare = compare,
};
