/* SPDX-License-Identifier: MIT */
/*
 * The dump of a guest that could not write its own: a triple fault, or a QEMU that was killed. Its
 * RAM is in the memfd that the supervisor holds; registers are there where QEMU could still be
 * asked.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest-probe/core_writer.h"
#include "host-tools/lib/arch/x86_64/monitor_registers.h"
#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/dump_store.h"
#include "host-tools/lib/supervisor_internal.h"
#include "tracing/errno.h"

/* Where RAM goes on behind the hole for devices, and how much lies before it: QEMU 7.2,
 * hw/i386/microvm.c and pc_q35.c. */
#define ABOVE_HOLE (1ull << 32)
#define BELOW_HOLE_MICROVM 0xc0000000ull
#define BELOW_HOLE_Q35 0x80000000ull
#define BELOW_HOLE_Q35_LIMIT 0xb0000000ull

struct host_dump {
	struct supervisor *supervisor;
	struct uni_dump_writer *writer;
	struct uni_core_range ranges[2];
	uint32_t range_count;
	uint64_t written; /* bytes of the core */
	struct uni_error error;
	uint8_t memory[UNI_CORE_CHUNK_SIZE];
	uint8_t buffer[UNI_CORE_CHUNK_SIZE];
};

static uint64_t below_hole(const struct uni_supervisor_options *options, uint64_t size)
{
	uint64_t below = BELOW_HOLE_MICROVM;

	if (options->machine == UNI_MACHINE_Q35)
		below = size >= BELOW_HOLE_Q35_LIMIT ? BELOW_HOLE_Q35 : size;
	return size < below ? size : below;
}

static void lay_out_memory(struct host_dump *dump)
{
	const struct uni_supervisor_options *options = dump->supervisor->options;
	uint64_t size = (uint64_t)options->memory_mib << 20;
	uint64_t below = below_hole(options, size);

	dump->ranges[0] = (struct uni_core_range){.address = 0, .size = below};
	dump->ranges[1] = (struct uni_core_range){.address = ABOVE_HOLE, .size = size - below};
	dump->range_count = size > below ? 2 : 1;
}

static int write_core(void *context, uint64_t offset, const void *bytes, size_t len)
{
	struct host_dump *dump = context;

	dump->written += len;
	return uni_dump_store_write(dump->writer, offset, bytes, len, &dump->error);
}

static uint64_t view_memory(void *context, uint64_t address, size_t len, const void **bytes)
{
	struct host_dump *dump = context;
	const struct uni_core_range *range = &dump->ranges[address >= ABOVE_HOLE];
	uint64_t skew = address >= ABOVE_HOLE ? ABOVE_HOLE - dump->ranges[0].size : 0;
	uint64_t left = range->address + range->size - address;
	int fd = dump->supervisor->qemu.memory_fd;
	off_t data = lseek(fd, (off_t)(address - skew), SEEK_DATA);

	*bytes = NULL;
	if (len > left)
		len = left;
	/* Memory that was never touched is a hole, and reading it would fill it. */
	if (data < 0)
		return left;
	if ((uint64_t)data > address - skew) {
		uint64_t hole = (uint64_t)data - (address - skew);

		return hole < left ? hole : left;
	}
	if (pread(fd, dump->memory, len, (off_t)(address - skew)) == (ssize_t)len)
		*bytes = dump->memory;
	return len;
}

/* The vCPUs, for want of a way to tell the threads. */
static void give_thread(void *context, uint32_t index, struct uni_core_thread *thread)
{
	struct host_dump *dump = context;
	const char *text = dump->supervisor->life.registers;
	uint64_t fault_address;

	thread->status.pid = (int32_t)index + 1;
	/* Zeroes where QEMU could not be asked. */
	if (text)
		(void)uni_monitor_registers(text, index, &thread->status, &fault_address);
}

static void put_note(struct uni_core_writer *writer, enum uni_note_type type,
		     const struct kept_frame *kept)
{
	if (kept->payload)
		uni_core_note(writer, type, kept->payload, kept->header.length);
}

static void put_notes(void *context, struct uni_core_writer *writer)
{
	struct host_dump *dump = context;
	const struct guest_link *guest = &dump->supervisor->guest;

	put_note(writer, UNI_NOTE_HELLO, &guest->last_hello);
	put_note(writer, UNI_NOTE_CPUS, &guest->cpus);
	put_note(writer, UNI_NOTE_METRIC_TABLE, &guest->metric_table);
	put_note(writer, UNI_NOTE_METRICS, &guest->metrics);
}

static const struct uni_core_ops ops = {
	.write = write_core,
	.view = view_memory,
	.thread = give_thread,
	.notes = put_notes,
};

static int write_file(struct host_dump *dump)
{
	const struct uni_supervisor_options *options = dump->supervisor->options;
	const char *registers = dump->supervisor->life.registers;
	struct uni_core_prstatus first = {0};
	struct uni_core_info info = {
		.signal = SIGKILL,
		.name = options->name,
		.cmdline = options->arguments,
		.thread_count = options->cpus,
		.range_count = dump->range_count,
		.ranges = dump->ranges,
		.image_address = options->image->load_start,
	};
	struct uni_core_writer core;
	int status;

	if (registers && uni_monitor_registers(registers, 0, &first, &info.fault_address))
		info.signal = SIGSEGV;
	status = uni_core_init(&core, &ops, dump, &info, dump->buffer, sizeof(dump->buffer));
	if (status == 0)
		status = uni_dump_store_set_size(dump->writer, core.file_size, &dump->error);
	return status == 0 ? uni_core_write(&core) : status;
}

void host_dump_write(struct supervisor *supervisor, const char *cause)
{
	const struct uni_image *image = supervisor->options->image;
	struct dump_collection *collection = &supervisor->dump;
	uni_cleanup_free struct host_dump *dump = calloc(1, sizeof(*dump));
	struct uni_dump_guest guest = {
		.name = supervisor->info.name,
		.image = image->path,
		.build_id_len = image->build_id_len,
		.memory_size = (uint64_t)supervisor->options->memory_mib << 20,
		.started_unix_ns = supervisor->info.started_unix_ns,
		.source = UNI_DUMP_FROM_HOST,
		.cause = cause,
	};
	int status;

	if (!dump)
		return;
	dump->supervisor = supervisor;
	lay_out_memory(dump);
	memcpy(guest.boot_id, supervisor->guest.hello.boot_id, sizeof(guest.boot_id));
	memcpy(guest.build_id, image->build_id, image->build_id_len);
	status = uni_dump_store_begin(&guest, NULL, 0, &dump->writer, &dump->error);
	if (status == 0) {
		collection->id = uni_dump_store_id(dump->writer);
		status = write_file(dump);
		if (uni_dump_store_finish(dump->writer, status, dump->written, &dump->error) < 0)
			status = -UNI_EIO;
	}
	collection->complete = status == 0;
	if (status < 0)
		snprintf(collection->failure, sizeof(collection->failure), "%.500s",
			 dump->error.text);
}
