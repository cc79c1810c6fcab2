/* SPDX-License-Identifier: MIT */

#include "tracing/points.h"

#include "tracing/arch/x86_64/patch.h"
#include "tracing/errno.h"

/* By the linker; no image is without a tracepoint. */
extern struct uni_trace_site __start_uni_trace_sites[], __stop_uni_trace_sites[];
extern const struct uni_trace_meta __start_uni_trace_meta[], __stop_uni_trace_meta[];

static bool bit(const uint8_t *bitmap, uint32_t id)
{
	return bitmap[id / 8] >> (id % 8) & 1;
}

static void put_bit(uint8_t *bitmap, uint32_t id, bool value)
{
	uint8_t mask = (uint8_t)(1u << (id % 8));

	bitmap[id / 8] = (uint8_t)(value ? bitmap[id / 8] | mask : bitmap[id / 8] & ~mask);
}

int uni_points_init(struct uni_points *points, const struct uni_text_ops *text)
{
	/* The metadata of a guest is not loaded: its addresses are numbers, from 0. */
	uint64_t events = ((uintptr_t)__stop_uni_trace_meta - (uintptr_t)__start_uni_trace_meta) /
			  sizeof(struct uni_trace_meta);

	if (events > UNI_TRACE_EVENTS_MAX)
		return -UNI_ERANGE;
	*points = (struct uni_points){
		.sites = __start_uni_trace_sites,
		.site_count = (size_t)(__stop_uni_trace_sites - __start_uni_trace_sites),
		.event_count = (uint32_t)events,
		.text = text,
	};
#if __STDC_HOSTED__
	/* See site.h: distances to ids, once. */
	static bool resolved;

	for (size_t i = 0; !resolved && i < points->site_count; i++) {
		uint32_t *id = &__start_uni_trace_sites[i].event_id;
		uintptr_t meta = (uintptr_t)id + (uintptr_t)(intptr_t)(int32_t)*id;

		*id = (uint32_t)((meta - (uintptr_t)__start_uni_trace_meta) /
				 sizeof(struct uni_trace_meta));
	}
	resolved = true;
#endif
	return 0;
}

static void encode(const struct uni_trace_site *site, bool on, uint8_t code[UNI_TRACE_SITE_BYTES])
{
	if (on)
		uni_patch_encode_on(code, site->address, site->target);
	else
		uni_patch_encode_off(code);
}

/* Whether the site holds `code`, with a breakpoint over its first byte or without. */
static bool holds(const struct uni_trace_site *site, const uint8_t *code, bool breakpoint)
{
	const volatile uint8_t *text = (const uint8_t *)(uintptr_t)site->address;

	if (text[0] != (breakpoint ? UNI_PATCH_BREAKPOINT : code[0]))
		return false;
	for (size_t i = 1; i < UNI_TRACE_SITE_BYTES; i++) {
		if (text[i] != code[i])
			return false;
	}
	return true;
}

/* Marks the events to switch: those whose every site holds what we left there. Returns whether
 * others had to be left out. */
static bool choose_changing(struct uni_points *points, const uint8_t *bitmap, uint32_t count)
{
	bool left_out = false;

	for (uint32_t id = 0; id < points->event_count; id++)
		put_bit(points->changing, id,
			bit(points->on, id) != (id < count && bit(bitmap, id)));
	for (size_t i = 0; i < points->site_count; i++) {
		const struct uni_trace_site *site = &points->sites[i];
		uint8_t code[UNI_TRACE_SITE_BYTES];

		if (!bit(points->changing, site->event_id))
			continue;
		encode(site, bit(points->on, site->event_id), code);
		if (!holds(site, code, false)) {
			put_bit(points->changing, site->event_id, false);
			left_out = true;
		}
	}
	return left_out;
}

/* The last is for emulators: QEMU's TCG may translate code on one CPU while another writes it, and
 * keep what it read before the write. A write after the sync makes it forget that. */
enum step { STEP_BREAKPOINT, STEP_TAIL, STEP_FIRST, STEP_AGAIN };

/* One step of the protocol at one site that is to become `on`; nothing when the site is not in the
 * state that the step before leaves. */
static int take_step(struct uni_points *points, const struct uni_trace_site *site, bool on,
		     enum step step)
{
	static const uint8_t breakpoint = UNI_PATCH_BREAKPOINT;
	uint8_t *text = (uint8_t *)(uintptr_t)site->address;
	uint8_t from[UNI_TRACE_SITE_BYTES], to[UNI_TRACE_SITE_BYTES];

	encode(site, !on, from);
	encode(site, on, to);
	if (step == STEP_BREAKPOINT && holds(site, from, false))
		return points->text->write(text, &breakpoint, 1);
	if (step == STEP_TAIL && holds(site, from, true))
		return points->text->write(text + 1, to + 1, sizeof(to) - 1);
	if (step == STEP_FIRST && holds(site, to, true))
		return points->text->write(text, to, 1);
	if (step == STEP_AGAIN && holds(site, to, false))
		return points->text->write(text, to, 1);
	return 0;
}

int uni_points_set(struct uni_points *points, const uint8_t *bitmap, uint32_t count)
{
	int result = 0;

	if (count > points->event_count)
		return -UNI_EINVAL;
	if (choose_changing(points, bitmap, count))
		result = -UNI_EBUSY;
	for (enum step step = STEP_BREAKPOINT; step <= STEP_AGAIN; step++) {
		for (size_t i = 0; i < points->site_count; i++) {
			const struct uni_trace_site *site = &points->sites[i];
			int written;

			if (!bit(points->changing, site->event_id))
				continue;
			written = take_step(points, site, !bit(points->on, site->event_id), step);
			if (written != 0)
				result = written;
		}
		if (step != STEP_AGAIN)
			points->text->sync();
	}
	for (uint32_t id = 0; id < points->event_count; id++)
		put_bit(points->on, id, bit(points->on, id) != bit(points->changing, id));
	return result;
}

bool uni_points_trap(const struct uni_points *points, uintptr_t after, uintptr_t *resume)
{
	for (size_t i = 0; i < points->site_count; i++) {
		const struct uni_trace_site *site = &points->sites[i];
		uint8_t on[UNI_TRACE_SITE_BYTES];

		if (after != site->address + 1)
			continue;
		/* What stands there is done here and not executed again: an emulator may still have
		 * the breakpoint in its cache, and this CPU would never leave it. */
		uni_patch_encode_on(on, site->address, site->target);
		*resume = holds(site, on, false) ? site->target
						 : site->address + UNI_TRACE_SITE_BYTES;
		return true;
	}
	return false;
}

bool uni_points_overlap(const struct uni_points *points, uintptr_t address, size_t len)
{
	for (size_t i = 0; i < points->site_count; i++) {
		uintptr_t site = points->sites[i].address;

		if (site < address + len && address < site + UNI_TRACE_SITE_BYTES)
			return true;
	}
	return false;
}
