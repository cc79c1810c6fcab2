/* SPDX-License-Identifier: MIT */
#include "guest-probe/memory.h"
#include "guest-probe/probe_internal.h"

static size_t text_len(const char *text)
{
	size_t len = 0;

	while (text && text[len])
		len++;
	return len;
}

void uni_probe_put_hello(const struct uni_probe *probe, struct uni_frame_writer *out)
{
	const struct uni_probe_identity *identity = probe->identity;
	const size_t cmdline_len = text_len(identity->cmdline);
	struct uni_hello *hello = uni_frame_reserve(out, sizeof(*hello));

	if (!hello)
		return;
	hello->version = UNI_FRAME_VERSION;
	hello->header_size = sizeof(*hello);
	hello->cpu_count = identity->cpu_count;
	memcpy(hello->boot_id, identity->boot_id, sizeof(hello->boot_id));
	memcpy(hello->build_id, identity->build_id, sizeof(hello->build_id));
	hello->build_id_len = identity->build_id_len;
	hello->features = identity->features;
	hello->tsc_hz = identity->tsc_hz;
	hello->tsc = probe->ops->tsc(probe->context);
	hello->time_ns = probe->ops->time_ns(probe->context);
	hello->memory_size = identity->memory_size;
	hello->clock_method = identity->clock_method;
	hello->interval_ms = probe->interval_ms;
	uni_frame_text(hello->application, sizeof(hello->application), identity->application);
	uni_frame_text(hello->kernel, sizeof(hello->kernel), identity->kernel);
	hello->cmdline_len = (uint32_t)cmdline_len;
	hello->trace_packet_size = identity->trace_packet_size;
	uni_frame_put(out, identity->cmdline, cmdline_len);
}

void uni_probe_put_cpus(const struct uni_probe *probe, uint64_t tsc, uint64_t time_ns,
			struct uni_frame_writer *out)
{
	const size_t record_size = sizeof(struct uni_cpu_record);
	const uint32_t capacity = probe->identity->cpu_count;
	struct uni_table *table = uni_frame_put_table(out, tsc, time_ns, record_size);
	void *records = uni_frame_reserve(out, capacity * record_size);

	if (!records)
		return;
	table->count = probe->ops->cpus(probe->context, records, capacity);
	table->total = table->count;
	uni_frame_trim(out, (capacity - table->count) * record_size);
}

struct uni_table *uni_probe_put_threads(const struct uni_probe *probe, uint64_t tsc,
					uint64_t time_ns, uint32_t *after_id,
					struct uni_frame_writer *out)
{
	const size_t record_size = sizeof(struct uni_thread_record);
	struct uni_table *table = uni_frame_put_table(out, tsc, time_ns, record_size);
	const uint32_t capacity = (uint32_t)(uni_frame_room(out) / record_size);
	struct uni_thread_record *records = uni_frame_reserve(out, capacity * record_size);

	if (!table || !records || !capacity)
		return NULL;
	table->count =
		probe->ops->threads(probe->context, *after_id, records, capacity, &table->total);
	uni_frame_trim(out, (capacity - table->count) * record_size);
	if (table->count)
		*after_id = records[table->count - 1].id;
	return table;
}

static bool put_log_record(const struct uni_probe *probe, uint64_t sequence,
			   struct uni_frame_writer *out)
{
	struct uni_log_record record = {0};
	char text[UNI_PROBE_LOG_TEXT_MAX + 8] = {0};

	if (!probe->ops->log_read(probe->context, sequence, &record, text))
		return false;
	record.sequence = sequence;
	uni_frame_put(out, &record, sizeof(record));
	uni_frame_put(out, text, (record.text_len + 7) & ~(size_t)7);
	return true;
}

uint32_t uni_probe_put_log(const struct uni_probe *probe, uint64_t *next, uint64_t *lost,
			   struct uni_frame_writer *out)
{
	const size_t record_max = sizeof(struct uni_log_record) + UNI_PROBE_LOG_TEXT_MAX;
	struct uni_log_batch *batch = uni_frame_reserve(out, sizeof(*batch));
	uint64_t oldest, end;

	if (!batch)
		return 0;
	probe->ops->log_range(probe->context, &oldest, &end);
	if (*next < oldest) {
		*lost += oldest - *next;
		*next = oldest;
	}
	for (; *next < end && uni_frame_room(out) >= record_max; ++*next) {
		if (put_log_record(probe, *next, out))
			batch->count++;
		else
			++*lost; /* overwritten since the range was asked */
	}
	batch->lost = *lost;
	return batch->count;
}

void uni_probe_put_tracepoints(const struct uni_probe *probe, struct uni_frame_writer *out)
{
	const struct uni_probe_trace_ops *trace = probe->ops->trace;
	struct uni_tracepoint_state *state = uni_frame_reserve(out, sizeof(*state));
	const uint32_t count = trace ? trace->event_count(probe->context) : 0;
	uint8_t *bitmap = uni_frame_reserve(out, (count + 7) / 8);

	if (!bitmap)
		return;
	state->event_count = count;
	if (trace)
		trace->points_get(probe->context, bitmap, count);
}
