/* SPDX-License-Identifier: MIT */
/* The supervisor's side of the registry: taking a name, and what stands in its folder. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/registry_internal.h"
#include "tracing/errno.h"

/* The longest of the sockets' names. */
static const char longest_socket[] = UNI_SOCKET_CONSOLE;

int uni_registry_lock(int folder_fd, bool create)
{
	uni_cleanup_fd int fd =
		openat(folder_fd, UNI_REGISTRY_LOCK,
		       O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600);
	struct stat held, named;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -UNI_EBUSY : -errno;
	/* Between open and flock its holder may have removed it: that lock guards nothing. */
	if (fstat(fd, &held) < 0 ||
	    fstatat(folder_fd, UNI_REGISTRY_LOCK, &named, AT_SYMLINK_NOFOLLOW) < 0 ||
	    held.st_ino != named.st_ino)
		return -UNI_EAGAIN;
	return uni_take_fd(&fd);
}

static int check_path_length(const char *folder, const char *name, struct uni_error *error)
{
	size_t len = strlen(folder) + 1 + strlen(longest_socket);

	if (len < UNI_SOCKET_PATH_SIZE)
		return 0;
	return uni_error_set(error, -ENAMETOOLONG,
			     "cannot start %s: its sockets' paths in %s would have %zu bytes, and "
			     "%d are allowed; take a shorter --name or set XDG_RUNTIME_DIR to a "
			     "shorter path",
			     name, folder, len, UNI_SOCKET_PATH_SIZE - 1);
}

/* Makes and locks the folder; -UNI_EAGAIN when somebody removed it in between. */
static int take_folder(struct uni_registry_claim *claim, const char *name, struct uni_error *error)
{
	uni_cleanup_fd int folder_fd = -1;
	int lock_fd;

	if (mkdir(claim->folder, 0700) < 0 && errno != EEXIST)
		return uni_error_system(error, errno, "cannot start %s: cannot make the folder %s",
					name, claim->folder);
	folder_fd = open(claim->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (folder_fd < 0 && errno == ENOENT)
		return -UNI_EAGAIN;
	if (folder_fd < 0) {
		uni_error_system(error, errno, "cannot start %s: cannot open the folder %s", name,
				 claim->folder);
		return uni_error_advise(error, "remove it or take another --name");
	}
	lock_fd = uni_registry_lock(folder_fd, true);
	if (lock_fd == -UNI_EAGAIN || lock_fd == -ENOENT)
		return -UNI_EAGAIN;
	if (lock_fd == -UNI_EBUSY)
		return uni_error_set(error, -UNI_EEXIST,
				     "cannot start %s: a guest of this name runs; take another "
				     "--name, or `uniscope stop %s` first",
				     name, name);
	if (lock_fd < 0)
		return uni_error_system(error, -lock_fd, "cannot start %s: cannot lock %s", name,
					claim->folder);
	claim->folder_fd = uni_take_fd(&folder_fd);
	claim->lock_fd = lock_fd;
	return 0;
}

int uni_registry_claim(const char *name, struct uni_registry_claim *claim, struct uni_error *error)
{
	struct uni_registry_claim taken = {.folder_fd = -1, .lock_fd = -1};
	char root[PATH_MAX];
	int status;

	if (!uni_guest_name_is_valid(name))
		return uni_error_usage(error,
				       "'%s' cannot be the name of a guest; take at most %d "
				       "letters, digits, dots, dashes and underscores, the first "
				       "one a letter or digit",
				       name, UNI_GUEST_NAME_SIZE - 1);
	status = uni_registry_root(root, error);
	if (status < 0)
		return status;
	if (snprintf(taken.folder, sizeof(taken.folder), "%s/%s", root, name) >=
	    (int)sizeof(taken.folder))
		return uni_error_set(error, -ENAMETOOLONG, "XDG_RUNTIME_DIR is too long");
	status = check_path_length(taken.folder, name, error);
	if (status < 0)
		return status;
	do {
		status = take_folder(&taken, name, error);
	} while (status == -UNI_EAGAIN);
	if (status == 0)
		*claim = taken;
	return status;
}

int uni_registry_publish(const struct uni_registry_claim *claim, const struct uni_guest_info *guest,
			 struct uni_error *error)
{
	return uni_guest_info_write(claim->folder_fd, guest, error);
}

int uni_registry_listen(const struct uni_registry_claim *claim, const char *socket_name,
			struct uni_error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	uni_cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat left;

	if (fd < 0)
		return uni_error_system(error, errno, "cannot make a socket");
	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", claim->folder,
		     socket_name) >= (int)sizeof(address.sun_path))
		return uni_error_set(error, -ENAMETOOLONG, "the path of %s/%s is too long",
				     claim->folder, socket_name);
	/* A dead supervisor's: the lock is ours. Anything else than a socket stays and is told. */
	if (fstatat(claim->folder_fd, socket_name, &left, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISSOCK(left.st_mode))
		unlinkat(claim->folder_fd, socket_name, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		uni_error_system(error, errno, "cannot listen on %s", address.sun_path);
		return uni_error_advise(error, "remove what is there, or take another --name");
	}
	/* The folder keeps others out between bind() and here. */
	if (chmod(address.sun_path, 0600) < 0 || listen(fd, 16) < 0)
		return uni_error_system(error, errno, "cannot listen on %s", address.sun_path);
	return uni_take_fd(&fd);
}

void uni_registry_release(struct uni_registry_claim *claim)
{
	if (claim->lock_fd < 0)
		return;
	uni_registry_remove(claim->folder, claim->folder_fd);
	close(claim->folder_fd);
	close(claim->lock_fd);
	claim->folder_fd = -1;
	claim->lock_fd = -1;
}
