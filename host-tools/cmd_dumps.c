/* SPDX-License-Identifier: MIT */
/* uniscope dumps: the crash dumps that the supervisors kept. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host-tools/command.h"
#include "host-tools/dumps_output.h"
#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/dump_image.h"
#include "tracing/errno.h"

#define COMING_TIMEOUT_MS 30000

struct values {
	bool json;
};

/* Symbols of the images seen so far: a list has many dumps of few images. */
struct image_cache {
	char build_id[2 * UNI_BUILD_ID_MAX + 1];
	struct uni_symbols *symbols; /* NULL: not found */
};

struct row_list {
	struct dump_row *rows;
	size_t count;
	struct image_cache *images;
	size_t image_count;
};

static void free_rows(struct row_list *list)
{
	for (size_t i = 0; i < list->image_count; i++)
		uni_symbols_close(list->images[i].symbols);
	free(list->images);
	free(list->rows);
}

static struct uni_symbols *symbols_of(struct row_list *list, const struct uni_dump_info *info)
{
	struct image_cache *image = &list->images[list->image_count];
	char path[PATH_MAX], why[PATH_MAX];

	for (size_t i = 0; i < list->image_count; i++) {
		if (!strcmp(list->images[i].build_id, info->build_id))
			return list->images[i].symbols;
	}
	snprintf(image->build_id, sizeof(image->build_id), "%s", info->build_id);
	if (uni_dump_image_find(info, path, why, sizeof(why)) &&
	    uni_symbols_open(path, &image->symbols, NULL))
		image->symbols = NULL;
	list->image_count++;
	return image->symbols;
}

/* After a jump to nowhere the frame pointers miss the caller: it is at the top of the stack. */
static size_t frames_of(const struct uni_dump_info *info, const struct uni_symbols *symbols,
			struct uni_unwind_frame frames[UNI_DUMP_FRAMES_MAX])
{
	size_t count = uni_dump_panic_frames(info, frames);
	struct uni_core_reader *core;
	char path[PATH_MAX];
	uint64_t caller;

	if (!count || !symbols || uni_symbols_is_code(symbols, info->pc) ||
	    uni_dump_store_core_path(info->id, path, sizeof(path)) ||
	    uni_core_reader_open(path, &core, NULL))
		return count;
	if (count < UNI_DUMP_FRAMES_MAX &&
	    !uni_core_reader_read(core, info->sp, &caller, sizeof(caller)) &&
	    uni_symbols_is_code(symbols, caller)) {
		memmove(&frames[2], &frames[1], (count - 1) * sizeof(frames[0]));
		frames[1] = (struct uni_unwind_frame){.pc = caller};
		count++;
	}
	uni_core_reader_close(core);
	return count;
}

static void count_equal(struct row_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		for (size_t j = 0; j < list->count; j++)
			list->rows[i].seen += !strcmp(list->rows[i].cause.signature,
						      list->rows[j].cause.signature);
	}
}

static int read_rows(struct row_list *list, struct uni_error *error)
{
	uni_cleanup_free struct uni_dump_info *infos = NULL;
	struct uni_unwind_frame frames[UNI_DUMP_FRAMES_MAX];
	size_t unreadable;
	ssize_t count = uni_dump_store_list(&infos, &unreadable, error);

	if (count < 0)
		return (int)count;
	list->rows = calloc((size_t)count + 1, sizeof(*list->rows));
	list->images = calloc((size_t)count + 1, sizeof(*list->images));
	if (!list->rows || !list->images)
		return uni_error_set(error, -UNI_ENOMEM, "cannot list the dumps: out of memory");
	for (; list->count < (size_t)count; list->count++) {
		struct dump_row *row = &list->rows[list->count];
		struct uni_symbols *symbols;

		row->info = infos[list->count];
		symbols = symbols_of(list, &row->info);
		uni_crash_cause_find(&row->info, symbols, frames,
				     frames_of(&row->info, symbols, frames), &row->cause);
	}
	count_equal(list);
	if (unreadable)
		fprintf(stderr, "uniscope: %zu folders of the store hold no readable info.json\n",
			unreadable);
	return 0;
}

static int list_dumps(const struct values *values, struct uni_error *error)
{
	struct row_list list = {0};
	int err = read_rows(&list, error);

	if (!err && values->json)
		err = dumps_list_json(list.rows, list.count, error);
	else if (!err)
		dumps_list_text(list.rows, list.count);
	free_rows(&list);
	return err;
}

