/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host-tools/lib/dump_store.h"

#define MIB (1024u * 1024u)
#define MEMORY (64u * MIB)

static char home[] = "/tmp/uni-dump-store-XXXXXX";

static void use_private_store(void)
{
	cr_assert(mkdtemp(home));
	setenv("XDG_STATE_HOME", home, 1);
}

static void remove_private_store(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", home);
	cr_expect_eq(system(command), 0);
}

TestSuite(dump_store, .init = use_private_store, .fini = remove_private_store);

static struct uni_dump_writer *begin(const char *name)
{
	const struct uni_dump_guest guest = {
		.name = name,
		.image = "/images/shop.elf",
		.boot_id = {0xab, 0xcd},
		.build_id = {0x12, 0x34, 0x56},
		.build_id_len = 3,
		.memory_size = MEMORY,
		.source = UNI_DUMP_FROM_GUEST,
		.cause = "QEMU was killed",
	};
	struct uni_dump_writer *dump = NULL;
	struct uni_error error = {0};

	cr_assert_eq(uni_dump_store_begin(&guest, NULL, 0, &dump, &error), 0, "%s", error.text);
	return dump;
}

static struct uni_dump_info get(const char *which)
{
	struct uni_error error = {0};
	struct uni_dump_info info = {0};

	cr_assert_eq(uni_dump_store_find(which, &info, &error), 0, "%s", error.text);
	return info;
}

Test(dump_store, keeps_what_came_and_says_that_it_is_complete)
{
	struct uni_dump_writer *dump = begin("web-1");
	char path[PATH_MAX], bytes[4] = "";
	struct uni_dump_info info;
	int fd;

	cr_assert_eq(uni_dump_store_set_size(dump, 3 * MIB, NULL), 0);
	cr_assert_eq(uni_dump_store_write(dump, 2 * MIB, "core", 4, NULL), 0);
	cr_assert_eq(uni_dump_store_finish(dump, 0, 4, NULL), 0);

	info = get("web-1");
	cr_expect(info.complete);
	cr_expect_str_eq(info.why, "");
	cr_expect_str_eq(info.cause, "QEMU was killed");
	cr_expect_str_eq(info.image, "/images/shop.elf");
	cr_expect_str_eq(info.build_id, "123456");
	cr_expect_eq(strncmp(info.boot_id, "abcd0000", 8), 0);
	cr_expect_eq(info.core_size, 3 * MIB);
	cr_expect_eq(info.data_size, 4);
	cr_expect_lt(info.disk_size, MIB, "holes take no disk");

	cr_assert_eq(uni_dump_store_core_path(info.id, path, sizeof(path)), 0);
	fd = open(path, O_RDONLY);
	cr_assert_geq(fd, 0);
	cr_expect_eq(pread(fd, bytes, 4, 2 * MIB), 4);
	cr_expect_arr_eq(bytes, "core", 4);
	close(fd);
}

Test(dump_store, keeps_the_panic_record)
{
	struct {
		struct uni_panic_record record;
		char reason[24];
	} panic = {
		.record = {.header_size = sizeof(panic.record),
			   .kind = UNI_PANIC_FAULT,
			   .cpu = 1,
			   .thread = 9,
			   .vector = 14,
			   .error_code = 2,
			   .address = 0xffffffff80000018,
			   .pc = 0x103cc7,
			   .sp = 0x298f10,
			   .time_ns = 2909574298,
			   .frame_count = 2,
			   .reason_len = 5,
			   .frames = {0x103cc7, 0x1042bd}},
		.reason = "a\033[31m is more",
	};
	const struct uni_dump_guest guest = {
		.name = "edge", .memory_size = MEMORY, .source = UNI_DUMP_FROM_GUEST};
	struct uni_dump_writer *dump;
	struct uni_dump_info info;

	cr_assert_eq(uni_dump_store_begin(&guest, &panic, sizeof(panic), &dump, NULL), 0);
	uni_dump_store_finish(dump, 0, 0, NULL);
	info = get("edge");
	cr_expect(info.has_panic);
	cr_expect_str_eq(info.cause, "a\\x1b[31", "reason_len bounds it, escapes are visible");
	cr_expect_eq(info.kind, UNI_PANIC_FAULT);
	cr_expect_eq(info.vector, 14);
	cr_expect_eq(info.address, 0xffffffff80000018);
	cr_expect_eq(info.pc, 0x103cc7);
	cr_expect_eq(info.sp, 0x298f10);
	cr_expect_eq(info.uptime_ns, 2909574298);
	cr_expect_eq(info.frame_count, 2);
	cr_expect_eq(info.frames[1], 0x1042bd);
}

