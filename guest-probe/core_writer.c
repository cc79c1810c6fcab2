/* SPDX-License-Identifier: MIT */
#include "guest-probe/core_writer.h"

#include "guest-probe/core_writer_internal.h"
#include "guest-probe/elf_core.h"
#include "guest-probe/memory.h"
#include "tracing/errno.h"

/* Bytes of the file between segments, a hole: elfutils joins what follows each other in memory and
 * in the file alike. */
#define SEGMENT_GAP UNI_CORE_PAGE_SIZE

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
	return (value + alignment - 1) & ~(alignment - 1);
}

/* --- bytes in the order of the file --- */

static void flush(struct uni_core_writer *writer)
{
	if (writer->buffered && !writer->status)
		writer->status =
			writer->ops->write(writer->context, writer->offset - writer->buffered,
					   writer->buffer, writer->buffered);
	writer->buffered = 0;
}

void uni_core_append(struct uni_core_writer *writer, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;

	if (writer->measuring) {
		writer->offset += len;
		return;
	}
	/* Notes that grew since they were measured are cut: memory stands where the headers say. */
	if (len > writer->notes_offset + writer->notes_size - writer->offset)
		len = writer->notes_offset + writer->notes_size - writer->offset;
	while (len > 0) {
		const size_t room = writer->buffer_size - writer->buffered;
		const size_t taken = len < room ? len : room;

		memcpy(writer->buffer + writer->buffered, from, taken);
		writer->buffered += taken;
		writer->offset += taken;
		from += taken;
		len -= taken;
		if (writer->buffered == writer->buffer_size)
			flush(writer);
	}
}

/* --- headers --- */

static void put_headers(struct uni_core_writer *writer)
{
	const struct elf_header header = {
		.ident = {0x7f, 'E', 'L', 'F', ELF_CLASS_64, ELF_DATA_LSB, ELF_VERSION},
		.type = ELF_TYPE_CORE,
		.machine = UNI_CORE_MACHINE,
		.version = ELF_VERSION,
		.phoff = sizeof(header),
		.ehsize = sizeof(header),
		.phentsize = sizeof(struct elf_segment),
		.phnum = (uint16_t)(1 + writer->segment_count),
	};
	const struct elf_segment notes = {
		.type = ELF_PT_NOTE,
		.offset = writer->notes_offset,
		.filesz = writer->notes_size,
		.align = ELF_NOTE_ALIGN, /* gdb takes nothing else */
	};
	uint64_t offset = writer->memory_offset;

	uni_core_append(writer, &header, sizeof(header));
	uni_core_append(writer, &notes, sizeof(notes));
	for (uint32_t i = 0; i < writer->segment_count; i++) {
		const struct uni_core_range *range = &writer->segments[i];
		const struct elf_segment load = {
			.type = ELF_PT_LOAD,
			/* Writable, so that readers take the file's bytes and not the image's. */
			.flags = ELF_PF_R | ELF_PF_W | ELF_PF_X,
			.offset = offset,
			.vaddr = range->address,
			.paddr = range->address,
			.filesz = range->size,
			.memsz = range->size,
			.align = UNI_CORE_PAGE_SIZE,
		};

		uni_core_append(writer, &load, sizeof(load));
		offset += range->size + SEGMENT_GAP;
	}
}

/* --- memory --- */

static bool page_is_zero(const uint8_t *page)
{
	const uint64_t *words = (const uint64_t *)page;
	uint64_t any = 0;

	for (size_t i = 0; i < UNI_CORE_PAGE_SIZE / sizeof(*words) && !any; i += 8)
		any = words[i] | words[i + 1] | words[i + 2] | words[i + 3] | words[i + 4] |
		      words[i + 5] | words[i + 6] | words[i + 7];
	return !any;
}

