/* SPDX-License-Identifier: MIT */
/* uniscope stat: what one guest says of itself, once or each interval. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host-tools/command.h"
#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/guest_client.h"
#include "host-tools/lib/guest_model.h"
#include "host-tools/lib/registry.h"
#include "host-tools/stat_output.h"
#include "tracing/errno.h"

/* A guest that gdb holds, or that hangs, is shown as far as it is known after this. */
#define ANSWER_NS 2000000000ull
#define GREETING_NS 20000000ull

struct stat_values {
	bool json;
	uint64_t interval_ms;
	uint64_t count;
};

static const struct uni_option stat_list[] = {
	UNI_OPTION_FLAG(struct stat_values, json, "json", 0, "print JSON, one line a look"),
	UNI_OPTION_DECIMAL(struct stat_values, interval_ms, "interval", 'i', "S", 0, 3600, 1000,
			   "seconds that rates are taken over (default 1)"),
	UNI_OPTION_NUMBER(struct stat_values, count, "count", 'c', "N", 1, 1000000,
			  "look N times (default 1)"),
};

static const struct uni_options stat_options = {
	.arguments = "NAME",
	.details = "Rates are differences over the interval, so the first look takes that long.",
	.list = stat_list,
	.count = sizeof(stat_list) / sizeof(stat_list[0]),
	.defaults = &(struct stat_values){.interval_ms = 1000, .count = 1},
	.values_size = sizeof(struct stat_values),
	.positional_min = 1,
	.positional_max = 1,
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Takes in frames until the time has come, or a table of threads newer than `snapshots` is there
 * (0: for the time). Returns 0, or -UNI_EIO when the guest ended. */
static int listen(struct uni_client *client, struct uni_model *model, uint64_t end_ns,
		  uint64_t snapshots)
{
	struct uni_client_frame frame;

	for (;;) {
		uint64_t now = now_ns();
		int result;

		if (now >= end_ns || (snapshots > 0 && model->snapshots >= snapshots))
			return 0;
		result = uni_client_wait(client, (int)((end_ns - now + 999999) / 1000000), &frame);
		if (result < 0)
			return result;
		if (result > 0 && uni_model_apply(model, &frame, now_ns()) == -UNI_ENOMEM)
			return -UNI_ENOMEM;
	}
}

/* One that is stopped or dead has said what it can: its supervisor sent that as a greeting. */
static bool answers(const struct uni_model *model)
{
	return !model->has_panic &&
	       (model->state.state == UNI_GUEST_RUNNING || model->state.state == UNI_GUEST_BOOTING);
}

static int look(struct uni_client *client, struct uni_model *model)
{
	int result;

	if (!answers(model))
		return 0;
	result = uni_client_send(client, UNI_FRAME_SNAPSHOT, NULL, 0, NULL);
	if (result < 0)
		return result;
	return listen(client, model, now_ns() + ANSWER_NS, model->snapshots + 1);
}

/* The greeting begins with the state. */
static int await_greeting(struct uni_client *client, struct uni_model *model)
{
	uint64_t end_ns = now_ns() + ANSWER_NS;
	int result = 0;

	while (!model->has_state && result == 0 && now_ns() < end_ns)
		result = listen(client, model, now_ns() + GREETING_NS, 0);
	return result;
}

static int print(const struct stat_values *values, const struct uni_guest_info *guest,
		 const struct uni_model *model, bool first, struct uni_error *error)
{
	int result = 0;

	if (values->json)
		result = stat_print_json(guest, model, error);
	else if (!first)
		putchar('\n');
	if (!values->json)
		stat_print_text(guest, model);
	if (fflush(stdout) != 0)
		return uni_error_system(error, errno, "cannot write the output");
	return result;
}

static int observe(const struct stat_values *values, const struct uni_guest_info *guest,
		   struct uni_client *client, struct uni_model *model, struct uni_error *error)
{
	int result = await_greeting(client, model);

	if (result == 0)
		result = look(client, model);
	for (uint64_t i = 0; i < values->count && result == 0; i++) {
		result = listen(client, model, now_ns() + values->interval_ms * 1000000, 0);
		if (result == 0)
			result = look(client, model);
		/* The last words of one that died count. */
		if (result == 0 || model->has_panic || model->has_bye) {
			int printed = print(values, guest, model, i == 0, error);

			if (printed < 0)
				return printed;
		}
	}
	if (result == -UNI_EIO && !model->has_panic && !model->has_bye)
		return uni_error_set(error, result, "%s ended while it was looked at", guest->name);
	if (result < 0 && result != -UNI_EIO)
		return uni_error_system(error, -result, "cannot look at %s", guest->name);
	return UNI_EXIT_OK;
}

static int run(const void *values, const struct uni_arguments *arguments, struct uni_error *error)
{
	const struct stat_values *stat_values = values;
	const char *name = arguments->positional[0];
	uni_cleanup_free struct uni_guest_info *guest = malloc(sizeof(*guest));
	struct uni_client *client;
	struct uni_model model;
	int result;

	if (!guest)
		return uni_error_system(error, ENOMEM, "cannot look at %s", name);
	if (stat_values->interval_ms < 100)
		return uni_error_usage(error, "--interval must be 0.1 to 3600 seconds");
	result = uni_registry_find(name, guest, error);
	if (result < 0)
		return result;
	result = uni_client_open(name, &client, error);
	if (result < 0)
		return result;
	/* A heartbeat just before the second look must not make the rates those of an instant. */
	uni_model_init(&model, stat_values->interval_ms * 1000000 / 10 * 9);
	result = observe(stat_values, guest, client, &model, error);
	uni_model_fini(&model);
	uni_client_close(client);
	return result;
}

const struct command command_stat = {
	.name = "stat",
	.summary = "show CPUs, threads and metrics of a guest",
	.options = &stat_options,
	.run = run,
};
