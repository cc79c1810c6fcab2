/* SPDX-License-Identifier: MIT */
/*
 * The runtime folder: where the guests of this user are found by name.
 *
 * ROOT/NAME/ holds the sockets of one guest, guest.json, and `lock`, on which the supervisor holds
 * a flock(2) as long as it lives: a folder whose lock can be taken is stale and is removed by
 * whoever sees it. ROOT is $XDG_RUNTIME_DIR/uniscope, for root without it /run/uniscope, else
 * /tmp/uniscope-UID. Folders have mode 0700; one of another owner is refused.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "host-tools/lib/error.h"

/* Bytes of a guest's name with its NUL; a name is [A-Za-z0-9][A-Za-z0-9._-]{0,62}. */
#define UNI_GUEST_NAME_SIZE 64

/* sun_path of unix(7), with its NUL. */
#define UNI_SOCKET_PATH_SIZE 108

#define UNI_SOCKET_PROBE "probe.sock"	  /* frames, any number of clients */
#define UNI_SOCKET_GDB "gdb.sock"	  /* remote protocol, one gdb */
#define UNI_SOCKET_CONSOLE "console.sock" /* bytes, any number of clients */
#define UNI_SOCKET_QEMU_GDB "qemu.sock"	  /* QEMU's own gdb stub, from when it is asked for */
#define UNI_SOCKET_APP "app.sock"	  /* bytes of the application's port, one client */

/* guest.json. Texts are empty and numbers 0 where something is not known. */
struct uni_guest_info {
	char name[UNI_GUEST_NAME_SIZE];
	char image[PATH_MAX];  /* absolute */
	char build_id[65];     /* hexadecimal */
	char boot_id[33];      /* hexadecimal; known after the hello */
	char machine[16];      /* "microvm", "q35" */
	char accel[8];	       /* "tcg", "kvm" */
	char arguments[1024];  /* of the guest, as its command line has them */
	char folder[PATH_MAX]; /* of the sockets; not in the file */
	uint32_t cpus;
	uint32_t memory_mib;
	pid_t supervisor_pid;
	pid_t qemu_pid;
	uint64_t started_unix_ns;
};

bool uni_guest_name_is_valid(const char *name);

/* ROOT. Creates it, and checks owner and mode. path has PATH_MAX bytes. */
int uni_registry_root(char *path, struct uni_error *error);

/*
 * The guests that run, sorted by name, for free(). Folders of dead supervisors are removed on the
 * way. A guest that starts right now and has no guest.json yet is left out.
 */
int uni_registry_list(struct uni_guest_info **guests, size_t *count, struct uni_error *error);

/* One of them. Fails with UNI_EXIT_NO_GUEST and the names of those that run. */
int uni_registry_find(const char *name, struct uni_guest_info *guest, struct uni_error *error);

/* A connected stream socket of a guest; returns the descriptor (CLOEXEC) or a negative code. */
int uni_registry_connect(const struct uni_guest_info *guest, const char *socket_name,
			 struct uni_error *error);

/* The supervisor's side: a name that is held. */
struct uni_registry_claim {
	char folder[PATH_MAX];
	int folder_fd;
	int lock_fd;
};

/*
 * Takes a name and makes its folder. Fails with -UNI_EEXIST when a guest of this name runs, and
 * when a socket's path in the folder would be longer than UNI_SOCKET_PATH_SIZE - 1.
 */
int uni_registry_claim(const char *name, struct uni_registry_claim *claim, struct uni_error *error);

/* Writes guest.json, replacing an older one as a whole. */
int uni_registry_publish(const struct uni_registry_claim *claim, const struct uni_guest_info *guest,
			 struct uni_error *error);

/* A listening socket in the folder, mode 0600, CLOEXEC and non-blocking; the descriptor. */
int uni_registry_listen(const struct uni_registry_claim *claim, const char *socket_name,
			struct uni_error *error);

/* Removes the folder with all in it, and gives the name free. */
void uni_registry_release(struct uni_registry_claim *claim);
