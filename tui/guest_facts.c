/* SPDX-License-Identifier: MIT */
/* What follows from what a guest said: its state, its growth, and what stands out. */
#include <inttypes.h>
#include <stdio.h>

#include "host-tools/lib/quantity.h"
#include "tui/model.h"

#define NS_PER_S 1000000000ull

/* From here on a guest suffers from it. */
#define STARVED_NOTABLE 0.05
#define WAIT_NOTABLE_NS (NS_PER_S / 10)
/* A leak is called one when it has lasted this long and looks like a straight line. */
#define LEAK_SECONDS 20
#define LEAK_FIT 0.9

uint32_t guest_state(const struct guest *guest)
{
	const struct uni_model *model = &guest->model;

	if (model->has_panic && model->state.state != UNI_GUEST_DUMPING)
		return UNI_GUEST_CRASHED;
	if (guest->client || model->state.state == UNI_GUEST_CRASHED)
		return model->state.state;
	return UNI_GUEST_EXITED;
}

bool guest_starved(const struct guest *guest, double *share)
{
	const struct uni_model *model = &guest->model;

	if (!model->starved.known || !model->has_hello || model->hello.cpu_count == 0)
		return false;
	*share = model->starved.per_s / 1e9 / model->hello.cpu_count;
	return true;
}

bool guest_heap_growth(const struct guest *guest, double *per_s, bool *steady)
{
	double fit;

	if (!history_slope(&guest->heap, per_s, &fit))
		return false;
	*steady = *per_s > 0 && fit > LEAK_FIT && guest->heap.count >= LEAK_SECONDS;
	return true;
}

uint64_t guest_lost(const struct guest *guest)
{
	const struct uni_model_losses *losses = &guest->model.losses;

	return losses->log_lines + losses->client_frames + losses->trace_discarded +
	       losses->malformed_frames;
}

static void note_death(const struct guest *guest, char *out, size_t size)
{
	const struct uni_model *model = &guest->model;

	snprintf(out, size, "%s%s%s",
		 model->has_panic ? model->panic.reason : "crashed; its reason did not come",
		 model->dump_id[0] ? "; dump " : "", model->dump_id);
}

static bool note_wait(const struct guest *guest, char *out, size_t size)
{
	const struct uni_model *model = &guest->model;
	const struct uni_model_thread *worst = NULL;
	char wait[256];

	for (size_t i = 0; i < model->thread_count; i++) {
		const struct uni_model_thread *thread = &model->threads[i];

		if (thread->record.wait_kind != UNI_WAIT_MUTEX ||
		    uni_model_waiting_ns(model, thread) < WAIT_NOTABLE_NS)
			continue;
		if (!worst ||
		    uni_model_waiting_ns(model, thread) > uni_model_waiting_ns(model, worst))
			worst = thread;
	}
	if (!worst)
		return false;
	snprintf(out, size, "%s waits for %s", worst->name,
		 uni_model_wait_text(model, worst, wait, sizeof(wait)));
	return true;
}

static bool note_leak(const struct guest *guest, char *out, size_t size)
{
	char rate[UNI_QUANTITY_SIZE], left[UNI_QUANTITY_SIZE];
	uint64_t used, limit;
	double per_s, left_s;
	bool steady;

	if (!guest_heap_growth(guest, &per_s, &steady) || !steady || per_s < 1 ||
	    !uni_model_heap(&guest->model, &used, &limit) || used >= limit)
		return false;
	left_s = (double)(limit - used) / per_s;
	/* Beyond a month it says nothing about an end. */
	if (left_s > 30 * 86400.0)
		return false;
	snprintf(out, size, "heap grows %s, full in %s",
		 uni_quantity_rate(rate, sizeof(rate), per_s, UNI_UNIT_BYTES),
		 uni_quantity_duration(left, sizeof(left), (uint64_t)(left_s * 1e9)));
	return true;
}

static bool is_silent(const struct guest *guest, uint64_t interval_ns, uint64_t now_ns)
{
	uint64_t last_ns = guest->model.received_ns;

	return guest_state(guest) == UNI_GUEST_RUNNING && last_ns > 0 && now_ns > last_ns &&
	       now_ns - last_ns > 3 * interval_ns + NS_PER_S;
}

const char *guest_note(const struct guest *guest, uint64_t interval_ns, uint64_t now_ns, char *out,
		       size_t size, int *severity)
{
	const struct uni_model *model = &guest->model;
	char text[UNI_QUANTITY_SIZE];
	double starved;

	*severity = 0;
	snprintf(out, size, "%s", "");
	switch (guest_state(guest)) {
	case UNI_GUEST_CRASHED:
	case UNI_GUEST_DUMPING:
		*severity = 2;
		note_death(guest, out, size);
		return out;
	case UNI_GUEST_EXITED:
		if (model->has_bye)
			snprintf(out, size, "ended by itself with status %d", model->bye_status);
		else
			snprintf(out, size, "it was stopped");
		return out;
	case UNI_GUEST_DEBUGGED:
		snprintf(out, size, "stopped by gdb");
		return out;
	case UNI_GUEST_PAUSED:
		snprintf(out, size, "paused by QMP");
		return out;
	default:
		break;
	}
	*severity = 1;
	if (!model->has_state)
		snprintf(out, size, "its supervisor does not answer");
	else if (is_silent(guest, interval_ns, now_ns))
		snprintf(out, size, "silent for %s",
			 uni_quantity_duration(text, sizeof(text), now_ns - model->received_ns));
	else if (guest_starved(guest, &starved) && starved > STARVED_NOTABLE)
		snprintf(out, size, "starved: ready, and %.0f %% of the time without a host CPU",
			 starved * 100);
	else if (!note_wait(guest, out, size) && !note_leak(guest, out, size))
		*severity = 0;
	return out;
}
