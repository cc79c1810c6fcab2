/* SPDX-License-Identifier: MIT */
/* Offsets and order are written down from docs/formats/dump.md. */
#include <criterion/criterion.h>
#include <string.h>

#include "guest-probe/core_writer.h"
#include "tracing/errno.h"

#define MIB (1u << 20)

/* Offsets of the program headers. */
#define NOTES 64
#define BELOW 120
#define HEADER 176
#define ABOVE 232

/* A file of at most this size, as the writer left it. */
static uint8_t file[3 * MIB];
static uint64_t file_end;
static uint64_t bytes_written;
static unsigned fail_after = UINT32_MAX; /* writes */

/* RAM from 0x1000 to 2 MiB; page 0x5000 cannot be read. */
static _Alignas(4096) uint8_t ram[2 * MIB];

static int write_file(void *context, uint64_t offset, const void *bytes, size_t len)
{
	if (fail_after-- == 0)
		return -UNI_ENOSPC;
	cr_assert_leq(offset + len, sizeof(file));
	cr_assert_geq(offset, file_end, "offsets must rise");
	memcpy(file + offset, bytes, len);
	file_end = offset + len;
	bytes_written += len;
	return 0;
}

static uint64_t view_ram(void *context, uint64_t address, size_t len, const void **bytes)
{
	cr_assert_leq(len, UNI_CORE_CHUNK_SIZE);
	if (address == 0x5000) {
		*bytes = NULL;
		return UNI_CORE_PAGE_SIZE;
	}
	*bytes = ram + address;
	return address < 0x5000 && address + len > 0x5000 ? 0x5000 - address : len;
}

static uint8_t fpu[2696];

static void get_thread(void *context, uint32_t index, struct uni_core_thread *thread)
{
	static const int32_t ids[] = {7, 1, 2147483647};

	thread->status.pid = ids[index];
	thread->status.rip = 0x100100 + index;
	thread->status.r15 = 0x1515151515151515;
	thread->status.gs = 0x6565;
	if (index != 1)
		thread->fp = fpu;
	if (index == 0)
		thread->xcr0 = 0x7; /* x87, SSE, AVX */
}

static void put_own_notes(void *context, struct uni_core_writer *writer)
{
	uni_core_note(writer, UNI_NOTE_PANIC, "panic", 5);
	uni_core_note_begin(writer, UNI_NOTE_OWNER, UNI_NOTE_LOG, 6);
	uni_core_put(writer, "abcd", 4);
	uni_core_put(writer, "efgh", 4); /* two bytes too many */
	uni_core_note_end(writer);
	uni_core_note_begin(writer, UNI_NOTE_OWNER, UNI_NOTE_CPUS, 8);
	uni_core_put(writer, "ab", 2); /* six too few */
	uni_core_note_end(writer);
}

static const struct uni_core_ops ops = {write_file, view_ram, get_thread, put_own_notes};

static const struct uni_core_range ranges[] = {{0x1000, 2 * MIB - 0x1000}};

static struct uni_core_info new_info(void)
{
	return (struct uni_core_info){
		.signal = 11,
		.signal_code = 1,
		.fault_address = 0x18,
		.name = "crash",
		.cmdline = "kind=null-write",
		.thread_count = 3,
		.range_count = 1,
		.ranges = ranges,
		.image_address = MIB,
	};
}

static struct uni_core_writer writer;
static uint8_t buffer[512];

static void write_core(void)
{
	const struct uni_core_info info = new_info();

	memcpy(ram + MIB, "\177ELF", 4);
	ram[0x4fff] = 1;
	ram[0x5000] = 0xee; /* not readable: must not show */
	ram[2 * MIB - 1] = 2;
	memset(fpu, 0xf0, sizeof(fpu));
	cr_assert_eq(uni_core_init(&writer, &ops, NULL, &info, buffer, sizeof(buffer)), 0);
	cr_assert_eq(uni_core_write(&writer), 0);
}

static uint64_t field(uint64_t offset, unsigned len)
{
	uint64_t value = 0;

	memcpy(&value, file + offset, len);
	return value;
}

struct note {
	char owner[16];
	uint32_t type, len;
	uint64_t contents;
};

