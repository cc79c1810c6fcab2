/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/registry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/registry_internal.h"
#include "tracing/errno.h"

bool uni_guest_name_is_valid(const char *name)
{
	static const char alphanumeric[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					   "0123456789";
	static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				  "0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len < UNI_GUEST_NAME_SIZE && strchr(alphanumeric, name[0]) &&
	       strspn(name, all) == len;
}

static int check_root(const char *path, struct uni_error *error)
{
	struct stat status;

	if (lstat(path, &status) < 0)
		return uni_error_system(error, errno, "cannot use the runtime folder %s", path);
	if (!S_ISDIR(status.st_mode))
		return uni_error_set(error, -ENOTDIR,
				     "cannot use the runtime folder %s: it is not a folder; "
				     "remove it or set XDG_RUNTIME_DIR",
				     path);
	if (status.st_uid != geteuid() || (status.st_mode & 077) != 0)
		return uni_error_set(error, -EPERM,
				     "cannot use the runtime folder %s: others can enter it (owner "
				     "%u, mode %03o); remove it or set XDG_RUNTIME_DIR",
				     path, status.st_uid, status.st_mode & 0777);
	return 0;
}

int uni_registry_root(char *path, struct uni_error *error)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	int len;

	if (runtime && runtime[0])
		len = snprintf(path, PATH_MAX, "%s/uniscope", runtime);
	else if (geteuid() == 0)
		len = snprintf(path, PATH_MAX, "/run/uniscope");
	else
		len = snprintf(path, PATH_MAX, "/tmp/uniscope-%u", geteuid());
	if (len >= PATH_MAX)
		return uni_error_set(error, -ENAMETOOLONG, "XDG_RUNTIME_DIR is too long");
	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		uni_error_system(error, errno, "cannot make the runtime folder %s", path);
		return uni_error_advise(error,
					"set XDG_RUNTIME_DIR to a folder that you can write");
	}
	return check_root(path, error);
}

void uni_registry_remove(const char *folder, int folder_fd)
{
	uni_cleanup_dir DIR *directory = NULL;
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;

	directory = fd >= 0 ? fdopendir(fd) : NULL;
	while (directory && (entry = readdir(directory)))
		if (strcmp(entry->d_name, UNI_REGISTRY_LOCK) != 0)
			unlinkat(folder_fd, entry->d_name, 0);
	/* The lock goes last: while it is there, nobody else takes the folder for stale. */
	unlinkat(folder_fd, UNI_REGISTRY_LOCK, 0);
	rmdir(folder);
}

/*
 * Reads the guest in root/name; removes the folder when its supervisor is dead. Returns whether
 * there is a guest.
 */
static bool read_guest(const char *root, const char *name, struct uni_guest_info *guest)
{
	uni_cleanup_fd int folder_fd = -1;
	uni_cleanup_fd int lock_fd = -1;
	char folder[PATH_MAX];

	if (!uni_guest_name_is_valid(name) ||
	    snprintf(folder, sizeof(folder), "%s/%s", root, name) >= (int)sizeof(folder))
		return false;
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (folder_fd < 0)
		return false;
	lock_fd = uni_registry_lock(folder_fd, false);
	if (lock_fd >= 0)
		uni_registry_remove(folder, folder_fd);
	if (lock_fd != -UNI_EBUSY || uni_guest_info_read(folder_fd, guest) < 0)
		return false;
	strcpy(guest->folder, folder);
	strcpy(guest->name, name);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct uni_guest_info *)a)->name,
		      ((const struct uni_guest_info *)b)->name);
}

int uni_registry_list(struct uni_guest_info **guests, size_t *count, struct uni_error *error)
{
	uni_cleanup_free struct uni_guest_info *found = NULL;
	uni_cleanup_dir DIR *directory = NULL;
	size_t found_count = 0, capacity = 0;
	struct dirent *entry;
	char root[PATH_MAX];
	int status = uni_registry_root(root, error);

	if (status < 0)
		return status;
	directory = opendir(root);
	if (!directory)
		return uni_error_system(error, errno, "cannot read the runtime folder %s", root);
	while ((entry = readdir(directory))) {
		if (found_count == capacity) {
			struct uni_guest_info *more;

			capacity = capacity ? 2 * capacity : 8;
			more = realloc(found, capacity * sizeof(*found));
			if (!more)
				return uni_error_set(error, -UNI_ENOMEM, "out of memory");
			found = more;
		}
		if (read_guest(root, entry->d_name, &found[found_count]))
			found_count++;
	}
	if (found_count > 0)
		qsort(found, found_count, sizeof(*found), by_name);
	*guests = uni_take(&found);
	*count = found_count;
	return 0;
}

static int no_such_guest(const char *name, struct uni_error *error)
{
	uni_cleanup_free struct uni_guest_info *guests = NULL;
	size_t count = 0;
	char names[256] = "";

	if (uni_registry_list(&guests, &count, NULL) < 0 || count == 0)
		return uni_error_no_guest(
			error, "no guest '%s' runs here; `uniscope run` starts one", name);
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(names);

		snprintf(names + len, sizeof(names) - len, "%s%s", i ? ", " : "", guests[i].name);
	}
	return uni_error_no_guest(error, "no guest '%s' runs here; there are: %s", name, names);
}

int uni_registry_find(const char *name, struct uni_guest_info *guest, struct uni_error *error)
{
	uni_cleanup_free struct uni_guest_info *found = malloc(sizeof(*found));
	char root[PATH_MAX];
	int status = uni_registry_root(root, error);

	if (status < 0)
		return status;
	if (!found)
		return uni_error_set(error, -UNI_ENOMEM, "out of memory");
	if (!read_guest(root, name, found))
		return no_such_guest(name, error);
	*guest = *found;
	return 0;
}

int uni_registry_connect(const struct uni_guest_info *guest, const char *socket_name,
			 struct uni_error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	uni_cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return uni_error_system(error, errno, "cannot make a socket");
	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", guest->folder,
		     socket_name) >= (int)sizeof(address.sun_path))
		return uni_error_set(error, -ENAMETOOLONG, "the path of %s/%s is too long",
				     guest->folder, socket_name);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return uni_error_system(error, errno, "cannot connect to %s", address.sun_path);
	return uni_take_fd(&fd);
}
