/* SPDX-License-Identifier: MIT */
#include "guest-probe/metrics.h"

#include "tracing/errno.h"

void uni_metrics_init(struct uni_metrics *metrics, const struct uni_metric **slots,
		      uint32_t capacity)
{
	metrics->slots = slots;
	metrics->capacity = capacity < UNI_METRICS_MAX ? capacity : UNI_METRICS_MAX;
	metrics->count = 0;
}

static bool name_fits(const char *name)
{
	const size_t size = sizeof(((struct uni_metric_desc *)NULL)->name);
	size_t len = 0;

	while (name && len < size && name[len])
		len++;
	return len > 0 && len < size;
}

int uni_metrics_add(struct uni_metrics *metrics, const struct uni_metric *metric)
{
	uint32_t slot = __atomic_load_n(&metrics->count, __ATOMIC_RELAXED);

	if (!name_fits(metric->name) || (!metric->value && !metric->read))
		return -UNI_EINVAL;
	do {
		if (slot >= metrics->capacity)
			return -UNI_ENOSPC;
	} while (!__atomic_compare_exchange_n(&metrics->count, &slot, slot + 1, false,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	/* Pairs with metric_at(): whoever sees the pointer sees what it points at. */
	__atomic_store_n(&metrics->slots[slot], metric, __ATOMIC_RELEASE);
	return 0;
}

static const struct uni_metric *metric_at(const struct uni_metrics *metrics, uint32_t slot)
{
	return __atomic_load_n(&metrics->slots[slot], __ATOMIC_ACQUIRE);
}

uint32_t uni_metrics_count(const struct uni_metrics *metrics)
{
	const uint32_t claimed = __atomic_load_n(&metrics->count, __ATOMIC_RELAXED);
	uint32_t count = 0;

	for (uint32_t slot = 0; slot < claimed; slot++)
		count += metric_at(metrics, slot) != NULL;
	return count;
}

void uni_metrics_put_table(const struct uni_metrics *metrics, uint64_t tsc, uint64_t time_ns,
			   struct uni_frame_writer *out)
{
	const uint32_t claimed = __atomic_load_n(&metrics->count, __ATOMIC_RELAXED);
	struct uni_table *table =
		uni_frame_put_table(out, tsc, time_ns, sizeof(struct uni_metric_desc));

	for (uint32_t slot = 0; table && slot < claimed; slot++) {
		const struct uni_metric *metric = metric_at(metrics, slot);
		struct uni_metric_desc *desc =
			metric ? uni_frame_reserve(out, sizeof(*desc)) : NULL;

		if (!desc)
			continue;
		desc->id = slot + 1;
		desc->kind = (uint8_t)metric->kind;
		desc->unit = (uint8_t)metric->unit;
		uni_frame_text(desc->name, sizeof(desc->name), metric->name);
		table->total = ++table->count;
	}
}

void uni_metrics_put_values(const struct uni_metrics *metrics, uint64_t tsc, uint64_t time_ns,
			    struct uni_frame_writer *out)
{
	const uint32_t claimed = __atomic_load_n(&metrics->count, __ATOMIC_RELAXED);
	struct uni_table *table =
		uni_frame_put_table(out, tsc, time_ns, sizeof(struct uni_metric_value));

	for (uint32_t slot = 0; table && slot < claimed; slot++) {
		const struct uni_metric *metric = metric_at(metrics, slot);
		struct uni_metric_value *value =
			metric ? uni_frame_reserve(out, sizeof(*value)) : NULL;

		if (!value)
			continue;
		value->id = slot + 1;
		value->value = metric->value ? *metric->value : metric->read(metric->context);
		table->total = ++table->count;
	}
}
