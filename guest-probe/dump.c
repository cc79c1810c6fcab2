/* SPDX-License-Identifier: MIT */
#include "guest-probe/dump.h"

#include "guest-probe/dump_internal.h"
#include "guest-probe/memory.h"

/* A frame whose payload is a structure and, after it, bytes that are not copied. */
static int send_frame(struct uni_dump *dump, enum uni_frame_type type, const void *structure,
		      size_t structure_len, const void *bytes, size_t len)
{
	struct {
		struct uni_frame header;
		uint8_t structure[sizeof(struct uni_panic_record)];
	} head = {
		.header =
			{
				.magic = UNI_FRAME_MAGIC,
				.type = (uint16_t)type,
				.length = (uint32_t)(structure_len + len),
			},
	};
	const struct uni_iov iov[UNI_DUMP_IOV_MAX] = {
		{&head, sizeof(head.header) + structure_len},
		{bytes, len},
	};

	memcpy(head.structure, structure, structure_len);
	return dump->ops->write(dump->context, iov, len ? 2 : 1);
}

static int write_core(void *context, uint64_t offset, const void *bytes, size_t len)
{
	struct uni_dump *dump = context;
	const struct uni_dump_data data = {.offset = offset};
	const int status = send_frame(dump, UNI_FRAME_DUMP_DATA, &data, sizeof(data), bytes, len);

	if (status == 0)
		dump->sent += len;
	return status;
}

static uint64_t view_memory(void *context, uint64_t address, size_t len, const void **bytes)
{
	const struct uni_dump *dump = context;

	return dump->ops->view(dump->context, address, len, bytes);
}

static void get_thread(void *context, uint32_t index, struct uni_core_thread *thread)
{
	const struct uni_dump *dump = context;

	dump->ops->thread(dump->context, index, thread);
}

static const struct uni_core_ops core_ops = {
	.write = write_core,
	.view = view_memory,
	.thread = get_thread,
	.notes = uni_dump_put_notes,
};

static uint32_t text_len(const char *text)
{
	uint32_t len = 0;

	while (text[len])
		len++;
	return len;
}

/* Text before memory: this frame alone is a report. */
static int send_panic(struct uni_dump *dump)
{
	struct uni_panic_record record = dump->panic->record;

	record.header_size = sizeof(record);
	record.reason_len = text_len(dump->panic->reason);
	return send_frame(dump, UNI_FRAME_PANIC, &record, sizeof(record), dump->panic->reason,
			  record.reason_len);
}

static int send_core(struct uni_dump *dump)
{
	const struct uni_dump_panic *panic = dump->panic;
	const struct uni_panic_record *record = &panic->record;
	struct uni_dump_begin begin = {0};
	int status;

	dump->info = (struct uni_core_info){
		.fault_address = record->address,
		.name = dump->probe->identity->application,
		.cmdline = dump->probe->identity->cmdline,
		.thread_count = panic->thread_count,
		.range_count = panic->range_count,
		.ranges = panic->ranges,
		.image_address = panic->image_address,
	};
	dump->info.signal = uni_core_signal(record->kind, record->vector, record->error_code,
					    &dump->info.signal_code);
	status = uni_core_init(&dump->writer, &core_ops, dump, &dump->info, dump->staging,
			       sizeof(dump->staging));
	if (status)
		return status;
	begin.file_size = dump->writer.file_size;
	status = send_frame(dump, UNI_FRAME_DUMP_BEGIN, &begin, sizeof(begin), NULL, 0);
	return status ? status : uni_core_write(&dump->writer);
}

int uni_dump_send(struct uni_dump *dump, struct uni_probe *probe, const struct uni_dump_ops *ops,
		  void *context, const struct uni_dump_panic *panic)
{
	struct uni_dump_end end = {0};
	int status;

	dump->probe = probe;
	dump->ops = ops;
	dump->context = context;
	dump->panic = panic;
	dump->sent = 0;
	status = send_panic(dump);
	if (status)
		return status;
	end.status = send_core(dump);
	end.data_size = dump->sent;
	status = send_frame(dump, UNI_FRAME_DUMP_END, &end, sizeof(end), NULL, 0);
	return end.status ? end.status : status;
}
