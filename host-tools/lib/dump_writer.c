// SPDX-License-Identifier: MIT
/* One dump on its way into the store. */
#include "host-tools/lib/dump_store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/dump_image.h"
#include "host-tools/lib/sanitize.h"
#include "tracing/errno.h"

#define INFO_NEXT_FILE ".info.json.next"

struct uni_dump_writer {
	int folder;
	int core;
	int info_next; /* holds UNI_DUMP_INFO_RESERVED bytes of disk for the last info.json */
	bool hostile;  /* the guest sent what no core can have */
	struct uni_error failure; /* what ended the writing; code 0: nothing did */
	uint64_t size_max;
	struct uni_dump_info info;
};

static int write_all(int fd, const void *bytes, size_t len, uint64_t offset)
{
	const char *at = bytes;

	while (len) {
		ssize_t n = pwrite(fd, at, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* Fills the file that is to become info.json and moves it there. */
static int put_info(struct uni_dump_writer *dump, int fd)
{
	char *text = uni_dump_info_encode(&dump->info);
	size_t len = text ? strlen(text) : 0;
	int err = text ? write_all(fd, text, len, 0) : -ENOMEM;

	free(text);
	if (!err && ftruncate(fd, (off_t)len) < 0)
		err = -errno;
	if (!err && renameat(dump->folder, INFO_NEXT_FILE, dump->folder, UNI_DUMP_INFO_FILE) < 0)
		err = -errno;
	return err;
}

static int create_file(int folder, const char *name)
{
	int fd = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

static int reserve_info(struct uni_dump_writer *dump)
{
	int err;

	dump->info_next = create_file(dump->folder, INFO_NEXT_FILE);
	if (dump->info_next < 0)
		return dump->info_next;
	err = -posix_fallocate(dump->info_next, 0, UNI_DUMP_INFO_RESERVED);
	return err == -EOPNOTSUPP || err == -EINVAL ? 0 : err;
}

/* The first info.json: what is known should nobody ever finish this dump. */
static int put_first_info(struct uni_dump_writer *dump)
{
	int fd = create_file(dump->folder, INFO_NEXT_FILE), err;

	if (fd < 0)
		return fd;
	err = put_info(dump, fd);
	close(fd);
	return err ? err : reserve_info(dump);
}

static void hex(char *out, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sprintf(out + 2 * i, "%02x", bytes[i]);
	out[2 * len] = '\0';
}

static uint64_t now_unix_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* False: the payload is no panic record. */
static bool take_panic(struct uni_dump_info *info, const void *payload, size_t len)
{
	struct uni_panic_record record;
	size_t text_len;

	if (len < sizeof(record))
		return false;
	memcpy(&record, payload, sizeof(record));
	if (record.header_size < sizeof(record) || record.header_size > len)
		return false;
	info->has_panic = true;
	info->kind = record.kind;
	info->cpu = record.cpu;
	info->thread = record.thread;
	info->vector = record.vector;
	info->error_code = record.error_code;
	info->address = record.address;
	info->pc = record.pc;
	info->sp = record.sp;
	info->uptime_ns = record.time_ns;
	info->frame_count =
		record.frame_count < UNI_DUMP_FRAMES_MAX ? record.frame_count : UNI_DUMP_FRAMES_MAX;
	memcpy(info->frames, record.frames, sizeof(info->frames));
	text_len = len - record.header_size;
	if (record.reason_len < text_len)
		text_len = record.reason_len;
	uni_sanitize(info->cause, sizeof(info->cause), (const char *)payload + record.header_size,
		     text_len);
	return true;
}

static void describe(struct uni_dump_info *info, const struct uni_dump_guest *guest,
		     const void *panic, size_t panic_len)
{
	const char *cause = guest->cause ? guest->cause : "";
	uint32_t build_id_len = guest->build_id_len;

	*info = (struct uni_dump_info){
		.source = guest->source,
		.memory_size = guest->memory_size,
		.started_unix_ns = guest->started_unix_ns,
		.died_unix_ns = now_unix_ns(),
		.vector = UNI_PANIC_NO_VECTOR,
	};
	uni_sanitize(info->guest, sizeof(info->guest), guest->name, strlen(guest->name));
	if (guest->image)
		snprintf(info->image, sizeof(info->image), "%s", guest->image);
	if (build_id_len > UNI_BUILD_ID_MAX)
		build_id_len = UNI_BUILD_ID_MAX;
	hex(info->boot_id, guest->boot_id, UNI_BOOT_ID_SIZE);
	hex(info->build_id, guest->build_id, build_id_len);
	snprintf(info->why, sizeof(info->why), "its collection was cut off");
	if (panic && !take_panic(info, panic, panic_len))
		cause = "the guest's panic record makes no sense";
	if (!info->cause[0])
		uni_sanitize(info->cause, sizeof(info->cause), cause, strlen(cause));
}

static void writer_free(struct uni_dump_writer *dump)
{
	int fds[] = {dump->info_next, dump->core, dump->folder};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	free(dump);
}

/* Leaves nothing of a dump that could not begin. */
static void forget(int root, struct uni_dump_writer *dump)
{
	char name[24];

	unlinkat(dump->folder, INFO_NEXT_FILE, 0);
	unlinkat(dump->folder, UNI_DUMP_INFO_FILE, 0);
	unlinkat(dump->folder, UNI_DUMP_CORE_FILE, 0);
	snprintf(name, sizeof(name), "%" PRIu64, dump->info.id);
	unlinkat(root, name, AT_REMOVEDIR);
}

static int open_dump(struct uni_dump_writer *dump, int root, const struct uni_dump_guest *guest,
		     const void *panic, size_t panic_len)
{
	uint64_t id;
	int err = root < 0 ? root : uni_dump_store_new_folder(root, &id, &dump->folder);

	if (err)
		return err;
	describe(&dump->info, guest, panic, panic_len);
	dump->info.id = id;
	dump->core = create_file(dump->folder, UNI_DUMP_CORE_FILE);
	/* Held as long as the collector lives: how readers tell "coming" from "cut off". */
	if (dump->core >= 0)
		(void)flock(dump->core, LOCK_EX | LOCK_NB);
	err = dump->core < 0 ? dump->core : put_first_info(dump);
	if (err)
		forget(root, dump);
	else
		(void)uni_dump_image_keep(&dump->info);
	return err;
}

int uni_dump_store_begin(const struct uni_dump_guest *guest, const void *panic, size_t panic_len,
			 struct uni_dump_writer **out, struct uni_error *error)
{
	struct uni_dump_writer *dump = calloc(1, sizeof(*dump));
	uni_cleanup_fd int root = uni_dump_store_open_root();
	char path[PATH_MAX];
	int err;

	if (!dump)
		return uni_error_system(error, ENOMEM, "cannot keep a dump of %s", guest->name);
	dump->folder = dump->core = dump->info_next = -1;
	dump->size_max = guest->memory_size + UNI_DUMP_OVERHEAD_MAX;
	err = open_dump(dump, root, guest, panic, panic_len);
	if (!err) {
		*out = dump;
		return 0;
	}
	writer_free(dump);
	if (uni_dump_store_path(path, sizeof(path)))
		snprintf(path, sizeof(path), "HOME, which is not set");
	return uni_error_system(error, -err, "cannot keep a dump of %s in %s", guest->name, path);
}

/* Passes on what ended the writing. */
static int failed(const struct uni_dump_writer *dump, struct uni_error *error)
{
	if (error)
		*error = dump->failure;
	return dump->failure.code;
}

static int refuse(struct uni_dump_writer *dump, struct uni_error *error)
{
	dump->hostile = true;
	uni_error_set(&dump->failure, -UNI_EINVAL,
		      "%s sent data that no core of its %" PRIu64 " MiB can have; "
		      "dump %" PRIu64 " takes no more",
		      dump->info.guest, dump->info.memory_size >> 20, dump->info.id);
	return failed(dump, error);
}

static int fail_write(struct uni_dump_writer *dump, int err, struct uni_error *error)
{
	uni_error_system(&dump->failure, -err, "cannot write dump %" PRIu64 " of %s", dump->info.id,
			 dump->info.guest);
	return failed(dump, error);
}

int uni_dump_store_set_size(struct uni_dump_writer *dump, uint64_t file_size,
			    struct uni_error *error)
{
	if (dump->failure.code)
		return failed(dump, error);
	if (file_size > dump->size_max)
		return refuse(dump, error);
	if (ftruncate(dump->core, (off_t)file_size) < 0)
		return fail_write(dump, -errno, error);
	dump->info.core_size = file_size;
	return 0;
}

int uni_dump_store_write(struct uni_dump_writer *dump, uint64_t offset, const void *bytes,
			 size_t len, struct uni_error *error)
{
	uint64_t end_max = dump->info.core_size ? dump->info.core_size : dump->size_max;
	int err;

	if (dump->failure.code)
		return failed(dump, error);
	/* The total is bounded too: a guest could send the same bytes for ever. */
	if (len > end_max || offset > end_max - len || len > dump->size_max - dump->info.data_size)
		return refuse(dump, error);
	err = write_all(dump->core, bytes, len, offset);
	if (err)
		return fail_write(dump, err, error);
	dump->info.data_size += len;
	return 0;
}

static void measure(struct uni_dump_writer *dump)
{
	struct stat stat;

	if (fstat(dump->core, &stat) < 0)
		return;
	dump->info.core_size = (uint64_t)stat.st_size;
	dump->info.disk_size = (uint64_t)stat.st_blocks * 512;
}

/* Why it is not complete, in `info.why`; empty when it is. */
static void judge(struct uni_dump_writer *dump, int32_t status, uint64_t data_size)
{
	struct uni_dump_info *info = &dump->info;

	info->why[0] = '\0';
	if (dump->hostile)
		snprintf(info->why, sizeof(info->why),
			 "the guest sent data that no core of its %" PRIu64 " MiB can have",
			 info->memory_size >> 20);
	else if (dump->failure.code)
		snprintf(info->why, sizeof(info->why), "it could not be written: %s",
			 strerror(-dump->failure.code));
	else if (status)
		snprintf(info->why, sizeof(info->why), "the guest gave up: %s",
			 status > -4096 && status < 0 ? strerror(-status) : "unknown error");
	else if (data_size != info->data_size)
		snprintf(info->why, sizeof(info->why), "%" PRIu64 " of %" PRIu64 " bytes came",
			 info->data_size, data_size);
	info->complete = !info->why[0];
}

static int put_last_info(struct uni_dump_writer *dump)
{
	int err;

	measure(dump);
	err = put_info(dump, dump->info_next);
	unlinkat(dump->folder, INFO_NEXT_FILE, 0);
	return err;
}

int uni_dump_store_finish(struct uni_dump_writer *dump, int32_t status, uint64_t data_size,
			  struct uni_error *error)
{
	int err;

	judge(dump, status, data_size);
	err = put_last_info(dump);
	if (err && !dump->failure.code)
		fail_write(dump, err, NULL);
	err = dump->hostile ? 0 : dump->failure.code;
	if (err)
		failed(dump, error);
	writer_free(dump);
	return err;
}

void uni_dump_store_abort(struct uni_dump_writer *dump, const char *why)
{
	if (!dump)
		return;
	dump->info.complete = false;
	uni_sanitize(dump->info.why, sizeof(dump->info.why), why, strlen(why));
	(void)put_last_info(dump);
	writer_free(dump);
}

uint64_t uni_dump_store_id(const struct uni_dump_writer *dump)
{
	return dump->info.id;
}

int uni_dump_store_fd(const struct uni_dump_writer *dump)
{
	return dump->core;
}
