/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the reader of crash dumps, and the model that takes a dump's notes as it takes frames.
 *
 * Checked, besides what the sanitizers find: what is read in one piece reads the same in two; the
 * threads that are counted are there; a file that is refused is refused with a reason.
 */
#include <elf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host-tools/lib/core_reader.h"
#include "host-tools/lib/guest_model.h"
#include "tests/fuzz/replay.h"

#define MEMORY 0x100000
#define MEMORY_SIZE 0x200

static void check_memory(const struct uni_core_reader *core, uint64_t address)
{
	uint8_t whole[32], halves[32];
	int err = uni_core_reader_read(core, address, whole, 32);
	int low = uni_core_reader_read(core, address, halves, 16);
	int high = uni_core_reader_read(core, address + 16, halves + 16, 16);

	CHECK(!err == (!low && !high));
	CHECK(err || !memcmp(whole, halves, 32));
}

static void check_notes(const struct uni_core_reader *core)
{
	static const enum uni_frame_type frames[] = {
		[UNI_NOTE_PANIC] = UNI_FRAME_PANIC,	[UNI_NOTE_HELLO] = UNI_FRAME_HELLO,
		[UNI_NOTE_THREADS] = UNI_FRAME_THREADS, [UNI_NOTE_CPUS] = UNI_FRAME_CPUS,
		[UNI_NOTE_METRICS] = UNI_FRAME_METRICS, [UNI_NOTE_LOG] = UNI_FRAME_LOG,
	};
	struct uni_model model;

	uni_model_init(&model, 1);
	for (uint32_t type = 1; type < sizeof(frames) / sizeof(frames[0]); type++) {
		struct uni_client_frame frame = {.type = frames[type]};

		frame.payload = uni_core_reader_note(core, UNI_NOTE_OWNER, type, &frame.len);
		if (frame.payload && frame.type)
			(void)uni_model_apply(&model, &frame, 0);
	}
	uni_model_fini(&model);
}

static unsigned long opened;

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	int fd = memfd_create("core", MFD_CLOEXEC);
	struct uni_core_reader *core = NULL;
	struct uni_error error = {0};
	char path[64];

	CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (uni_core_reader_open(path, &core, &error)) {
		CHECK(error.code < 0 && error.text[0]);
	} else {
		size_t count = uni_core_reader_thread_count(core);

		opened++;
		for (size_t i = 0; i < count; i++)
			CHECK(uni_core_reader_thread(core, i));
		CHECK(!uni_core_reader_thread(core, count));
		for (uint64_t at = MEMORY - 64; at < MEMORY + 2 * MEMORY_SIZE; at += 24)
			check_memory(core, at);
		check_memory(core, UINT64_MAX - 40);
		check_notes(core);
		uni_core_reader_close(core);
	}
	close(fd);
	return 0;
}

#define CORE_MAX 8192

static size_t put_note(uint8_t *at, const char *owner, uint32_t type, const void *contents,
		       uint32_t len)
{
	uint32_t header[3] = {(uint32_t)strlen(owner) + 1, len, type};
	size_t owner_len = (header[0] + 3) & ~3u;

	memcpy(at, header, sizeof(header));
	memcpy(at + sizeof(header), owner, header[0]);
	memcpy(at + sizeof(header) + owner_len, contents, len);
	return sizeof(header) + owner_len + ((len + 3) & ~3u);
}

/* Two threads, two tables, two segments. */
static size_t make_core(uint8_t *core)
{
	struct {
		struct uni_table table;
		struct uni_thread_record records[2];
	} threads = {.table = {.count = 2, .total = 2, .record_size = sizeof(threads.records[0])},
		     .records = {{.id = 9, .name = "worker"}, {.id = 1, .name = "idle/0"}}};
	struct {
		struct uni_log_batch batch;
		struct uni_log_record record;
		char text[8];
	} log = {.batch = {.count = 1}, .record = {.text_len = 5}, .text = "hello"};
	struct uni_core_prstatus status = {.cursig = 11, .pid = 9};
	Elf64_Ehdr *header = (Elf64_Ehdr *)core;
	Elf64_Phdr *phdr = (Elf64_Phdr *)(header + 1);
	size_t start = sizeof(*header) + 3 * sizeof(*phdr), end = start;

	memset(core, 0, CORE_MAX);
	memcpy(header->e_ident, ELFMAG "\2\1\1", 7);
	header->e_type = ET_CORE;
	header->e_machine = EM_X86_64;
	header->e_phoff = sizeof(*header);
	header->e_phentsize = sizeof(*phdr);
	header->e_phnum = 3;
	end += put_note(core + end, "CORE", NT_PRSTATUS, &status, sizeof(status));
	end += put_note(core + end, UNI_NOTE_OWNER, UNI_NOTE_THREADS, &threads, sizeof(threads));
	end += put_note(core + end, UNI_NOTE_OWNER, UNI_NOTE_LOG, &log, sizeof(log));
	end += put_note(core + end, "CORE", NT_PRSTATUS, &status, sizeof(status));
	phdr[0] = (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = start, .p_filesz = end - start};
	for (unsigned i = 1; i < 3; i++, end += MEMORY_SIZE) {
		memset(core + end, (int)('a' + i), MEMORY_SIZE);
		phdr[i] = (Elf64_Phdr){.p_type = PT_LOAD,
				       .p_offset = end,
				       .p_vaddr = MEMORY + (i - 1) * MEMORY_SIZE,
				       .p_filesz = MEMORY_SIZE,
				       .p_memsz = MEMORY_SIZE};
	}
	return end;
}

static size_t make(uint8_t *out)
{
	return replay_mutate(out, make_core(out));
}

static unsigned long reached(void)
{
	return opened;
}

const struct replay replay = {
	.count = 20000, .size_max = CORE_MAX, .make = make, .reached = reached};
