// SPDX-License-Identifier: MIT
#include "host-tools/lib/core_reader.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/cursor.h"
#include "tracing/errno.h"

struct segment {
	uint64_t address;
	uint64_t size;
	uint64_t offset; /* in the file */
};

struct note {
	const char *owner; /* terminated, inside `notes` */
	uint32_t type;
	const void *contents;
	size_t len;
};

struct uni_core_reader {
	int fd;
	uint64_t file_size;
	struct segment *segments; /* by address */
	size_t segment_count;
	uint8_t *notes; /* the note segment */
	size_t notes_len;
	struct note *index;
	size_t note_count;
	struct uni_core_prstatus *threads;
	size_t thread_count;
};

/* What a note of a core is called where its owner is Linux. */
static const char core_owner[] = "CORE";

static int read_at(const struct uni_core_reader *core, uint64_t offset, void *out, size_t len)
{
	uint8_t *at = out;

	if (offset > core->file_size || len > core->file_size - offset)
		return -UNI_EFAULT;
	while (len) {
		ssize_t n = pread(core->fd, at, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -UNI_EFAULT;
		at += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int wrong(struct uni_error *error, const char *why)
{
	return uni_error_set(error, -UNI_EINVAL, "%s", why);
}

static int read_header(const struct uni_core_reader *core, Elf64_Ehdr *header,
		       struct uni_error *error)
{
	if (read_at(core, 0, header, sizeof(*header)))
		return wrong(error, "it is shorter than an ELF header");
	if (memcmp(header->e_ident, ELFMAG, SELFMAG))
		return wrong(error, "it is no ELF file");
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
	    header->e_type != ET_CORE || header->e_machine != EM_X86_64)
		return wrong(error, "it is no core file of an x86-64 machine");
	if (header->e_phentsize != sizeof(Elf64_Phdr) || !header->e_phnum ||
	    header->e_phnum == PN_XNUM)
		return wrong(error, "its program headers are not as in a dump of ours");
	return 0;
}

/* Takes the note segment in. One that reaches beyond the file is cut where the file ends. */
static int read_notes(struct uni_core_reader *core, const Elf64_Phdr *phdr)
{
	uint64_t len = phdr->p_filesz;

	if (core->notes || phdr->p_offset >= core->file_size)
		return 0;
	if (len > core->file_size - phdr->p_offset)
		len = core->file_size - phdr->p_offset;
	if (len > UNI_CORE_READER_NOTES_MAX)
		return -UNI_EINVAL;
	core->notes = malloc(len + 1);
	if (!core->notes)
		return -UNI_ENOMEM;
	core->notes_len = len;
	return read_at(core, phdr->p_offset, core->notes, len);
}

/* One that reaches beyond the file is found out when that part is read. */
static void add_segment(struct uni_core_reader *core, const Elf64_Phdr *phdr)
{
	if (phdr->p_vaddr > UINT64_MAX - phdr->p_filesz ||
	    phdr->p_offset > UINT64_MAX - phdr->p_filesz)
		return;
	core->segments[core->segment_count++] = (struct segment){
		.address = phdr->p_vaddr,
		.size = phdr->p_filesz,
		.offset = phdr->p_offset,
	};
}

static int by_address(const void *a, const void *b)
{
	const struct segment *left = a, *right = b;

	return left->address < right->address ? -1 : left->address > right->address;
}

static int read_segments(struct uni_core_reader *core, const Elf64_Ehdr *header,
			 struct uni_error *error)
{
	size_t size = header->e_phnum * sizeof(Elf64_Phdr);
	uni_cleanup_free Elf64_Phdr *table = malloc(size);
	int err = 0;

	core->segments = calloc(header->e_phnum, sizeof(*core->segments));
	if (!table || !core->segments)
		return uni_error_set(error, -UNI_ENOMEM, "out of memory");
	if (read_at(core, header->e_phoff, table, size))
		return wrong(error, "its program headers lie beyond its end");
	for (unsigned i = 0; !err && i < header->e_phnum; i++) {
		if (table[i].p_type == PT_NOTE)
			err = read_notes(core, &table[i]);
		else if (table[i].p_type == PT_LOAD)
			add_segment(core, &table[i]);
	}
	qsort(core->segments, core->segment_count, sizeof(*core->segments), by_address);
	return err ? wrong(error, "its notes cannot be read") : 0;
}

static bool next_note(struct uni_cursor *cursor, struct note *note)
{
	uint32_t owner_len = uni_cursor_u32(cursor);
	uint32_t len = uni_cursor_u32(cursor);
	const char *owner;

	note->type = uni_cursor_u32(cursor);
	owner = uni_cursor_bytes(cursor, owner_len);
	uni_cursor_align(cursor, 4);
	note->contents = uni_cursor_bytes(cursor, len);
	note->len = len;
	if (uni_cursor_failed(cursor) || !owner_len || owner[owner_len - 1])
		return false;
	note->owner = owner;
	/* The last one may end without its padding. */
	uni_cursor_skip(cursor, cursor->left < (-len & 3) ? cursor->left : (-len & 3));
	return true;
}

static bool is_thread(const struct note *note)
{
	return note->type == NT_PRSTATUS && !strcmp(note->owner, core_owner) &&
	       note->len == sizeof(struct uni_core_prstatus);
}

/* Two rounds over the notes: one to count, one to keep. Notes that were cut off end both. */
static int index_notes(struct uni_core_reader *core, struct uni_error *error)
{
	struct uni_cursor cursor;
	struct note note;
	size_t notes = 0, threads = 0;

	uni_cursor_init(&cursor, core->notes, core->notes_len, "notes");
	while (cursor.left && next_note(&cursor, &note)) {
		notes++;
		threads += is_thread(&note);
	}
	if (threads > UNI_CORE_READER_THREADS_MAX)
		return wrong(error, "it has more threads than a guest can have");
	core->index = calloc(notes + 1, sizeof(*core->index));
	core->threads = calloc(threads + 1, sizeof(*core->threads));
	if (!core->index || !core->threads)
		return uni_error_set(error, -UNI_ENOMEM, "out of memory");
	uni_cursor_init(&cursor, core->notes, core->notes_len, "notes");
	while (core->note_count < notes && next_note(&cursor, &note)) {
		core->index[core->note_count++] = note;
		if (is_thread(&note))
			memcpy(&core->threads[core->thread_count++], note.contents, note.len);
	}
	return 0;
}

static int load(struct uni_core_reader *core, const char *path, struct uni_error *error)
{
	struct stat stat;
	Elf64_Ehdr header;
	int err;

	core->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (core->fd < 0 || fstat(core->fd, &stat) < 0)
		return uni_error_set(error, -errno, "%s", strerror(errno));
	if (!S_ISREG(stat.st_mode))
		return wrong(error, "it is no regular file");
	core->file_size = (uint64_t)stat.st_size;
	err = read_header(core, &header, error);
	if (!err)
		err = read_segments(core, &header, error);
	return err ? err : index_notes(core, error);
}

int uni_core_reader_open(const char *path, struct uni_core_reader **out, struct uni_error *error)
{
	struct uni_core_reader *core = calloc(1, sizeof(*core));
	int err;

	if (!core)
		return uni_error_set(error, -UNI_ENOMEM, "cannot read the dump %s: out of memory",
				     path);
	err = load(core, path, error);
	if (err) {
		uni_core_reader_close(core);
		uni_error_prefix(error, "cannot read the dump %s", path);
		return err;
	}
	*out = core;
	return 0;
}

void uni_core_reader_close(struct uni_core_reader *core)
{
	if (!core)
		return;
	if (core->fd >= 0)
		close(core->fd);
	free(core->segments);
	free(core->notes);
	free(core->index);
	free(core->threads);
	free(core);
}

size_t uni_core_reader_thread_count(const struct uni_core_reader *core)
{
	return core->thread_count;
}

const struct uni_core_prstatus *uni_core_reader_thread(const struct uni_core_reader *core,
						       size_t index)
{
	return index < core->thread_count ? &core->threads[index] : NULL;
}

const void *uni_core_reader_note(const struct uni_core_reader *core, const char *owner,
				 uint32_t type, size_t *len)
{
	for (size_t i = 0; i < core->note_count; i++) {
		const struct note *note = &core->index[i];

		if (note->type == type && !strcmp(note->owner, owner)) {
			*len = note->len;
			return note->contents;
		}
	}
	return NULL;
}

/* The file's place of an address, and how many bytes follow it there: 0 where there are none. Of
 * segments that overlap the one that begins last counts. */
static uint64_t locate(const struct uni_core_reader *core, uint64_t address, uint64_t *offset)
{
	size_t low = 0, high = core->segment_count;
	const struct segment *segment;
	uint64_t into, left;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (core->segments[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return 0;
	segment = &core->segments[low - 1];
	into = address - segment->address;
	if (into >= segment->size)
		return 0;
	left = segment->size - into;
	if (low < core->segment_count && segment[1].address - address < left)
		left = segment[1].address - address;
	*offset = segment->offset + into;
	return left;
}

int uni_core_reader_read(const struct uni_core_reader *core, uint64_t address, void *out,
			 size_t len)
{
	uint8_t *at = out;

	while (len) {
		uint64_t offset;
		uint64_t piece = locate(core, address, &offset);

		if (!piece)
			return -UNI_EFAULT;
		if (piece > len)
			piece = len;
		if (read_at(core, offset, at, piece))
			return -UNI_EFAULT;
		at += piece;
		address += piece;
		len -= piece;
	}
	return 0;
}
