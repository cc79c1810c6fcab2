/* SPDX-License-Identifier: MIT */
/* Cores made by hand from the offsets of docs/formats/dump.md, then broken in every way. */
#include <criterion/criterion.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host-tools/lib/core_reader.h"

#define NOTES_OFFSET 0x200
#define MEMORY_OFFSET 0x2000
#define MEMORY_ADDRESS 0x100000
#define MEMORY_SIZE 0x1000
#define CORE_SIZE (MEMORY_OFFSET + 2 * MEMORY_SIZE)

static uint8_t core[CORE_SIZE];
static size_t notes_len;
static int core_fd;
static char path[64];

static void put_note(const char *owner, uint32_t type, const void *contents, uint32_t len)
{
	uint32_t header[3] = {(uint32_t)strlen(owner) + 1, len, type};
	uint8_t *at = core + NOTES_OFFSET + notes_len;

	memcpy(at, header, sizeof(header));
	memcpy(at + 12, owner, header[0]);
	memcpy(at + 12 + ((header[0] + 3) & ~3u), contents, len);
	notes_len += 12 + ((header[0] + 3) & ~3u) + ((len + 3) & ~3u);
}

static void put_thread(int pid, uint64_t pc)
{
	struct uni_core_prstatus status = {.cursig = 11, .pid = pid, .rip = pc};

	put_note("CORE", NT_PRSTATUS, &status, sizeof(status));
}

static Elf64_Phdr *phdr(unsigned i)
{
	return (Elf64_Phdr *)(core + sizeof(Elf64_Ehdr)) + i;
}

static void make_core(void)
{
	Elf64_Ehdr *header = (Elf64_Ehdr *)core;

	core_fd = memfd_create("core", MFD_CLOEXEC);
	cr_assert_geq(core_fd, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", core_fd);
	memcpy(header->e_ident, ELFMAG "\2\1\1", 7);
	header->e_type = ET_CORE;
	header->e_machine = EM_X86_64;
	header->e_phoff = sizeof(*header);
	header->e_phentsize = sizeof(Elf64_Phdr);
	header->e_phnum = 3;
	put_thread(9, 0x100010);
	put_note("UNISCOPE", UNI_NOTE_LOG, "log!", 4);
	put_note("UNISCOPE", UNI_NOTE_PANIC, "panic", 5);
	put_thread(1, 0x100020);
	*phdr(0) = (Elf64_Phdr){
		.p_type = PT_NOTE, .p_offset = NOTES_OFFSET, .p_filesz = notes_len, .p_align = 4};
	/* Out of order, and next to one another. */
	*phdr(1) = (Elf64_Phdr){.p_type = PT_LOAD,
				.p_offset = MEMORY_OFFSET + MEMORY_SIZE,
				.p_vaddr = MEMORY_ADDRESS + MEMORY_SIZE,
				.p_filesz = MEMORY_SIZE};
	*phdr(2) = (Elf64_Phdr){.p_type = PT_LOAD,
				.p_offset = MEMORY_OFFSET,
				.p_vaddr = MEMORY_ADDRESS,
				.p_filesz = MEMORY_SIZE};
	memset(core + MEMORY_OFFSET, 'a', MEMORY_SIZE);
	memset(core + MEMORY_OFFSET + MEMORY_SIZE, 'b', MEMORY_SIZE);
}

static void remove_core(void)
{
	close(core_fd);
}

TestSuite(core_reader, .init = make_core, .fini = remove_core);

static void write_core(size_t len)
{
	cr_assert_eq(ftruncate(core_fd, (off_t)len), 0);
	cr_assert_eq(pwrite(core_fd, core, len, 0), (ssize_t)len);
}

static struct uni_core_reader *open_core(void)
{
	struct uni_core_reader *reader = NULL;
	struct uni_error error = {0};

	write_core(CORE_SIZE);
	cr_assert_eq(uni_core_reader_open(path, &reader, &error), 0, "%s", error.text);
	return reader;
}

Test(core_reader, gives_threads_in_their_order)
{
	struct uni_core_reader *reader = open_core();

	cr_assert_eq(uni_core_reader_thread_count(reader), 2);
	cr_expect_eq(uni_core_reader_thread(reader, 0)->pid, 9);
	cr_expect_eq(uni_core_reader_thread(reader, 0)->rip, 0x100010);
	cr_expect_eq(uni_core_reader_thread(reader, 1)->pid, 1);
	cr_expect_null(uni_core_reader_thread(reader, 2));
	uni_core_reader_close(reader);
}

/* gdb takes 336 bytes only, too. */
Test(core_reader, takes_registers_of_another_size_for_no_thread)
{
	struct uni_core_prstatus status[2] = {{.pid = 5}};
	struct uni_core_reader *reader;

	put_note("CORE", NT_PRSTATUS, status, sizeof(status[0]) - 8);
	put_note("CORE", NT_PRSTATUS, status, sizeof(status[0]) + 8);
	put_note("LINUX", NT_PRSTATUS, status, sizeof(status[0]));
	phdr(0)->p_filesz = notes_len;
	reader = open_core();
	cr_expect_eq(uni_core_reader_thread_count(reader), 2);
	uni_core_reader_close(reader);
}

Test(core_reader, finds_notes_by_owner_and_type)
{
	struct uni_core_reader *reader = open_core();
	size_t len = 0;

	cr_expect_arr_eq(uni_core_reader_note(reader, "UNISCOPE", UNI_NOTE_PANIC, &len), "panic",
			 5);
	cr_expect_eq(len, 5);
	cr_expect_arr_eq(uni_core_reader_note(reader, "UNISCOPE", UNI_NOTE_LOG, &len), "log!", 4);
	cr_expect_null(uni_core_reader_note(reader, "UNISCOPE", UNI_NOTE_CPUS, &len));
	cr_expect_null(uni_core_reader_note(reader, "CORE", UNI_NOTE_LOG, &len));
	uni_core_reader_close(reader);
}

Test(core_reader, reads_memory_across_segments)
{
	struct uni_core_reader *reader = open_core();
	char bytes[4];

	cr_assert_eq(uni_core_reader_read(reader, MEMORY_ADDRESS + MEMORY_SIZE - 2, bytes, 4), 0);
	cr_expect_arr_eq(bytes, "aabb", 4);
	cr_assert_eq(uni_core_reader_read(reader, MEMORY_ADDRESS + 2 * MEMORY_SIZE - 4, bytes, 4),
		     0);
	cr_expect_arr_eq(bytes, "bbbb", 4);
	uni_core_reader_close(reader);
}

Test(core_reader, refuses_memory_that_is_not_there)
{
	static const uint64_t nowhere[] = {0, MEMORY_ADDRESS - 1,
					   MEMORY_ADDRESS + 2 * MEMORY_SIZE - 3, UINT64_MAX - 2};
	struct uni_core_reader *reader = open_core();
	char bytes[4];

	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
		cr_expect_lt(uni_core_reader_read(reader, nowhere[i], bytes, 4), 0);
	uni_core_reader_close(reader);
}

/* Whatever opens must be readable everywhere without a fault; the sanitizers watch. */
static void exercise(void)
{
	struct uni_core_reader *reader = NULL;
	struct uni_error error = {0};
	uint8_t bytes[64];
	size_t len;

	if (uni_core_reader_open(path, &reader, &error)) {
		cr_assert(strstr(error.text, path));
		return;
	}
	for (size_t i = 0; i < uni_core_reader_thread_count(reader); i++)
		cr_assert(uni_core_reader_thread(reader, i));
	for (uint32_t type = 0; type < 9; type++) {
		const uint8_t *note = uni_core_reader_note(reader, "UNISCOPE", type, &len);
		volatile uint8_t sum = 0;

		for (size_t i = 0; note && i < len; i++)
			sum += note[i];
	}
	for (uint64_t at = 0; at < 2 * MEMORY_ADDRESS; at += MEMORY_SIZE / 2)
		(void)!uni_core_reader_read(reader, at, bytes, sizeof(bytes));
	(void)!uni_core_reader_read(reader, UINT64_MAX - 10, bytes, sizeof(bytes));
	uni_core_reader_close(reader);
}

Test(core_reader, survives_every_byte_of_the_headers_being_wrong)
{
	static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};

	for (size_t i = 0; i < NOTES_OFFSET + notes_len; i++) {
		uint8_t saved = core[i];

		for (size_t j = 0; j < sizeof(values); j++) {
			core[i] = values[j];
			write_core(CORE_SIZE);
			exercise();
		}
		core[i] = saved;
		/* The registers of a thread are mere data. */
		if (i == NOTES_OFFSET + 128)
			i = NOTES_OFFSET + 340;
	}
}