/* Walks the notes by gABI's rules; returns how many. */
static unsigned list_notes(struct note *notes, unsigned max)
{
	uint64_t at = field(NOTES + 8, 8);
	const uint64_t end = at + field(NOTES + 32, 8);
	unsigned count = 0;

	while (at < end) {
		struct note *note = &notes[count++];
		const uint64_t namesz = field(at, 4);

		cr_assert_leq(count, max);
		cr_assert_leq(namesz, sizeof(note->owner));
		note->len = (uint32_t)field(at + 4, 4);
		note->type = (uint32_t)field(at + 8, 4);
		memcpy(note->owner, file + at + 12, namesz);
		note->contents = at + 12 + ((namesz + 3) & ~3ull);
		at = note->contents + ((note->len + 3u) & ~3ull);
	}
	cr_assert_eq(at, end);
	return count;
}

Test(core_file, header_is_that_of_a_core)
{
	write_core();
	cr_assert_arr_eq(file, "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0", 16);
	cr_assert_eq(field(16, 2), 4, "e_type");
	cr_assert_eq(field(18, 2), 62, "e_machine");
	cr_assert_eq(field(32, 8), 64, "e_phoff");
	cr_assert_eq(field(40, 8), 0, "e_shoff");
	cr_assert_eq(field(54, 2), 56, "e_phentsize");
	cr_assert_eq(field(56, 2), 4, "e_phnum");
	cr_assert_eq(field(60, 2), 0, "e_shnum");
}

Test(core_file, notes_come_first_and_are_aligned_to_4)
{
	write_core();
	cr_assert_eq(field(NOTES, 4), 4, "p_type PT_NOTE");
	cr_assert_eq(field(NOTES + 8, 8), 64 + 4 * 56, "p_offset");
	cr_assert_eq(field(NOTES + 48, 8), 4, "p_align");
}

static void expect_segment(uint64_t at, uint64_t address, uint64_t size)
{
	cr_assert_eq(field(at, 4), 1, "PT_LOAD");
	cr_assert_eq(field(at + 8, 8) % 4096, 0, "p_offset");
	cr_assert_eq(field(at + 16, 8), address, "p_vaddr");
	cr_assert_eq(field(at + 24, 8), address, "p_paddr");
	cr_assert_eq(field(at + 32, 8), size, "p_filesz");
	cr_assert_eq(field(at + 40, 8), size, "p_memsz");
}

Test(core_file, the_first_page_of_the_image_is_a_segment_of_its_own)
{
	write_core();
	expect_segment(BELOW, 0x1000, MIB - 0x1000);
	expect_segment(HEADER, MIB, 4096);
	expect_segment(ABOVE, MIB + 4096, MIB - 4096);
	cr_assert_arr_eq(file + field(HEADER + 8, 8), "\177ELF", 4);
	/* A page of the file lies between segments. */
	cr_assert_eq(field(HEADER + 8, 8), field(BELOW + 8, 8) + MIB - 0x1000 + 4096);
	cr_assert_eq(field(ABOVE + 8, 8), field(HEADER + 8, 8) + 8192);
	cr_assert_geq(writer.file_size, field(ABOVE + 8, 8) + MIB - 4096);
}

Test(core_file, memory_stands_at_its_offset_and_zero_pages_are_not_written)
{
	uint64_t low, high;

	write_core();
	low = field(BELOW + 8, 8);
	high = field(ABOVE + 8, 8);
	cr_assert_eq(file[low + 0x4fff - 0x1000], 1);
	cr_assert_eq(file[low + 0x5000 - 0x1000], 0, "an unreadable page was written");
	cr_assert_eq(file[high + MIB - 4096 - 1], 2);
	/* Three pages hold something. */
	cr_assert_eq(bytes_written, field(NOTES + 8, 8) + field(NOTES + 32, 8) + 3 * 4096);
}

Test(core_file, notes_stand_in_the_order_that_readers_need)
{
	static const struct {
		const char *owner;
		uint32_t type, len;
	} expected[] = {
		{"CORE", 1, 336},	   /* PRSTATUS of the thread that crashed */
		{"CORE", 3, 136},	   /* PRPSINFO */
		{"CORE", 0x53494749, 128}, /* SIGINFO */
		{"CORE", 2, 512},	   /* FPREGSET of the thread that crashed ... */
		{"LINUX", 0x202, 832},	   /* ... and X86_XSTATE */
		{"UNISCOPE", 1, 5},	   {"UNISCOPE", 7, 6},
		{"UNISCOPE", 4, 8},	   {"CORE", 1, 336}, /* thread 1, which has no FPREGSET */
		{"CORE", 1, 336},			     /* thread 2147483647 ... */
		{"CORE", 2, 512},			     /* ... directly followed by its own */
							     /* of a CPU without XSAVE */
	};
	struct note notes[16] = {0};

	write_core();
	cr_assert_eq(list_notes(notes, 16), sizeof(expected) / sizeof(expected[0]));
	for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		cr_assert_str_eq(notes[i].owner, expected[i].owner, "note %u", i);
		cr_assert_eq(notes[i].type, expected[i].type, "note %u", i);
		cr_assert_eq(notes[i].len, expected[i].len, "note %u", i);
	}
}

