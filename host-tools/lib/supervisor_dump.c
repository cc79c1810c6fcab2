/* SPDX-License-Identifier: MIT */
/* The core that a dying guest streams over its probe port, into the store of dumps. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host-tools/lib/cursor.h"
#include "host-tools/lib/dump_store.h"
#include "host-tools/lib/sanitize.h"
#include "host-tools/lib/supervisor_internal.h"

/* A guest that dies may do so slowly, but not in silence. */
#define PROGRESS_MS 10000

static void fail(struct dump_collection *dump, const char *why)
{
	if (dump->failed)
		return;
	dump->failed = true;
	uni_sanitize(dump->failure, sizeof(dump->failure), why, strlen(why));
}

static void begin(struct supervisor *supervisor, const uint8_t *panic, size_t panic_len)
{
	struct dump_collection *dump = &supervisor->dump;
	const struct uni_image *image = supervisor->options->image;
	struct uni_dump_guest guest = {
		.name = supervisor->info.name,
		.image = image->path,
		.build_id_len = image->build_id_len,
		.memory_size = (uint64_t)supervisor->options->memory_mib << 20,
		.started_unix_ns = supervisor->info.started_unix_ns,
		.source = UNI_DUMP_FROM_GUEST,
	};
	struct uni_error error;

	memcpy(guest.boot_id, supervisor->guest.hello.boot_id, sizeof(guest.boot_id));
	memcpy(guest.build_id, image->build_id, image->build_id_len);
	if (uni_dump_store_begin(&guest, panic, panic_len, &dump->writer, &error) < 0) {
		dump->writer = NULL;
		fail(dump, error.text);
		return;
	}
	dump->id = uni_dump_store_id(dump->writer);
}

static void note_cause(struct dump_collection *dump, const uint8_t *payload, size_t len)
{
	struct uni_panic_record record;
	struct uni_cursor cursor;
	const char *reason;
	uint16_t header_size;

	uni_cursor_init(&cursor, payload, len, "PANIC frame");
	header_size = uni_cursor_u16(&cursor);
	uni_cursor_init(&cursor, payload, len, "PANIC frame");
	uni_cursor_struct(&cursor, header_size, &record, sizeof(record));
	reason = uni_cursor_bytes(&cursor, record.reason_len);
	if (reason)
		snprintf(dump->cause, sizeof(dump->cause), "%.*s", (int)record.reason_len, reason);
	if (dump->cause[0] == '\0')
		strcpy(dump->cause, "it panicked and did not say why");
}

static void take_panic(struct supervisor *supervisor, const uint8_t *payload, size_t len)
{
	struct dump_collection *dump = &supervisor->dump;

	/* A panic within a panic is part of the first. */
	if (dump->panicked)
		return;
	dump->panicked = true;
	note_cause(dump, payload, len);
	begin(supervisor, payload, len);
	life_set_state(supervisor, UNI_GUEST_DUMPING);
}

static void take_data(struct dump_collection *dump, const uint8_t *payload, size_t len)
{
	struct uni_error error;
	struct uni_cursor cursor;
	uint64_t offset;

	uni_cursor_init(&cursor, payload, len, "DUMP_DATA frame");
	offset = uni_cursor_u64(&cursor);
	if (!uni_cursor_failed(&cursor) &&
	    uni_dump_store_write(dump->writer, offset, cursor.next, cursor.left, &error) < 0)
		fail(dump, error.text);
}

static void take_size(struct dump_collection *dump, const uint8_t *payload, size_t len)
{
	struct uni_error error;
	struct uni_cursor cursor;
	uint64_t size;

	uni_cursor_init(&cursor, payload, len, "DUMP_BEGIN frame");
	size = uni_cursor_u64(&cursor);
	if (!uni_cursor_failed(&cursor) && uni_dump_store_set_size(dump->writer, size, &error) < 0)
		fail(dump, error.text);
}

static void finish(struct supervisor *supervisor, int32_t status, uint64_t data_size)
{
	struct dump_collection *dump = &supervisor->dump;
	struct uni_error error;

	if (dump->finished)
		return;
	dump->finished = true;
	uni_event_timer_disarm(&dump->timer);
	if (status != 0)
		fail(dump, "the guest could not write all of it");
	if (dump->writer && uni_dump_store_finish(dump->writer, status, data_size, &error) < 0)
		fail(dump, error.text);
	dump->complete = dump->writer && !dump->failed;
	dump->writer = NULL;
	life_set_state(supervisor, UNI_GUEST_CRASHED);
	life_quit(supervisor);
}

static void give_up(struct supervisor *supervisor, const char *why)
{
	struct dump_collection *dump = &supervisor->dump;

	if (dump->finished || !dump->panicked)
		return;
	dump->finished = true;
	fail(dump, why);
	uni_dump_store_abort(dump->writer, why);
	dump->writer = NULL;
	life_set_state(supervisor, UNI_GUEST_CRASHED);
	life_quit(supervisor);
}

static void on_timer(void *context, uint32_t events)
{
	struct supervisor *supervisor = context;

	/* In gdb's hands it may take its time. */
	if (gdb_attached(supervisor))
		uni_event_timer_arm(&supervisor->dump.timer, PROGRESS_MS, 0);
	else
		give_up(supervisor, "the guest fell silent while it wrote its dump");
}

void dump_frame(struct supervisor *supervisor, uint16_t type, const uint8_t *payload, size_t len)
{
	struct dump_collection *dump = &supervisor->dump;
	struct uni_cursor cursor;

	if (type == UNI_FRAME_PANIC)
		take_panic(supervisor, payload, len);
	if (!dump->panicked || dump->finished)
		return;
	uni_event_timer_arm(&dump->timer, PROGRESS_MS, 0);
	uni_cursor_init(&cursor, payload, len, "DUMP_END frame");
	if (type == UNI_FRAME_DUMP_BEGIN && dump->writer)
		take_size(dump, payload, len);
	else if (type == UNI_FRAME_DUMP_DATA && dump->writer)
		take_data(dump, payload, len);
	else if (type == UNI_FRAME_DUMP_END) {
		int32_t status = (int32_t)uni_cursor_u32(&cursor);
		uint64_t data_size;

		uni_cursor_skip(&cursor, 4);
		data_size = uni_cursor_u64(&cursor);
		finish(supervisor, status, data_size);
	}
}

void dump_guest_gone(struct supervisor *supervisor)
{
	give_up(supervisor, "QEMU ended while the guest wrote its dump");
}

int dump_init(struct supervisor *supervisor)
{
	return uni_event_timer_init(&supervisor->loop, &supervisor->dump.timer, on_timer,
				    supervisor);
}

void dump_fini(struct supervisor *supervisor)
{
	uni_dump_store_abort(supervisor->dump.writer, "the supervisor was ended");
	supervisor->dump.writer = NULL;
	uni_event_timer_fini(&supervisor->loop, &supervisor->dump.timer);
}
