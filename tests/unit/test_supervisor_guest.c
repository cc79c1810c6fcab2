/* SPDX-License-Identifier: MIT */
/* The supervisor's end of the probe port, fed by hand. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host-tools/lib/supervisor_internal.h"

static struct supervisor supervisor;
static struct uni_supervisor_options options = {.control_fd = -1, .console_fd = -1};
static int port; /* the guest's end */

static void set_up(void)
{
	int probe[2], trace[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, probe), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, trace), 0);
	port = probe[1];
	supervisor.options = &options;
	supervisor.qemu.probe_fd = probe[0];
	supervisor.qemu.trace_fd = trace[0];
	supervisor.claim.folder_fd = -1;
	cr_assert_eq(uni_event_loop_init(&supervisor.loop), 0);
	cr_assert_eq(guest_init(&supervisor), 0);
}

static void tear_down(void)
{
	guest_fini(&supervisor);
	uni_event_loop_fini(&supervisor.loop);
}

TestSuite(supervisor_guest, .init = set_up, .fini = tear_down, .timeout = 10);

static void say(uint16_t type, const void *payload, size_t len)
{
	struct uni_frame header = uni_frame_header(type, 0, len);

	cr_assert_eq(write(port, &header, sizeof(header)), sizeof(header));
	cr_assert_eq(write(port, payload, len), (ssize_t)len);
	guest_drain(&supervisor);
}

static size_t bytes_kept(void)
{
	size_t sum = 0;

	for (unsigned i = 0; i < LOG_FRAMES_KEPT; i++)
		sum += supervisor.guest.log[i].header.length;
	return sum;
}

Test(supervisor_guest, keeps_the_latest_of_the_log_within_its_limit)
{
	static uint8_t text[LOG_BYTES_KEPT + 1];

	/* Longer and shorter ones in turn, round the ring several times. */
	for (unsigned i = 0; i < 5 * LOG_FRAMES_KEPT; i++) {
		size_t len = i % 3 == 0 ? 9000 : 16 + i;

		text[0] = (uint8_t)i;
		say(UNI_FRAME_LOG, text, len);
		cr_assert_leq(bytes_kept(), LOG_BYTES_KEPT);
		cr_assert_eq(bytes_kept(), supervisor.guest.log_bytes);
		cr_assert_eq(supervisor.guest.log[i % LOG_FRAMES_KEPT].payload[0], (uint8_t)i);
	}
	cr_assert_gt(bytes_kept(), LOG_BYTES_KEPT / 2);
	say(UNI_FRAME_LOG, text, sizeof(text));
	cr_assert_leq(bytes_kept(), LOG_BYTES_KEPT, "one that is too large is not kept");
}

Test(supervisor_guest, a_frame_takes_the_place_of_a_longer_one)
{
	static uint8_t text[1024];

	/* Small enough that none is dropped for want of room. */
	for (unsigned i = 0; i < 5 * LOG_FRAMES_KEPT; i++) {
		say(UNI_FRAME_LOG, text, sizeof(text) - 2 * i);
		cr_assert_eq(bytes_kept(), supervisor.guest.log_bytes);
		cr_assert_not_null(supervisor.guest.log[i % LOG_FRAMES_KEPT].payload);
	}
}

Test(supervisor_guest, a_hello_of_another_version_or_cut_short_is_none)
{
	struct uni_hello hello = {.version = UNI_FRAME_VERSION, .header_size = sizeof(hello)};

	say(UNI_FRAME_HELLO, &hello, sizeof(hello) - 1);
	cr_assert_not(supervisor.guest.has_hello);
	hello.version++;
	say(UNI_FRAME_HELLO, &hello, sizeof(hello));
	cr_assert_not(supervisor.guest.has_hello);
}

Test(supervisor_guest, frames_that_only_a_host_sends_are_not_passed_on)
{
	say(UNI_FRAME_STATE, "state", 5);
	say(UNI_FRAME_CRASH, "crash", 5);
	say(UNI_FRAME_REPLY, "x", 1);
	say(UNI_FRAME_DUMP_DATA, "data", 4);
	cr_assert_eq(supervisor.guest.probe.decoder.frames, 4);
	cr_assert_not(supervisor.dump.panicked);
}
