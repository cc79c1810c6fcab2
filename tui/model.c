/* SPDX-License-Identifier: MIT */
#include "tui/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host-tools/lib/cleanup.h"
#include "tracing/errno.h"

#define NS_PER_S 1000000000ull
#define RATE_MIN_NS (NS_PER_S / 5)

/* A snapshot that was not answered for this long is asked for again: the answer may have been
 * dropped because this client was too slow. */
#define ASK_AGAIN_NS (5 * NS_PER_S)

void model_init(struct model *model, uint64_t interval_ns)
{
	*model = (struct model){.interval_ns = interval_ns, .next_id = 1};
}

static void destroy_guest(struct guest *guest)
{
	uni_client_close(guest->client);
	uni_model_fini(&guest->model);
	free(guest);
}

void model_fini(struct model *model)
{
	for (size_t i = 0; i < model->count; i++)
		destroy_guest(model->guests[i]);
	free(model->guests);
	*model = (struct model){0};
}

struct guest *model_guest(const struct model *model, const char *name)
{
	for (size_t i = 0; i < model->count; i++)
		if (strcmp(model->guests[i]->name, name) == 0)
			return model->guests[i];
	return NULL;
}

static struct guest *add_guest(struct model *model, const char *name)
{
	struct guest **guests;
	struct guest *guest;

	if (model->count >= MODEL_GUESTS_MAX)
		return NULL;
	guests = realloc(model->guests, (model->count + 1) * sizeof(struct guest *));
	if (!guests)
		return NULL;
	model->guests = guests;
	guest = calloc(1, sizeof(*guest));
	if (!guest)
		return NULL;
	guest->id = model->next_id++;
	snprintf(guest->name, sizeof(guest->name), "%s", name);
	uni_model_init(&guest->model, RATE_MIN_NS);
	model->guests[model->count++] = guest;
	return guest;
}

/* A new supervisor under a known name is a new life: nothing of the old one holds. */
static void connect_guest(struct guest *guest, const struct uni_guest_info *info)
{
	struct guest fresh = {.id = guest->id, .supervisor_pid = info->supervisor_pid};
	struct uni_client *client;

	if (uni_client_open(info->name, &client, NULL) < 0)
		return;
	uni_model_fini(&guest->model);
	memcpy(fresh.name, info->name, sizeof(fresh.name));
	memcpy(fresh.machine, info->machine, sizeof(fresh.machine));
	memcpy(fresh.accel, info->accel, sizeof(fresh.accel));
	fresh.memory_mib = info->memory_mib;
	fresh.client = client;
	*guest = fresh;
	uni_model_init(&guest->model, RATE_MIN_NS);
}

static void find_guests(struct model *model)
{
	uni_cleanup_free struct uni_guest_info *guests = NULL;
	struct uni_error error = {0};
	size_t count = 0;

	model->trouble[0] = '\0';
	if (uni_registry_list(&guests, &count, &error) < 0) {
		snprintf(model->trouble, sizeof(model->trouble), "%.159s", error.text);
		return;
	}
	model->total = count;
	for (size_t i = 0; i < count; i++) {
		struct guest *guest = model_guest(model, guests[i].name);

		if (guest && guest->client)
			continue;
		/* Its supervisor hung up and is on its way out. */
		if (guest && guest->supervisor_pid == guests[i].supervisor_pid)
			continue;
		if (!guest)
			guest = add_guest(model, guests[i].name);
		if (guest)
			connect_guest(guest, &guests[i]);
	}
}

static void ask(struct guest *guest, uint64_t now_ns)
{
	bool waits = guest->asked_ns > 0 && now_ns - guest->asked_ns < ASK_AGAIN_NS;

	if (!guest->client || waits)
		return;
	if (uni_client_send(guest->client, UNI_FRAME_SNAPSHOT, NULL, 0, NULL) == 0)
		guest->asked_ns = now_ns;
}