Test(dump_store, takes_no_panic_record_that_makes_no_sense)
{
	const struct uni_dump_guest guest = {
		.name = "edge", .memory_size = MEMORY, .source = UNI_DUMP_FROM_GUEST};
	struct uni_panic_record record = {.header_size = 2 * sizeof(record),
					  .frame_count = UINT32_MAX,
					  .reason_len = UINT32_MAX};
	struct uni_dump_writer *dump;

	cr_assert_eq(uni_dump_store_begin(&guest, &record, sizeof(record), &dump, NULL), 0);
	uni_dump_store_finish(dump, 0, 0, NULL);
	cr_expect_not(get("edge").has_panic);

	cr_assert_eq(uni_dump_store_begin(&guest, &record, 7, &dump, NULL), 0);
	uni_dump_store_finish(dump, 0, 0, NULL);
	cr_expect_not(get("edge").has_panic);

	record.header_size = sizeof(record);
	cr_assert_eq(uni_dump_store_begin(&guest, &record, sizeof(record), &dump, NULL), 0);
	uni_dump_store_finish(dump, 0, 0, NULL);
	cr_expect(get("edge").has_panic);
	cr_expect_eq(get("edge").frame_count, UNI_DUMP_FRAMES_MAX);
}

Test(dump_store, refuses_what_no_core_of_this_memory_can_have)
{
	static const uint64_t offsets[] = {MEMORY + UNI_DUMP_OVERHEAD_MAX, UINT64_MAX,
					   UINT64_MAX - 2, 1ull << 63};

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		struct uni_dump_writer *dump = begin("web-1");
		struct uni_error error = {0};

		cr_assert_eq(uni_dump_store_write(dump, 0, "ok", 2, NULL), 0);
		cr_expect_lt(uni_dump_store_write(dump, offsets[i], "1234", 4, &error), 0);
		cr_expect(strstr(error.text, "web-1"));
		cr_expect_lt(uni_dump_store_write(dump, 0, "ok", 2, NULL), 0, "it takes no more");
		uni_dump_store_finish(dump, 0, 2, NULL);
		cr_expect_not(get("web-1").complete);
		cr_expect(strstr(get("web-1").why, "64 MiB"));
		cr_expect_eq(get("web-1").core_size, 2);
	}
}

Test(dump_store, refuses_a_size_beyond_the_memory)
{
	struct uni_dump_writer *dump = begin("web-1");

	cr_expect_lt(uni_dump_store_set_size(dump, MEMORY + UNI_DUMP_OVERHEAD_MAX + 1, NULL), 0);
	uni_dump_store_abort(dump, "enough");
	dump = begin("web-1");
	cr_expect_eq(uni_dump_store_set_size(dump, MEMORY + UNI_DUMP_OVERHEAD_MAX, NULL), 0);
	cr_expect_lt(uni_dump_store_write(dump, MEMORY + UNI_DUMP_OVERHEAD_MAX, "x", 1, NULL), 0);
	uni_dump_store_abort(dump, "enough");
}