Test(core_file, prstatus_has_linux_offsets)
{
	struct note notes[16] = {0};

	write_core();
	list_notes(notes, 16);
	cr_assert_eq(field(notes[0].contents, 4), 11, "si_signo");
	cr_assert_eq(field(notes[0].contents + 32, 4), 7, "pr_pid");
	cr_assert_eq(field(notes[0].contents + 112, 8), 0x1515151515151515, "r15");
	cr_assert_eq(field(notes[0].contents + 112 + 16 * 8, 8), 0x100100, "rip");
	cr_assert_eq(field(notes[0].contents + 112 + 26 * 8, 8), 0x6565, "gs");
	cr_assert_eq(field(notes[0].contents + 328, 4), 1, "pr_fpvalid");
	cr_assert_eq(field(notes[8].contents + 32, 4), 1, "pr_pid");
	cr_assert_eq(field(notes[8].contents + 328, 4), 0, "pr_fpvalid");
	cr_assert_eq(field(notes[9].contents + 32, 4), 2147483647, "pr_pid");
	for (unsigned i = 0; i < 11; i++)
		if (notes[i].len == 336)
			cr_assert_eq(field(notes[i].contents + 12, 2), 11, "pr_cursig, note %u", i);
}

Test(core_file, process_and_signal_notes_have_linux_offsets)
{
	struct note notes[16] = {0};

	write_core();
	list_notes(notes, 16);
	cr_assert_eq(field(notes[1].contents + 24, 4), 7, "pid is one of the threads");
	cr_assert_str_eq((char *)file + notes[1].contents + 40, "crash");
	cr_assert_str_eq((char *)file + notes[1].contents + 56, "crash kind=null-write");
	cr_assert_eq(field(notes[2].contents, 4), 11, "si_signo");
	cr_assert_eq(field(notes[2].contents + 8, 4), 1, "si_code");
	cr_assert_eq(field(notes[2].contents + 16, 8), 0x18, "si_addr");
	cr_assert_eq(file[notes[3].contents + 511], 0xf0);
}

/* Sizes and the place of XCR0: gdbsupport/x86-xstate.h, i386-linux-tdep.h (gdb 13.1). */
Test(core_file, xstate_tells_what_it_has)
{
	struct note notes[16] = {0};

	write_core();
	list_notes(notes, 16);
	cr_assert_eq(field(notes[4].contents + 464, 8), 7, "XCR0");
	cr_assert_eq(file[notes[4].contents + 463], 0xf0);
	cr_assert_eq(file[notes[4].contents + 472], 0xf0);
	cr_assert_eq(file[notes[4].contents + 831], 0xf0);
	cr_assert_eq(file[notes[3].contents + 464], 0xf0, "FPREGSET is left alone");
	cr_assert_eq(uni_core_xstate_size(0x3), 576);
	cr_assert_eq(uni_core_xstate_size(0x7), 832);
	cr_assert_eq(uni_core_xstate_size(0xe7), 2688);
	cr_assert_eq(uni_core_xstate_size(0x2e7), 2696);
}

Test(core_file, a_note_keeps_the_length_it_began_with)
{
	struct note notes[16] = {0};

	write_core();
	list_notes(notes, 16);
	cr_assert_arr_eq(file + notes[6].contents, "abcdef\0\0", 8);
	cr_assert_arr_eq(file + notes[7].contents, "ab\0\0\0\0\0\0", 8);
}

/* A note that is `measured` bytes long when the writer measures, and `written` when it writes. */
static size_t measured, written;

static void put_changing_note(void *context, struct uni_core_writer *out)
{
	uni_core_note_begin(out, UNI_NOTE_OWNER, UNI_NOTE_LOG, measured);
	for (size_t i = 0; i < measured; i += 8)
		uni_core_put(out, "12345678", 8);
	uni_core_note_end(out);
	measured = written;
}

static void expect_memory_in_place(size_t first, size_t then)
{
	static const struct uni_core_ops changing = {write_file, view_ram, get_thread,
						     put_changing_note};
	const struct uni_core_info info = new_info();

	measured = first;
	written = then;
	file_end = 0;
	memset(file, 0, sizeof(file));
	memcpy(ram + MIB, "\177ELF", 4);
	cr_assert_eq(uni_core_init(&writer, &changing, NULL, &info, buffer, sizeof(buffer)), 0);
	cr_assert_eq(uni_core_write(&writer), 0);
	cr_assert_arr_eq(file + field(HEADER + 8, 8), "\177ELF", 4);
	for (uint64_t at = field(NOTES + 8, 8) + field(NOTES + 32, 8); at < field(BELOW + 8, 8);
	     at++)
		cr_assert_eq(file[at], 0, "a note reaches past its segment");
}