/* A dump that is just coming in is worth a moment. */
static int find_whole(const char *which, struct uni_dump_info *info, struct uni_error *error)
{
	int err = uni_dump_store_find(which, info, error);

	if (!err)
		uni_dump_store_wait(info, COMING_TIMEOUT_MS);
	return err;
}

static int show_dump(const char *which, const struct values *values, struct uni_error *error)
{
	struct uni_dump_report report;
	struct row_list list = {0};
	struct uni_dump_info info;
	int err = find_whole(which, &info, error);

	if (!err)
		err = uni_dump_report_init(&report, &info, error);
	if (err)
		return err;
	if (values->json) {
		err = dumps_info_json(&report, error);
	} else {
		err = read_rows(&list, error);
		if (!err)
			dumps_info_text(&report, list.rows, list.count);
	}
	free_rows(&list);
	uni_dump_report_fini(&report);
	return err;
}

/* Becomes gdb on the dump, with the helpers that ride in the image. Debuginfod is off: it has
 * nothing of ours, and asks for minutes. */
static int debug_dump(const char *which, const struct uni_arguments *arguments,
		      struct uni_error *error)
{
	char image[PATH_MAX], core[PATH_MAX], why[PATH_MAX], trust[PATH_MAX + 32];
	uni_cleanup_free char **words = NULL;
	struct uni_dump_info info;
	size_t count = 0;
	int err = find_whole(which, &info, error);

	if (err)
		return err;
	if (!uni_dump_image_find(&info, image, why, sizeof(why)))
		return uni_error_set(error, -UNI_ENOENT, "cannot debug dump %s: %s", which, why);
	if (uni_dump_store_core_path(info.id, core, sizeof(core)))
		return uni_error_set(error, -UNI_EINVAL, "cannot debug dump %s: no path", which);
	words = calloc(arguments->rest_count + 10, sizeof(*words));
	if (!words)
		return uni_error_set(error, -UNI_ENOMEM, "cannot start gdb: out of memory");
	snprintf(trust, sizeof(trust), "add-auto-load-safe-path %s", image);
	words[count++] = (char *)"gdb";
	words[count++] = (char *)"-q";
	words[count++] = (char *)"-iex";
	words[count++] = (char *)"set debuginfod enabled off";
	words[count++] = (char *)"-iex";
	words[count++] = trust;
	for (unsigned i = 0; i < arguments->rest_count; i++)
		words[count++] = arguments->rest[i];
	words[count++] = image;
	words[count++] = core;
	fflush(stdout);
	execvp(words[0], words);
	return uni_error_system(error, errno, "cannot start gdb; is it installed?");
}

static int run(const void *values, const struct uni_arguments *arguments, struct uni_error *error)
{
	const char *action = arguments->positional_count ? arguments->positional[0] : "list";
	const char *which = arguments->positional_count > 1 ? arguments->positional[1] : NULL;

	if (!strcmp(action, "list") && !which)
		return list_dumps(values, error);
	if (!strcmp(action, "list"))
		return uni_error_usage(error, "dumps list takes no name");
	if (strcmp(action, "info") && strcmp(action, "debug"))
		return uni_error_usage(error, "dumps: no '%s'; there are list, info and debug",
				       action);
	if (!which)
		return uni_error_usage(error, "dumps %s: name a guest or an id of `uniscope dumps`",
				       action);
	if (!strcmp(action, "debug"))
		return debug_dump(which, arguments, error);
	return show_dump(which, values, error);
}

static const struct uni_option option_list[] = {
	UNI_OPTION_FLAG(struct values, json, "json", 0, "print JSON (list, info)"),
};

static const struct uni_options options = {
	.arguments = "[list | info NAME|ID | debug NAME|ID [-- GDB ARGUMENTS]]",
	.details = "Without an argument it lists. NAME is a guest, and means its newest dump.",
	.list = option_list,
	.count = sizeof(option_list) / sizeof(option_list[0]),
	.values_size = sizeof(struct values),
	.positional_max = 2,
	.takes_rest = true,
};

extern const struct command command_dumps;
const struct command command_dumps = {
	.name = "dumps",
	.summary = "list and explain the crash dumps of guests that died",
	.options = &options,
	.run = run,
};