Test(dump_store, refuses_more_bytes_than_a_core_has_wherever_they_go)
{
	struct uni_dump_writer *dump = begin("web-1");
	char *piece = calloc(1, MIB);
	unsigned taken = 0;

	while (taken < 1000 && uni_dump_store_write(dump, 0, piece, MIB, NULL) == 0)
		taken++;
	cr_expect_eq(taken, (MEMORY + UNI_DUMP_OVERHEAD_MAX) / MIB);
	uni_dump_store_abort(dump, "enough");
	free(piece);
}

Test(dump_store, says_how_much_is_missing)
{
	struct uni_dump_writer *dump = begin("web-1");

	cr_assert_eq(uni_dump_store_write(dump, 0, "1234", 4, NULL), 0);
	cr_expect_eq(uni_dump_store_finish(dump, 0, 10, NULL), 0);
	cr_expect_not(get("web-1").complete);
	cr_expect_str_eq(get("web-1").why, "4 of 10 bytes came");

	uni_dump_store_finish(begin("web-1"), -EIO, 0, NULL);
	cr_expect_not(get("web-1").complete);
	cr_expect(strstr(get("web-1").why, "Input/output error"));

	uni_dump_store_abort(begin("web-1"), "the guest fell silent");
	cr_expect_str_eq(get("web-1").why, "the guest fell silent");
}

/* A limit on file sizes fails writes in the middle as a full disk does. */
Test(dump_store, keeps_what_fitted_when_writing_fails)
{
	struct rlimit limit = {.rlim_cur = MIB, .rlim_max = RLIM_INFINITY};
	struct uni_dump_writer *dump = begin("web-1");
	struct uni_error error = {0};
	char *piece = malloc(MIB);

	memset(piece, 'x', MIB);
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_assert_eq(uni_dump_store_write(dump, 0, piece, MIB / 2, NULL), 0);
	cr_expect_eq(uni_dump_store_write(dump, MIB / 2, piece, MIB, &error), -EFBIG);
	cr_expect(strstr(error.text, "web-1") && strstr(error.text, "File too large"));
	cr_expect_eq(uni_dump_store_finish(dump, 0, MIB, NULL), -EFBIG);
	cr_expect_not(get("web-1").complete);
	cr_expect(strstr(get("web-1").why, "File too large"));
	cr_expect_eq(get("web-1").core_size, MIB);
	free(piece);
}

Test(dump_store, lists_a_dump_whose_collector_was_killed)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct uni_dump_writer *dump = begin("web-1");

		if (uni_dump_store_write(dump, 0, "1234", 4, NULL) == 0)
			raise(SIGKILL);
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status));
	cr_expect_not(get("web-1").complete);
	cr_expect(strstr(get("web-1").why, "cut off"));
	cr_expect_not(get("web-1").is_coming);
	cr_expect_str_eq(get("web-1").cause, "QEMU was killed");
}

Test(dump_store, tells_a_dump_that_is_coming_from_one_that_was_cut_off)
{
	struct uni_dump_writer *dump = begin("web-1");
	struct uni_dump_info info;
	pid_t child;

	info = get("web-1");
	cr_expect(info.is_coming);
	cr_expect_not(info.complete);
	uni_dump_store_wait(&info, 40);
	cr_expect(info.is_coming, "nobody finished it");
	child = fork();
	if (child == 0) {
		usleep(100000);
		uni_dump_store_finish(dump, 0, 0, NULL);
		_exit(0);
	}
	/* The lock belongs to the open file, which the child has too. */
	close(uni_dump_store_fd(dump));
	uni_dump_store_wait(&info, 10000);
	cr_expect_not(info.is_coming);
	cr_expect(info.complete);
	waitpid(child, NULL, 0);
}

