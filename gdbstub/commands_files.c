/* SPDX-License-Identifier: MIT */

/* The files of a process that gdb reads for `info proc` and `gcore`: which memory there is, and
 * what the program is called (gdb 13, linux-tdep.c; proc(5)). There are no others, and none to
 * write. */

#include "gdbstub/stub_internal.h"

/* Escapes may double it, and a line that it begins in is rendered whole. */
#define PIECE_MAX (UNI_GDB_PACKET_SIZE / 2 - 128)

/* What is mapped is mapped by no less. */
#define GRAIN 4096

/* "File-I/O Remote Protocol Extension", "Errno Values" */
enum { FILE_ENOENT = 2, FILE_EBADF = 9, FILE_EINVAL = 22 };

enum { FILE_MEMORY = 3, FILE_NAME = 4 };

/* "SSSSSSSSSSSSSSSS-EEEEEEEEEEEEEEEE rwx" and this: a place in the file tells which line it is in.
 */
static const char behind[] = "p 00000000 00:00 0\n";

#define LINE_LEN (2 * 16 + 5 + sizeof(behind) - 1)

static void fail(struct uni_gdb *stub, unsigned code)
{
	uni_gdb_put(&stub->reply, "F-1,");
	uni_gdb_put_hex(&stub->reply, code);
}

static void open_as(struct uni_gdb *stub, unsigned file)
{
	uni_gdb_put_char(&stub->reply, 'F');
	uni_gdb_put_hex(&stub->reply, file);
}

static bool take_name(struct uni_gdb_cursor *args, const char *name)
{
	struct uni_gdb_cursor rest = *args;
	char byte;

	for (; *name; name++)
		if (!uni_gdb_take_hex_bytes(&rest, &byte, 1) || byte != *name)
			return false;
	return uni_gdb_take(&rest, ',');
}

/* vFile:open:name,flags,mode; "Host I/O Packets". Reading is flags 0. */
void uni_gdb_cmd_file_open(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	_Static_assert(UNI_GDB_PROCESS == 1, "the names have it");
	if ((take_name(args, "/proc/1/smaps") || take_name(args, "/proc/1/maps")) &&
	    stub->ops->memory_access)
		open_as(stub, FILE_MEMORY);
	else if (take_name(args, "/proc/1/cmdline") && stub->ops->program)
		open_as(stub, FILE_NAME);
	else
		fail(stub, FILE_ENOENT);
}

/* vFile:close:file */
void uni_gdb_cmd_file_close(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	(void)args;
	uni_gdb_put(&stub->reply, "F0");
}

static unsigned access_at(const struct uni_gdb *stub, uint64_t address)
{
	return stub->ops->memory_access(stub->context, address);
}

/* The stretch of memory behind this one. */
static bool next_stretch(const struct uni_gdb *stub, struct uni_gdb_mapped *stretch)
{
	struct uni_gdb_memory memory;
	uint64_t at = stretch->end;

	for (; stub->ops->memory_next(stub->context, stretch->memory, &memory);
	     stretch->memory++, at = 0) {
		uint64_t end = memory.start + memory.len;

		if (memory.is_device)
			continue;
		if (at < memory.start)
			at = memory.start;
		while (at < end && !access_at(stub, at))
			at += GRAIN;
		if (at >= end)
			continue;
		stretch->start = at;
		stretch->access = access_at(stub, at);
		while (at < end && access_at(stub, at) == stretch->access)
			at += GRAIN;
		stretch->end = at < end ? at : end;
		return true;
	}
	return false;
}

static void put_address(struct uni_gdb_text *text, uint64_t address)
{
	uint64_t high_first = __builtin_bswap64(address);

	uni_gdb_put_hex_bytes(text, &high_first, sizeof(high_first));
}

static void put_access(struct uni_gdb_text *text, unsigned access)
{
	uni_gdb_put_char(text, ' ');
	uni_gdb_put_char(text, access & UNI_GDB_READ ? 'r' : '-');
	uni_gdb_put_char(text, access & UNI_GDB_WRITE ? 'w' : '-');
	uni_gdb_put_char(text, access & UNI_GDB_EXECUTE ? 'x' : '-');
}

/* What it has from offset on lies at the offset in scratch[] that is returned in *at. gdb reads on
 * from where it was: the lines up to there are not looked for again. */
static size_t read_memory_file(struct uni_gdb *stub, uint64_t offset, uint64_t len, size_t *at)
{
	struct uni_gdb_mapped *stretch = &stub->mapped;
	uint64_t line = offset / LINE_LEN;
	struct uni_gdb_text text;

	*at = offset % LINE_LEN;
	if (!offset || stretch->count > line + 1)
		*stretch = (struct uni_gdb_mapped){0};
	uni_gdb_text_init(&text, (char *)stub->scratch, *at + len);
	for (; !text.cut; line++) {
		for (; stretch->count <= line; stretch->count++)
			if (!next_stretch(stub, stretch))
				return text.len > *at ? text.len - *at : 0;
		put_address(&text, stretch->start);
		uni_gdb_put_char(&text, '-');
		put_address(&text, stretch->end);
		put_access(&text, stretch->access);
		uni_gdb_put(&text, behind);
	}
	return len;
}

static size_t read_name_file(struct uni_gdb *stub, uint64_t offset, uint64_t len, size_t *at)
{
	struct uni_gdb_text text;

	uni_gdb_text_init(&text, (char *)stub->scratch, PIECE_MAX);
	uni_gdb_put(&text, stub->ops->program);
	uni_gdb_put_char(&text, '\0');
	*at = offset < text.len ? offset : text.len;
	return len < text.len - *at ? len : text.len - *at;
}

/* vFile:pread:file,count,offset */
void uni_gdb_cmd_file_read(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	uint64_t file, len, offset;
	size_t at;

	if (!uni_gdb_take_hex(args, &file) || !uni_gdb_take(args, ',') ||
	    !uni_gdb_take_hex(args, &len) || !uni_gdb_take(args, ',') ||
	    !uni_gdb_take_hex(args, &offset)) {
		fail(stub, FILE_EINVAL);
		return;
	}
	if (len > PIECE_MAX)
		len = PIECE_MAX;
	if (file == FILE_MEMORY && stub->ops->memory_access) {
		len = read_memory_file(stub, offset, len, &at);
	} else if (file == FILE_NAME && stub->ops->program) {
		len = read_name_file(stub, offset, len, &at);
	} else {
		fail(stub, FILE_EBADF);
		return;
	}
	uni_gdb_put_char(&stub->reply, 'F');
	uni_gdb_put_hex(&stub->reply, len);
	uni_gdb_put_char(&stub->reply, ';');
	uni_gdb_put_escaped(&stub->reply, stub->scratch + at, len);
}