Test(core_file, memory_stands_in_its_place_whatever_notes_become)
{
	expect_memory_in_place(8, 5000);
	expect_memory_in_place(5000, 8);
}

static uint64_t view_nothing(void *context, uint64_t address, size_t len, const void **bytes)
{
	return 0;
}

Test(core_file, ends_when_memory_gives_nothing)
{
	static const struct uni_core_ops blind = {write_file, view_nothing, get_thread,
						  put_own_notes};
	const struct uni_core_info info = new_info();

	cr_assert_eq(uni_core_init(&writer, &blind, NULL, &info, buffer, sizeof(buffer)), 0);
	cr_assert_eq(uni_core_write(&writer), -UNI_EFAULT);
}

Test(core_file, stops_at_the_first_failed_write)
{
	struct uni_core_info info = new_info();

	ram[0x1000] = ram[0x3000] = 1;
	for (unsigned writes = 0; writes < 8; writes++) {
		fail_after = writes;
		file_end = 0;
		cr_assert_eq(uni_core_init(&writer, &ops, NULL, &info, buffer, sizeof(buffer)), 0);
		cr_assert_eq(uni_core_write(&writer), -UNI_ENOSPC);
		cr_assert_eq(fail_after, UINT32_MAX, "wrote on after %u writes", writes);
	}
}

Test(core_file, refuses_what_it_cannot_lay_out)
{
	static const struct uni_core_range crooked[] = {{0x1001, 0x1000}};
	static struct uni_core_range many[UNI_CORE_RANGE_MAX + 1];
	struct uni_core_info info = new_info();

	info.thread_count = 0;
	cr_assert_eq(uni_core_init(&writer, &ops, NULL, &info, buffer, sizeof(buffer)),
		     -UNI_EINVAL);
	info = new_info();
	info.ranges = crooked;
	cr_assert_eq(uni_core_init(&writer, &ops, NULL, &info, buffer, sizeof(buffer)),
		     -UNI_EINVAL);
	info = new_info();
	info.ranges = many;
	info.range_count = UNI_CORE_RANGE_MAX + 1;
	cr_assert_eq(uni_core_init(&writer, &ops, NULL, &info, buffer, sizeof(buffer)),
		     -UNI_EINVAL);
}

Test(core_signal, fits_the_panic)
{
	static const struct {
		enum uni_panic_kind kind;
		uint32_t vector;
		uint64_t error;
		int32_t signal, code;
	} cases[] = {
		{UNI_PANIC_FAULT, 14, 2, 11, 1}, /* nothing there: SIGSEGV, SEGV_MAPERR */
		{UNI_PANIC_FAULT, 14, 3, 11, 2}, /* not allowed: SEGV_ACCERR */
		{UNI_PANIC_FAULT, 13, 0, 11, 128},
		{UNI_PANIC_FAULT, 6, 0, 4, 2},	/* SIGILL */
		{UNI_PANIC_FAULT, 0, 0, 8, 1},	/* SIGFPE, FPE_INTDIV */
		{UNI_PANIC_FAULT, 17, 0, 7, 1}, /* SIGBUS */
		{UNI_PANIC_STACK_OVERFLOW, 8, 0, 11, 128},
		{UNI_PANIC_DOUBLE_FAULT, 8, 0, 11, 128},
		{UNI_PANIC_MACHINE_CHECK, 18, 0, 7, 128},
		{UNI_PANIC_ASSERT, UNI_PANIC_NO_VECTOR, 0, 6, 128}, /* SIGABRT */
		{UNI_PANIC_OOM, UNI_PANIC_NO_VECTOR, 0, 6, 128},
		{UNI_PANIC_DEADLOCK, UNI_PANIC_NO_VECTOR, 0, 6, 128},
		{UNI_PANIC_HANG, UNI_PANIC_NO_VECTOR, 0, 6, 128},
		{UNI_PANIC_REQUEST, UNI_PANIC_NO_VECTOR, 0, 3, 128}, /* SIGQUIT */
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int32_t code = -1;

		cr_assert_eq(uni_core_signal(cases[i].kind, cases[i].vector, cases[i].error, &code),
			     cases[i].signal, "case %u", i);
		cr_assert_eq(code, cases[i].code, "case %u", i);
	}
}
