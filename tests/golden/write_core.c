/* SPDX-License-Identifier: MIT */
/* Writes the core of a machine that never was to the file it is given: two ranges of RAM, three
 * threads. tests/golden/test_core_file.py knows what is in it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest-probe/core_writer.h"

#define LOW_SIZE 0x200000
#define HIGH 0x100000000
#define HIGH_SIZE 0x10000

static _Alignas(4096) uint8_t low[LOW_SIZE], high[HIGH_SIZE];

static int write_file(void *context, uint64_t offset, const void *bytes, size_t len)
{
	const int *fd = context;

	return pwrite(*fd, bytes, len, (off_t)offset) == (ssize_t)len ? 0 : -errno;
}

static uint64_t view(void *context, uint64_t address, size_t len, const void **bytes)
{
	*bytes = address < LOW_SIZE ? low + address : high + (address - HIGH);
	return len;
}

static void get_thread(void *context, uint32_t index, struct uni_core_thread *thread)
{
	static _Alignas(16) uint8_t fp[UNI_XSAVE_SIZE];

	thread->status.pid = (int32_t)(index * 10 + 1);
	thread->status.rip = 0x100000 + index;
	thread->status.rsp = HIGH + 0x100 * index;
	thread->status.rbx = 0xb0 + index;
	/* MXCSR (Intel SDM vol. 1, table 10-2) */
	memset(fp, 0, sizeof(fp));
	fp[24] = (uint8_t)(0x80 + index);
	fp[25] = 0x1f;
	/* XSTATE_BV, and the upper half of ymm2 (13.4) */
	fp[512] = 0x7;
	fp[576 + 2 * 16] = (uint8_t)(0xa0 + index);
	thread->fp = fp;
	thread->xcr0 = 0x7;
}

static void put_notes(void *context, struct uni_core_writer *writer)
{
	uni_core_note(writer, UNI_NOTE_PANIC, "panic", 5);
}

int main(int argc, char **argv)
{
	static const struct uni_core_ops ops = {write_file, view, get_thread, put_notes};
	static const struct uni_core_range ranges[] = {{0x1000, LOW_SIZE - 0x1000},
						       {HIGH, HIGH_SIZE}};
	const struct uni_core_info info = {
		.signal = 11,
		.signal_code = 1,
		.fault_address = 0xfa117,
		.name = "golden",
		.cmdline = "kind=none",
		.thread_count = 3,
		.range_count = 2,
		.ranges = ranges,
		.image_address = 0x100000,
	};
	static uint8_t buffer[1024];
	struct uni_core_writer writer;
	int fd = argc == 2 ? open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600) : -1;

	if (fd < 0) {
		fprintf(stderr, "usage: write_core FILE\n");
		return 2;
	}
	memcpy(low + 0x180000, "lowlands", 8);
	memcpy(high + 0x2000, "highland", 8);
	if (uni_core_init(&writer, &ops, &fd, &info, buffer, sizeof(buffer)) ||
	    uni_core_write(&writer) || ftruncate(fd, (off_t)writer.file_size)) {
		fprintf(stderr, "write_core: %s failed\n", argv[1]);
		return 1;
	}
	return close(fd);
}