Test(dump_store, gives_collectors_at_the_same_time_ids_of_their_own)
{
	enum { COLLECTORS = 8, EACH = 10 };
	struct uni_dump_info *list;
	size_t unreadable;

	for (int i = 0; i < COLLECTORS; i++) {
		if (fork() == 0) {
			for (int j = 0; j < EACH; j++)
				uni_dump_store_finish(begin("web-1"), 0, 0, NULL);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	cr_assert_eq(uni_dump_store_list(&list, &unreadable, NULL), COLLECTORS * EACH);
	cr_expect_eq(unreadable, 0);
	for (unsigned i = 0; i < COLLECTORS * EACH; i++)
		cr_expect_eq(list[i].id, COLLECTORS * EACH - i, "newest first, no gap, no double");
	free(list);
}

Test(dump_store, finds_by_id_and_the_newest_by_name)
{
	struct uni_dump_info info;
	struct uni_error error = {0};

	uni_dump_store_finish(begin("web-1"), 0, 0, NULL);
	uni_dump_store_finish(begin("edge"), 0, 0, NULL);
	uni_dump_store_finish(begin("web-1"), 0, 0, NULL);
	cr_expect_eq(get("web-1").id, 3);
	cr_expect_eq(get("edge").id, 2);
	cr_expect_eq(get("1").id, 1);
	cr_expect_lt(uni_dump_store_find("4", &info, &error), 0);
	cr_expect_lt(uni_dump_store_find("web", &info, &error), 0);
	cr_expect_lt(uni_dump_store_find("../1", &info, &error), 0);
	cr_expect(strstr(error.text, "../1"));
}

Test(dump_store, is_empty_where_there_is_none_and_creates_nothing)
{
	struct uni_dump_info *list = NULL;
	char path[PATH_MAX];
	size_t unreadable;

	cr_expect_eq(uni_dump_store_list(&list, &unreadable, NULL), 0);
	cr_expect_null(list);
	cr_assert_eq(uni_dump_store_path(path, sizeof(path)), 0);
	cr_expect_eq(access(path, F_OK), -1);
}

Test(dump_store, is_for_its_owner_only)
{
	char path[PATH_MAX];
	struct stat stat_;

	uni_dump_store_finish(begin("web-1"), 0, 0, NULL);
	cr_assert_eq(uni_dump_store_path(path, sizeof(path)), 0);
	cr_assert_eq(stat(path, &stat_), 0);
	cr_expect_eq(stat_.st_mode & 0777, 0700);
	cr_assert_eq(uni_dump_store_core_path(1, path, sizeof(path)), 0);
	cr_assert_eq(stat(path, &stat_), 0);
	cr_expect_eq(stat_.st_mode & 0777, 0600);
	*strrchr(path, '/') = '\0';
	cr_assert_eq(stat(path, &stat_), 0);
	cr_expect_eq(stat_.st_mode & 0777, 0700);
}

static void spoil(uint64_t id, const char *text)
{
	char path[PATH_MAX];
	FILE *file;

	cr_assert_eq(uni_dump_store_core_path(id, path, sizeof(path)), 0);
	strcpy(strrchr(path, '/'), "/info.json");
	file = fopen(path, "w");
	cr_assert(file);
	fputs(text, file);
	fclose(file);
}

Test(dump_store, counts_what_cannot_be_read_and_lists_the_rest)
{
	static const char *const texts[] = {
		"", "[1, 2", "[]",
		"{\"guest\": 7, \"panic\": {\"frames\":"
		" [[], 3, \"zz\"]}, \"complete\": \"yes\", \"id\": -1}"};
	struct uni_dump_info *list;
	size_t unreadable;

	for (unsigned i = 0; i < 5; i++)
		uni_dump_store_finish(begin("web-1"), 0, 0, NULL);
	for (unsigned i = 0; i < 4; i++)
		spoil(i + 1, texts[i]);
	cr_expect_eq(uni_dump_store_list(&list, &unreadable, NULL), 2);
	cr_expect_eq(unreadable, 3);
	cr_expect_eq(list[0].id, 5);
	cr_expect_eq(list[1].id, 4, "wrong types read as nothing");
	cr_expect_str_eq(list[1].guest, "");
	free(list);
}
