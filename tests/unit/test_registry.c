/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host-tools/lib/registry.h"
#include "tracing/errno.h"

static char folder[] = "/tmp/uni-registry-XXXXXX";
static struct uni_error error;

static void set_up(void)
{
	cr_assert_not_null(mkdtemp(folder));
	setenv("XDG_RUNTIME_DIR", folder, 1);
}

static void tear_down(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
}

TestSuite(registry, .init = set_up, .fini = tear_down);

static const char *path_of(const char *rest)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/uniscope/%s", folder, rest);
	return path;
}

Test(registry, names)
{
	char longest[65];

	cr_assert(uni_guest_name_is_valid("shop"));
	cr_assert(uni_guest_name_is_valid("web-1.example_x"));
	cr_assert_not(uni_guest_name_is_valid(""));
	cr_assert_not(uni_guest_name_is_valid(".."));
	cr_assert_not(uni_guest_name_is_valid("-n"));
	cr_assert_not(uni_guest_name_is_valid("a/b"));
	cr_assert_not(uni_guest_name_is_valid("a b"));
	cr_assert_not(uni_guest_name_is_valid("gr\303\274n"));
	memset(longest, 'a', 64);
	longest[64] = '\0';
	cr_assert_not(uni_guest_name_is_valid(longest));
	longest[63] = '\0';
	cr_assert(uni_guest_name_is_valid(longest));
}

Test(registry, what_is_published_is_found_until_it_is_released)
{
	struct uni_guest_info guest = {.name = "shop",
				       .image = "/tmp/with \"quotes\".elf",
				       .build_id = "abcd",
				       .machine = "q35",
				       .arguments = "load=4 \\ \n",
				       .cpus = 2,
				       .memory_mib = 64,
				       .qemu_pid = 7,
				       .started_unix_ns = 1795476323608684818};
	struct uni_guest_info found;
	struct uni_registry_claim claim;
	struct uni_guest_info *list;
	struct stat status;
	size_t count;

	cr_assert_eq(uni_registry_claim("shop", &claim, &error), 0, "%s", error.text);
	cr_assert_eq(uni_registry_list(&list, &count, &error), 0);
	cr_assert_eq(count, 0, "not published yet");
	free(list);
	cr_assert_eq(uni_registry_publish(&claim, &guest, &error), 0);
	cr_assert_eq(uni_registry_list(&list, &count, &error), 0);
	cr_assert_eq(count, 1);
	free(list);
	cr_assert_eq(uni_registry_find("shop", &found, &error), 0);
	cr_assert_str_eq(found.image, guest.image);
	cr_assert_str_eq(found.arguments, guest.arguments);
	cr_assert_eq(found.cpus, 2);
	cr_assert_eq(found.started_unix_ns, guest.started_unix_ns);
	cr_assert_eq(stat(path_of("shop"), &status), 0);
	cr_assert_eq(status.st_mode & 0777, 0700);

	uni_registry_release(&claim);
	cr_assert_neq(access(path_of("shop"), F_OK), 0);
	cr_assert_lt(uni_registry_find("shop", &found, &error), 0);
	cr_assert_eq(error.exit_status, UNI_EXIT_NO_GUEST);
}

Test(registry, a_name_is_taken_once)
{
	struct uni_registry_claim claim, second;

	cr_assert_eq(uni_registry_claim("shop", &claim, &error), 0);
	cr_assert_eq(uni_registry_claim("shop", &second, &error), -UNI_EEXIST);
	cr_assert_not_null(strstr(error.text, "cannot start shop: a guest of this name runs"));
	uni_registry_release(&claim);
	cr_assert_eq(uni_registry_claim("shop", &second, &error), 0);
	uni_registry_release(&second);
}

/* A supervisor that was killed: its folder is there, its lock is free. */
static void leave_stale(const char *name)
{
	pid_t child = fork();

	if (child == 0) {
		struct uni_guest_info guest = {.name = "shop"};
		struct uni_registry_claim claim;

		if (uni_registry_claim(name, &claim, NULL) < 0 ||
		    uni_registry_publish(&claim, &guest, NULL) < 0 ||
		    uni_registry_listen(&claim, UNI_SOCKET_PROBE, NULL) < 0)
			_exit(1);
		raise(SIGKILL);
	}
	cr_assert_eq(waitpid(child, &(int){0}, 0), child);
	cr_assert_eq(access(path_of("shop/probe.sock"), F_OK), 0);
}

Test(registry, a_stale_guest_is_removed_by_whoever_lists)
{
	struct uni_guest_info *list;
	size_t count;

	leave_stale("shop");
	cr_assert_eq(uni_registry_list(&list, &count, &error), 0);
	cr_assert_eq(count, 0);
	cr_assert_neq(access(path_of("shop"), F_OK), 0);
	free(list);
}

Test(registry, a_stale_name_is_taken_over_with_its_sockets)
{
	struct uni_registry_claim claim;
	int fd;

	leave_stale("shop");
	cr_assert_eq(uni_registry_claim("shop", &claim, &error), 0, "%s", error.text);
	fd = uni_registry_listen(&claim, UNI_SOCKET_PROBE, &error);
	cr_assert_geq(fd, 0, "%s", error.text);
	close(fd);
	uni_registry_release(&claim);
}

Test(registry, a_path_that_is_taken_is_told)
{
	struct uni_registry_claim claim;

	cr_assert_eq(uni_registry_claim("shop", &claim, &error), 0);
	cr_assert_eq(mkdir(path_of("shop/gdb.sock"), 0700), 0);
	cr_assert_lt(uni_registry_listen(&claim, UNI_SOCKET_GDB, &error), 0);
	cr_assert_not_null(strstr(error.text, "Address already in use; remove what is there"));
	rmdir(path_of("shop/gdb.sock"));
	uni_registry_release(&claim);
}

Test(registry, a_path_that_is_too_long_is_told)
{
	struct uni_registry_claim claim;
	char deep[128];

	memset(deep, 'd', sizeof(deep));
	memcpy(deep, folder, strlen(folder));
	deep[strlen(folder)] = '/';
	deep[100] = '\0';
	cr_assert_eq(mkdir(deep, 0700), 0);
	setenv("XDG_RUNTIME_DIR", deep, 1);
	cr_assert_eq(uni_registry_claim("shop", &claim, &error), -ENAMETOOLONG);
	cr_assert_not_null(strstr(error.text, "set XDG_RUNTIME_DIR to a shorter path"));
}

Test(registry, a_folder_that_others_can_enter_is_refused)
{
	struct uni_registry_claim claim;

	cr_assert_eq(mkdir(path_of(""), 0700), 0);
	cr_assert_eq(chmod(path_of(""), 0755), 0);
	cr_assert_eq(uni_registry_claim("shop", &claim, &error), -EPERM);
	cr_assert_not_null(strstr(error.text, "others can enter it"));
}

Test(registry, a_broken_file_is_no_guest)
{
	static const char *const contents[] = {"", "[1, {", "[]", "\"text\"", "{\"name\""};
	struct uni_registry_claim claim;
	struct uni_guest_info found;

	cr_assert_eq(uni_registry_claim("shop", &claim, &error), 0);
	for (unsigned i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		int fd = open(path_of("shop/guest.json"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
		ssize_t len = (ssize_t)strlen(contents[i]);

		cr_assert_eq(write(fd, contents[i], (size_t)len), len);
		close(fd);
		cr_assert_lt(uni_registry_find("shop", &found, &error), 0, "%s", contents[i]);
	}
	uni_registry_release(&claim);
}
