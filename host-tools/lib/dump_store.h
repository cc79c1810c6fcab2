/* SPDX-License-Identifier: MIT */
/*
 * The store of crash dumps: $XDG_STATE_HOME/uniscope/dumps/ (~/.local/state by default), mode 0700.
 *
 * A dump is a folder named by its id, a number that only rises, with two files:
 *
 *	core       the ELF core as it came, holes where nothing came
 *	info.json  what is known without reading the core; replaced atomically, never half there
 *
 * info.json exists from the start and says "incomplete", so that whatever ends a collection (a full
 * disk, a supervisor that is killed) leaves a dump that can be listed and read as far as it goes.
 *
 * Everything in a panic record, an offset or a size came from a guest and is checked here.
 *Functions return 0 or a negative errno value. Any number of processes may collect at the same
 *time; one struct uni_dump_writer belongs to one thread.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "guest-probe/probe_abi.h"
#include "host-tools/lib/error.h"

/* A core is at most the guest's RAM and this much of headers and notes. */
#define UNI_DUMP_OVERHEAD_MAX (16ull << 20)
#define UNI_DUMP_FRAMES_MAX 32
#define UNI_DUMP_TEXT_SIZE 512

/* Who wrote the core. */
enum uni_dump_source {
	UNI_DUMP_FROM_GUEST = 1, /* its panic path, over the probe port */
	UNI_DUMP_FROM_HOST = 2,	 /* the supervisor, from the RAM that it holds */
};

/* What the supervisor knows of the guest whose dump begins. */
struct uni_dump_guest {
	const char *name;
	const char *image; /* absolute path of the ELF as it was started; NULL: not known */
	uint8_t boot_id[UNI_BOOT_ID_SIZE]; /* zeroes: it never said hello */
	uint8_t build_id[UNI_BUILD_ID_MAX];
	uint32_t build_id_len;
	uint64_t memory_size; /* bytes of RAM that the host gave it: bounds the core */
	uint64_t started_unix_ns;
	enum uni_dump_source source;
	const char *cause; /* for people, where there is no panic record; else NULL */
};

/* What info.json holds. Texts are printable UTF-8, whatever the guest sent. */
struct uni_dump_info {
	uint64_t id;
	char guest[64];
	char image[PATH_MAX];			 /* "": not known */
	char boot_id[2 * UNI_BOOT_ID_SIZE + 1];	 /* hexadecimal */
	char build_id[2 * UNI_BUILD_ID_MAX + 1]; /* hexadecimal; "": none */
	enum uni_dump_source source;
	uint64_t memory_size;
	uint64_t started_unix_ns;
	uint64_t died_unix_ns;

	char cause[UNI_DUMP_TEXT_SIZE]; /* the guest's own words, or the supervisor's */
	bool has_panic;			/* the rest of this block comes from a panic record */
	uint32_t kind;			/* enum uni_panic_kind; a guest may send what has no name */
	uint32_t cpu;
	uint32_t thread;
	uint32_t vector; /* UNI_PANIC_NO_VECTOR: none */
	uint64_t error_code;
	uint64_t address;
	uint64_t pc;
	uint64_t sp;
	uint64_t uptime_ns; /* the guest's clock when it died */
	uint32_t frame_count;
	uint64_t frames[UNI_DUMP_FRAMES_MAX]; /* return addresses; [0] is pc */

	bool is_coming; /* somebody still collects it; not in info.json */
	bool complete;
	char why[UNI_DUMP_TEXT_SIZE]; /* why it is not complete; "" when it is */
	uint64_t core_size;	      /* bytes of the file, holes included */
	uint64_t data_size;	      /* bytes that came */
	uint64_t disk_size;	      /* bytes of disk that the core takes */
};

struct uni_dump_writer;

/* Opens a dump. `panic` is the payload of a UNI_FRAME_PANIC, NULL where the guest sent none; one
 * that makes no sense is kept out and noted in the cause. The dump can be listed from here on.
 * -EACCES, -ENOSPC and the like from the file system. */
int uni_dump_store_begin(const struct uni_dump_guest *guest, const void *panic, size_t panic_len,
			 struct uni_dump_writer **out, struct uni_error *error)
	__attribute__((warn_unused_result));

/* The size of the core that is to come (UNI_FRAME_DUMP_BEGIN). Optional: without it the file is as
 * long as its last byte. -UNI_EINVAL: more than the guest's RAM and UNI_DUMP_OVERHEAD_MAX. */
int uni_dump_store_set_size(struct uni_dump_writer *dump, uint64_t file_size,
			    struct uni_error *error) __attribute__((warn_unused_result));

/* Writes bytes of the core; zeroes need not be written. -UNI_EINVAL: beyond the core's end, or more
 * bytes in total than a core may have. After any error the dump takes no more data and ends as
 * incomplete; every later write returns the same error. */
int uni_dump_store_write(struct uni_dump_writer *dump, uint64_t offset, const void *bytes,
			 size_t len, struct uni_error *error) __attribute__((warn_unused_result));

/* Ends the dump and frees the writer, in any case. `status` and `data_size` are those of the
 * UNI_FRAME_DUMP_END: the dump is complete when status is 0, no write failed and as many bytes came
 * as were sent. Returns the error that made it incomplete, if it was not one of the guest. */
int uni_dump_store_finish(struct uni_dump_writer *dump, int32_t status, uint64_t data_size,
			  struct uni_error *error);

/* Ends the dump as incomplete, says why (for people), and frees the writer. NULL is fine. */
void uni_dump_store_abort(struct uni_dump_writer *dump, const char *why);

uint64_t uni_dump_store_id(const struct uni_dump_writer *dump);

/* The core's file descriptor, the writer's own: for a host-side dump that copies RAM with
 * copy_file_range(). What is written past uni_dump_store_write() counts nowhere. */
int uni_dump_store_fd(const struct uni_dump_writer *dump);

/* Every dump, newest first. *out is allocated (free() it), NULL when there is none. Folders that
 * hold no readable info.json are skipped and counted in *unreadable. A store that does not exist is
 * an empty one. Returns the number of dumps. */
ssize_t uni_dump_store_list(struct uni_dump_info **out, size_t *unreadable,
			    struct uni_error *error);

/* The dump with this id, or the newest of the guest with this name (names win where a guest is
 * called by a number). -UNI_ENOENT: neither. */
int uni_dump_store_find(const char *name_or_id, struct uni_dump_info *out, struct uni_error *error)
	__attribute__((warn_unused_result));

/* Waits, at most timeout_ms, until nobody collects the dump any more, and reads its info anew. */
void uni_dump_store_wait(struct uni_dump_info *info, unsigned timeout_ms);

/* Where the core of a dump lies. -ENAMETOOLONG. */
int uni_dump_store_core_path(uint64_t id, char *path, size_t size)
	__attribute__((warn_unused_result));

/* The folder of the store, not created. -ENOENT: neither XDG_STATE_HOME nor HOME is set. */
int uni_dump_store_path(char *path, size_t size) __attribute__((warn_unused_result));

/* "assert", "oom"...: the kind in one word, "unknown" for a number without a name. */
const char *uni_dump_kind_name(uint32_t kind);