Test(core_reader, survives_being_cut_anywhere)
{
	for (size_t len = 0; len < MEMORY_OFFSET; len += len < NOTES_OFFSET ? 1 : 7) {
		write_core(len);
		exercise();
	}
}

Test(core_reader, keeps_the_threads_of_a_core_that_was_cut_behind_them)
{
	struct uni_core_reader *reader;
	char bytes[4];

	write_core(MEMORY_OFFSET + 16);
	cr_assert_eq(uni_core_reader_open(path, &reader, NULL), 0);
	cr_expect_eq(uni_core_reader_thread_count(reader), 2);
	cr_expect_eq(uni_core_reader_read(reader, MEMORY_ADDRESS, bytes, 4), 0);
	cr_expect_lt(uni_core_reader_read(reader, MEMORY_ADDRESS + 14, bytes, 4), 0);
	uni_core_reader_close(reader);
}

Test(core_reader, says_why_a_file_is_no_core)
{
	struct uni_core_reader *reader = NULL;
	struct uni_error error = {0};

	cr_expect_lt(uni_core_reader_open("/nowhere/core", &reader, &error), 0);
	cr_expect(strstr(error.text, "No such file"));
	cr_expect_lt(uni_core_reader_open("/tmp", &reader, &error), 0);
	cr_expect(strstr(error.text, "no regular file"));
	((Elf64_Ehdr *)core)->e_type = ET_EXEC;
	write_core(CORE_SIZE);
	cr_expect_lt(uni_core_reader_open(path, &reader, &error), 0);
	cr_expect(strstr(error.text, "no core file"));
	cr_expect_null(reader);
}

/* A note that claims to be as long as the address space, in a segment as long as the file. */
Test(core_reader, believes_no_length_of_a_note)
{
	struct uni_core_reader *reader;
	uint32_t huge = UINT32_MAX;
	size_t len;

	memcpy(core + NOTES_OFFSET + 4, &huge, 4);
	phdr(0)->p_filesz = UINT64_MAX;
	write_core(CORE_SIZE);
	cr_assert_eq(uni_core_reader_open(path, &reader, NULL), 0);
	cr_expect_eq(uni_core_reader_thread_count(reader), 0);
	cr_expect_null(uni_core_reader_note(reader, "UNISCOPE", UNI_NOTE_LOG, &len));
	uni_core_reader_close(reader);
}