/* CPUs' worth of work of all guests together. */
static void sum_cpu(struct model *model, uint64_t now_ns)
{
	double sum = 0;

	for (size_t i = 0; i < model->count; i++) {
		double share;

		if (model->guests[i]->client &&
		    uni_model_cpu_share(&model->guests[i]->model, &share))
			sum += share * (double)model->guests[i]->model.cpu_count;
	}
	history_put(&model->cpu, now_ns, sum);
}

void model_refresh(struct model *model, uint64_t now_ns)
{
	model->now_ns = now_ns;
	host_load_update(&model->host, now_ns);
	sum_cpu(model, now_ns);
	find_guests(model);
	for (size_t i = 0; i < model->count; i++)
		ask(model->guests[i], now_ns);
}

size_t model_fill_poll(const struct model *model, struct pollfd *fds, size_t max)
{
	size_t filled = 0;

	for (size_t i = 0; i < model->count && filled < max; i++) {
		const struct uni_client *client = model->guests[i]->client;

		if (client)
			fds[filled++] = (struct pollfd){
				.fd = uni_client_fd(client),
				.events = uni_client_events(client),
			};
	}
	return filled;
}

static void keep_history(struct guest *guest, uint64_t now_ns)
{
	const struct uni_model *model = &guest->model;
	const struct uni_model_metric *requests = uni_model_metric(model, "app.requests");
	const struct uni_model_metric *latency = uni_model_metric(model, "app.latency_p99_ns");
	uint64_t used, limit;
	double share;

	if (uni_model_cpu_share(model, &share))
		history_put(&guest->cpu, now_ns, share);
	if (uni_model_heap(model, &used, &limit))
		history_put(&guest->heap, now_ns, (double)used);
	if (requests && requests->rate.known)
		history_put(&guest->requests, now_ns, requests->rate.per_s);
	if (latency && latency->has_value)
		history_put(&guest->latency, now_ns, (double)latency->value);
}

/* As many frames as one guest may bring in one round, so that none can starve the others and the
 * keyboard. */
#define FRAMES_A_ROUND 1000

static bool is_number(uint16_t type)
{
	return type == UNI_FRAME_METRICS || type == UNI_FRAME_CPUS || type == UNI_FRAME_THREADS;
}

static bool receive(struct guest *guest, bool still, uint64_t now_ns)
{
	struct uni_client_frame frame;
	uint32_t state = guest_state(guest);
	int result = 0;

	for (int i = 0; i < FRAMES_A_ROUND; i++) {
		result = uni_client_receive(guest->client, &frame);
		if (result <= 0)
			break;
		if (still && is_number(frame.type))
			continue;
		/* What makes no sense is counted in the model's losses. */
		(void)uni_model_apply(&guest->model, &frame, now_ns);
	}
	if (guest->model.snapshots != guest->taken) {
		guest->taken = guest->model.snapshots;
		guest->asked_ns = 0;
		keep_history(guest, now_ns);
	}
	if (result < 0) {
		uni_client_close(guest->client);
		guest->client = NULL;
		guest->asked_ns = 0;
	}
	return guest_state(guest) != state;
}

bool model_receive(struct model *model, bool still, uint64_t now_ns)
{
	bool urgent = false;

	if (!still)
		model->now_ns = now_ns;
	for (size_t i = 0; i < model->count; i++)
		if (model->guests[i]->client && receive(model->guests[i], still, now_ns))
			urgent = true;
	return urgent;
}

bool model_is_settled(const struct model *model)
{
	for (size_t i = 0; i < model->count; i++) {
		const struct guest *guest = model->guests[i];
		uint32_t state = guest_state(guest);

		if (guest->client && guest->asked_ns > 0 &&
		    (state == UNI_GUEST_RUNNING || !guest->model.has_state))
			return false;
	}
	return true;
}

size_t model_count_state(const struct model *model, uint32_t state)
{
	size_t count = 0;

	for (size_t i = 0; i < model->count; i++)
		count += guest_state(model->guests[i]) == state;
	return count;
}
