// SPDX-License-Identifier: MIT
/* The folder of dumps: ids, listing, finding. */
#include "host-tools/lib/dump_store_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host-tools/lib/cleanup.h"
#include "tracing/errno.h"

const char *uni_dump_kind_name(uint32_t kind)
{
	static const char *const names[] = {
		[UNI_PANIC_FAULT] = "fault",
		[UNI_PANIC_ASSERT] = "assert",
		[UNI_PANIC_OOM] = "oom",
		[UNI_PANIC_DEADLOCK] = "deadlock",
		[UNI_PANIC_STACK_OVERFLOW] = "stack-overflow",
		[UNI_PANIC_DOUBLE_FAULT] = "double-fault",
		[UNI_PANIC_HANG] = "hang",
		[UNI_PANIC_REQUEST] = "request",
		[UNI_PANIC_MACHINE_CHECK] = "machine-check",
	};

	if (kind >= sizeof(names) / sizeof(names[0]) || !names[kind])
		return "unknown";
	return names[kind];
}

int uni_dump_store_path(char *path, size_t size)
{
	const char *base = getenv("XDG_STATE_HOME");
	const char *below = "uniscope/dumps";
	int len;

	/* The XDG specification: a path that is not absolute is to be ignored. */
	if (!base || base[0] != '/') {
		base = getenv("HOME");
		below = ".local/state/uniscope/dumps";
	}
	if (!base || base[0] != '/')
		return -ENOENT;
	len = snprintf(path, size, "%s/%s", base, below);
	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

int uni_dump_store_core_path(uint64_t id, char *path, size_t size)
{
	char root[PATH_MAX];
	int err = uni_dump_store_path(root, sizeof(root));
	int len;

	if (err)
		return err;
	len = snprintf(path, size, "%s/%" PRIu64 "/" UNI_DUMP_CORE_FILE, root, id);
	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

/* Creates each missing part of an absolute path, as mkdir -p -m 0700. */
static int make_folders(char *path)
{
	for (char *slash = path + 1;; slash++) {
		char saved = *slash;

		if (saved != '/' && saved != '\0')
			continue;
		*slash = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -errno;
		*slash = saved;
		if (!saved)
			return 0;
	}
}

static int open_folder(int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int uni_dump_store_open_root(void)
{
	char path[PATH_MAX];
	int err = uni_dump_store_path(path, sizeof(path));

	if (!err)
		err = make_folders(path);
	return err ? err : open_folder(AT_FDCWD, path);
}

/* Ids are decimal without a sign or leading zeroes; other names are not ours. */
static bool id_of_name(const char *name, uint64_t *id)
{
	char *end;

	if (name[0] < '1' || name[0] > '9')
		return false;
	errno = 0;
	*id = strtoull(name, &end, 10);
	return !errno && !*end;
}

static void id_to_name(uint64_t id, char name[static 24])
{
	snprintf(name, 24, "%" PRIu64, id);
}

/* All ids in the folder, in no order. Returns how many; *ids is allocated. */
static ssize_t read_ids(int root, uint64_t **ids)
{
	size_t count = 0, room = 0;
	int fd = dup(root);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint64_t id;

	*ids = NULL;
	if (!folder) {
		int err = -errno;

		if (fd >= 0)
			close(fd);
		return err;
	}
	rewinddir(folder);
	while ((entry = readdir(folder))) {
		if (!id_of_name(entry->d_name, &id))
			continue;
		if (count == room) {
			uint64_t *grown = reallocarray(*ids, room ? 2 * room : 64, sizeof(id));

			if (!grown)
				break;
			*ids = grown;
			room = room ? 2 * room : 64;
		}
		(*ids)[count++] = id;
	}
	closedir(folder);
	return (ssize_t)count;
}

int uni_dump_store_new_folder(int root, uint64_t *id, int *folder)
{
	uint64_t *ids, last = 0;
	ssize_t count = read_ids(root, &ids);
	char name[24];

	if (count < 0)
		return (int)count;
	for (ssize_t i = 0; i < count; i++)
		last = ids[i] > last ? ids[i] : last;
	free(ids);

	/* mkdir() decides between supervisors that saw the same last id. */
	do {
		if (last == UINT64_MAX)
			return -ENOSPC;
		id_to_name(++last, name);
	} while (mkdirat(root, name, 0700) < 0 && errno == EEXIST);

	*folder = open_folder(root, name);
	if (*folder < 0)
		return *folder;
	*id = last;
	return 0;
}

static int newest_first(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? 1 : left > right ? -1 : 0;
}

static bool is_locked(int folder)
{
	uni_cleanup_fd int core =
		openat(folder, UNI_DUMP_CORE_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	return core >= 0 && flock(core, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

static int read_info(int root, uint64_t id, struct uni_dump_info *out)
{
	char name[24];
	int folder, err;
	bool is_coming;

	id_to_name(id, name);
	folder = open_folder(root, name);
	if (folder < 0)
		return folder;
	/* In this order: a collector that ends in between is seen with its last words. */
	is_coming = is_locked(folder);
	err = uni_dump_info_read(folder, id, out);
	if (!err)
		out->is_coming = is_coming;
	close(folder);
	return err;
}

/* Opens the store for reading and hands out its ids, newest first. An absent store has none. */
static ssize_t open_ids(int *root, uint64_t **ids)
{
	char path[PATH_MAX];
	ssize_t count = uni_dump_store_path(path, sizeof(path));

	*ids = NULL;
	*root = -1;
	if (count < 0)
		return count;
	*root = open_folder(AT_FDCWD, path);
	if (*root < 0)
		return *root == -ENOENT ? 0 : *root;
	count = read_ids(*root, ids);
	if (count < 0) {
		close(*root);
		*root = -1;
		return count;
	}
	if (count > 0)
		qsort(*ids, (size_t)count, sizeof(**ids), newest_first);
	return count;
}

static int store_error(struct uni_error *error, int err)
{
	char path[PATH_MAX];

	if (uni_dump_store_path(path, sizeof(path)))
		return uni_error_set(
			error, err,
			"cannot find the dumps: neither XDG_STATE_HOME nor HOME is set "
			"to an absolute path");
	return uni_error_system(error, -err, "cannot read the dumps in %s", path);
}

ssize_t uni_dump_store_list(struct uni_dump_info **out, size_t *unreadable, struct uni_error *error)
{
	uni_cleanup_free uint64_t *ids = NULL;
	uni_cleanup_fd int root = -1;
	ssize_t count = open_ids(&root, &ids), good = 0;
	struct uni_dump_info *list = NULL;

	if (count < 0)
		return store_error(error, (int)count);
	if (count > 0) {
		list = calloc((size_t)count, sizeof(*list));
		if (!list)
			return store_error(error, -ENOMEM);
	}
	*unreadable = 0;
	for (ssize_t i = 0; i < count; i++) {
		if (read_info(root, ids[i], &list[good]) == 0)
			good++;
		else
			++*unreadable;
	}
	*out = list;
	return good;
}

static bool is_newest_of(int root, uint64_t id, const char *guest, struct uni_dump_info *info)
{
	return read_info(root, id, info) == 0 && !strcmp(info->guest, guest);
}

int uni_dump_store_find(const char *name_or_id, struct uni_dump_info *out, struct uni_error *error)
{
	uni_cleanup_free struct uni_dump_info *info = malloc(sizeof(*info));
	uni_cleanup_free uint64_t *ids = NULL;
	uni_cleanup_fd int root = -1;
	ssize_t count = info ? open_ids(&root, &ids) : -ENOMEM;
	bool found = false;
	uint64_t wanted;

	if (count < 0)
		return store_error(error, (int)count);
	for (ssize_t i = 0; !found && i < count; i++)
		found = is_newest_of(root, ids[i], name_or_id, info);
	if (!found && root >= 0 && id_of_name(name_or_id, &wanted))
		found = read_info(root, wanted, info) == 0;
	if (!found)
		return uni_error_set(error, -UNI_ENOENT,
				     "no dump of a guest called %s, nor one with that id; "
				     "`uniscope dumps` lists what there is",
				     name_or_id);
	*out = *info;
	return 0;
}

void uni_dump_store_wait(struct uni_dump_info *info, unsigned timeout_ms)
{
	uni_cleanup_fd int root = uni_dump_store_open_root();
	struct uni_dump_info *fresh = root < 0 ? NULL : malloc(sizeof(*fresh));

	for (unsigned waited_ms = 0; fresh && info->is_coming && waited_ms < timeout_ms;
	     waited_ms += 20) {
		usleep(20000);
		if (read_info(root, info->id, fresh) == 0)
			*info = *fresh;
	}
	free(fresh);
}
