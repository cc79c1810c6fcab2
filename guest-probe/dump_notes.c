/* SPDX-License-Identifier: MIT */
/* What the probe knew at the end, as notes of the core: the payloads of its frames. */
#include "guest-probe/dump_internal.h"
#include "guest-probe/memory.h"
#include "guest-probe/probe_internal.h"

#define RINGS_MAX 256

/* Payloads are made in the probe's buffer, behind the header of a frame that is never sent. */
static struct uni_frame_writer begin(struct uni_dump *dump)
{
	struct uni_frame_writer payload;

	uni_frame_begin(&payload, dump->probe->buffer, sizeof(dump->probe->buffer), 0, 0);
	return payload;
}

static const uint8_t *contents(const struct uni_frame_writer *payload)
{
	return payload->buffer + sizeof(struct uni_frame);
}

static size_t contents_len(const struct uni_frame_writer *payload)
{
	return payload->len - sizeof(struct uni_frame);
}

static void put_payload(struct uni_core_writer *writer, enum uni_note_type type,
			const struct uni_frame_writer *payload)
{
	uni_core_note(writer, type, contents(payload), contents_len(payload));
}

static void put_panic(struct uni_dump *dump, struct uni_core_writer *writer)
{
	struct uni_frame_writer payload = begin(dump);
	struct uni_panic_record *record = uni_frame_reserve(&payload, sizeof(*record));

	*record = dump->panic->record;
	record->header_size = sizeof(*record);
	for (const char *at = dump->panic->reason; *at; at++) {
		uni_frame_put(&payload, at, 1);
		record->reason_len++;
	}
	put_payload(writer, UNI_NOTE_PANIC, &payload);
}

static void put_hello(struct uni_dump *dump, struct uni_core_writer *writer)
{
	struct uni_frame_writer payload = begin(dump);

	uni_probe_put_hello(dump->probe, &payload);
	put_payload(writer, UNI_NOTE_HELLO, &payload);
}

/* The thread that crashed is told apart by a flag; the rest of the record is the platform's. */
static void flag_crashed(const struct uni_dump *dump, struct uni_table *table)
{
	struct uni_thread_record *records = (void *)(table + 1);

	for (uint32_t i = 0; i < table->count; i++)
		if (records[i].id == dump->panic->record.thread)
			records[i].flags |= UNI_THREAD_CRASHED;
}

/* One table, however many pieces it is made in. */
static void put_threads(struct uni_dump *dump, struct uni_core_writer *writer)
{
	const struct uni_panic_record *panic = &dump->panic->record;
	uint32_t after_id = 0, left = 0;
	bool opened = false;

	do {
		struct uni_frame_writer payload = begin(dump);
		struct uni_table *table = uni_probe_put_threads(
			dump->probe, panic->tsc, panic->time_ns, &after_id, &payload);
		uint32_t count = table->count;

		if (!opened) {
			struct uni_table whole = *table;

			left = table->total;
			whole.count = left;
			uni_core_note_begin(
				writer, UNI_NOTE_OWNER, UNI_NOTE_THREADS,
				sizeof(whole) + (size_t)left * sizeof(struct uni_thread_record));
			uni_core_put(writer, &whole, sizeof(whole));
			opened = true;
		}
		flag_crashed(dump, table);
		uni_core_put(writer, table + 1, count * sizeof(struct uni_thread_record));
		left -= count < left ? count : left;
		if (count == 0)
			break;
	} while (left > 0);
	uni_core_note_end(writer);
}

static void put_cpus(struct uni_dump *dump, struct uni_core_writer *writer)
{
	const struct uni_panic_record *panic = &dump->panic->record;
	struct uni_frame_writer payload = begin(dump);

	uni_probe_put_cpus(dump->probe, panic->tsc, panic->time_ns, &payload);
	put_payload(writer, UNI_NOTE_CPUS, &payload);
}

static void put_metrics(struct uni_dump *dump, struct uni_core_writer *writer)
{
	const struct uni_panic_record *panic = &dump->panic->record;
	struct uni_frame_writer payload = begin(dump);

	uni_metrics_put_table(dump->probe->metrics, panic->tsc, panic->time_ns, &payload);
	put_payload(writer, UNI_NOTE_METRIC_TABLE, &payload);
	payload = begin(dump);
	uni_metrics_put_values(dump->probe->metrics, panic->tsc, panic->time_ns, &payload);
	put_payload(writer, UNI_NOTE_METRICS, &payload);
}

/* All that the log holds as one batch: measured first, as a note begins with its length. */
static void put_log(struct uni_dump *dump, struct uni_core_writer *writer)
{
	struct uni_log_batch whole = {0};
	size_t records_len = 0;
	uint64_t next = 0;

	for (;;) {
		struct uni_frame_writer payload = begin(dump);
		const uint32_t count = uni_probe_put_log(dump->probe, &next, &whole.lost, &payload);

		if (count == 0)
			break;
		whole.count += count;
		records_len += contents_len(&payload) - sizeof(whole);
	}
	uni_core_note_begin(writer, UNI_NOTE_OWNER, UNI_NOTE_LOG, sizeof(whole) + records_len);
	uni_core_put(writer, &whole, sizeof(whole));
	for (next = 0;;) {
		struct uni_frame_writer payload = begin(dump);
		uint64_t lost = 0;

		if (uni_probe_put_log(dump->probe, &next, &lost, &payload) == 0)
			break;
		uni_core_put(writer, contents(&payload) + sizeof(whole),
			     contents_len(&payload) - sizeof(whole));
	}
	uni_core_note_end(writer);
}

static void put_rings(struct uni_dump *dump, struct uni_core_writer *writer)
{
	const struct uni_panic_record *panic = &dump->panic->record;
	const struct uni_probe *probe = dump->probe;
	const size_t record_size = sizeof(struct uni_note_ring);
	struct uni_frame_writer payload = begin(dump);
	struct uni_table *table;

	if (!probe->ops->trace)
		return;
	table = uni_frame_put_table(&payload, panic->tsc, panic->time_ns, record_size);
	table->count = probe->ops->trace->rings(
		probe->context, uni_frame_reserve(&payload, RINGS_MAX * record_size), RINGS_MAX);
	table->total = table->count;
	uni_frame_trim(&payload, (RINGS_MAX - table->count) * record_size);
	put_payload(writer, UNI_NOTE_TRACE_RINGS, &payload);
}

void uni_dump_put_notes(void *context, struct uni_core_writer *writer)
{
	struct uni_dump *dump = context;

	put_panic(dump, writer);
	put_hello(dump, writer);
	put_threads(dump, writer);
	put_cpus(dump, writer);
	put_metrics(dump, writer);
	put_log(dump, writer);
	put_rings(dump, writer);
}