/* Writes the runs of pages that hold something. */
static void write_pages(struct uni_core_writer *writer, uint64_t offset, const uint8_t *bytes,
			uint64_t len)
{
	uint64_t from = 0;

	while (from < len && !writer->status) {
		uint64_t end = from;

		while (end < len && !page_is_zero(bytes + end))
			end += UNI_CORE_PAGE_SIZE;
		if (end > from)
			writer->status = writer->ops->write(writer->context, offset + from,
							    bytes + from, end - from);
		from = end + UNI_CORE_PAGE_SIZE;
	}
}

static void write_segment(struct uni_core_writer *writer, const struct uni_core_range *range,
			  uint64_t offset)
{
	uint64_t done = 0;

	while (done < range->size && !writer->status) {
		const uint64_t left = range->size - done;
		const size_t wanted =
			left < UNI_CORE_CHUNK_SIZE ? (size_t)left : UNI_CORE_CHUNK_SIZE;
		const void *bytes = NULL;
		uint64_t got =
			writer->ops->view(writer->context, range->address + done, wanted, &bytes);

		if (got == 0 || (bytes && got > wanted))
			writer->status = -UNI_EFAULT;
		else if (bytes)
			write_pages(writer, offset + done, bytes, got);
		done += got;
	}
}

/* --- the whole --- */

static void add_segment(struct uni_core_writer *writer, uint64_t from, uint64_t to)
{
	if (from < to)
		writer->segments[writer->segment_count++] =
			(struct uni_core_range){from, to - from};
}

/* The image's ELF header must begin a segment, or readers do not find its build-id, and the segment
 * must end before the image does, or elfutils takes the memory for the whole of the image's file.
 */
static int lay_out_segments(struct uni_core_writer *writer)
{
	const struct uni_core_info *info = writer->info;
	const uint64_t image = info->image_address;

	if (info->range_count == 0 || info->range_count > UNI_CORE_RANGE_MAX)
		return -UNI_EINVAL;
	for (uint32_t i = 0; i < info->range_count; i++) {
		const struct uni_core_range *range = &info->ranges[i];
		const uint64_t end = range->address + range->size;

		if ((range->address | range->size) % UNI_CORE_PAGE_SIZE)
			return -UNI_EINVAL;
		if (image < range->address || image >= end || image % UNI_CORE_PAGE_SIZE) {
			add_segment(writer, range->address, end);
			continue;
		}
		add_segment(writer, range->address, image);
		add_segment(writer, image, image + UNI_CORE_PAGE_SIZE);
		add_segment(writer, image + UNI_CORE_PAGE_SIZE, end);
	}
	return 0;
}

int uni_core_init(struct uni_core_writer *writer, const struct uni_core_ops *ops, void *context,
		  const struct uni_core_info *info, void *buffer, size_t buffer_size)
{
	int status;

	memset(writer, 0, sizeof(*writer));
	writer->ops = ops;
	writer->context = context;
	writer->info = info;
	writer->buffer = buffer;
	writer->buffer_size = buffer_size;
	status = lay_out_segments(writer);
	if (status || info->thread_count == 0)
		return -UNI_EINVAL;

	writer->notes_offset = sizeof(struct elf_header) +
			       (1 + writer->segment_count) * sizeof(struct elf_segment);
	writer->measuring = true;
	writer->offset = writer->notes_offset;
	uni_core_put_notes(writer);
	writer->notes_size = writer->offset - writer->notes_offset;
	writer->memory_offset = align_up(writer->offset, UNI_CORE_PAGE_SIZE);
	writer->file_size = writer->memory_offset;
	for (uint32_t i = 0; i < writer->segment_count; i++)
		writer->file_size += writer->segments[i].size + SEGMENT_GAP;
	return 0;
}

int uni_core_write(struct uni_core_writer *writer)
{
	uint64_t offset = writer->memory_offset;

	writer->measuring = false;
	writer->offset = 0;
	put_headers(writer);
	uni_core_put_notes(writer);
	flush(writer);
	for (uint32_t i = 0; i < writer->segment_count; i++) {
		write_segment(writer, &writer->segments[i], offset);
		offset += writer->segments[i].size + SEGMENT_GAP;
	}
	return writer->status;
}
