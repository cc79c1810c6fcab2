// SPDX-License-Identifier: MIT
#include "host-tools/lib/dump_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/dump_store_internal.h"
#include "host-tools/lib/image.h"
#include "tracing/errno.h"

static bool has_build_id(const char *path, const char *build_id, struct uni_error *error)
{
	struct uni_image image;

	if (uni_image_read(path, &image, error))
		return false;
	if (!strcmp(image.build_id_text, build_id))
		return true;
	uni_error_set(error, -UNI_EINVAL, "%s was built anew since", path);
	return false;
}

/* The folder beside that of the dumps. */
static int kept_path(const char *build_id, char path[PATH_MAX])
{
	char root[PATH_MAX];
	int err = uni_dump_store_path(root, sizeof(root));
	int len;

	if (err)
		return err;
	*strrchr(root, '/') = '\0';
	len = snprintf(path, PATH_MAX, "%s/images/%s", root, build_id);
	return len < 0 || len >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int copy(int from, int to)
{
	ssize_t n;

	do {
		n = sendfile(to, from, NULL, 1 << 20);
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -errno : 0;
}

/* Under a name of its own first: a copy that was cut off must not look like an image. */
static int copy_whole(const char *from_path, const char *to_path)
{
	uni_cleanup_fd int from = open(from_path, O_RDONLY | O_CLOEXEC);
	uni_cleanup_fd int to = -1;
	char draft[PATH_MAX];
	int err;

	if (from < 0)
		return -errno;
	if (snprintf(draft, sizeof(draft), "%s.%d", to_path, (int)getpid()) >= (int)sizeof(draft))
		return -ENAMETOOLONG;
	to = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	err = copy(from, to);
	if (!err && rename(draft, to_path) < 0)
		err = -errno;
	if (err)
		unlink(draft);
	return err;
}

int uni_dump_image_keep(const struct uni_dump_info *info)
{
	char path[PATH_MAX], folder[PATH_MAX];
	int err = info->build_id[0] ? kept_path(info->build_id, path) : -UNI_ENOENT;

	if (err || access(path, F_OK) == 0)
		return err;
	if (!has_build_id(info->image, info->build_id, NULL))
		return -UNI_ENOENT;
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return -errno;
	return copy_whole(info->image, path);
}

bool uni_dump_image_find(const struct uni_dump_info *info, char image[PATH_MAX], char *why,
			 size_t why_size)
{
	struct uni_error error = {.text = "the dump does not say which image the guest ran"};

	if (info->build_id[0] && !kept_path(info->build_id, image) &&
	    has_build_id(image, info->build_id, NULL))
		return true;
	snprintf(image, PATH_MAX, "%s", info->image);
	if (image[0] && info->build_id[0] && has_build_id(image, info->build_id, &error))
		return true;
	if (strlen(info->build_id) > 2) {
		snprintf(image, PATH_MAX, "/usr/lib/debug/.build-id/%.2s/%s.debug", info->build_id,
			 info->build_id + 2);
		if (access(image, R_OK) == 0)
			return true;
	}
	image[0] = '\0';
	snprintf(why, why_size, "%s", error.text);
	return false;
}
