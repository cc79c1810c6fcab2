/* SPDX-License-Identifier: MIT */
#include "host-tools/guest_state.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "guest-probe/probe_abi.h"
#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/cursor.h"
#include "host-tools/lib/frame_stream.h"

static const char *const names[] = {
	[UNI_GUEST_BOOTING] = "booting", [UNI_GUEST_RUNNING] = "running",
	[UNI_GUEST_PAUSED] = "paused",	 [UNI_GUEST_DEBUGGED] = "debugged",
	[UNI_GUEST_CRASHED] = "crashed", [UNI_GUEST_DUMPING] = "dumping",
	[UNI_GUEST_EXITED] = "exited",
};

/* The first frame that a supervisor sends is the state. */
static uint32_t read_state(int fd)
{
	uint8_t data[sizeof(struct uni_frame) + sizeof(struct uni_guest_state)];
	struct uni_cursor cursor;
	uint32_t magic, state;
	uint16_t type;

	if (recv(fd, data, sizeof(data), MSG_WAITALL) != (ssize_t)sizeof(data))
		return 0;
	uni_cursor_init(&cursor, data, sizeof(data), "STATE frame");
	magic = uni_cursor_u32(&cursor);
	type = uni_cursor_u16(&cursor);
	uni_cursor_skip(&cursor, sizeof(struct uni_frame) - 6);
	state = uni_cursor_u32(&cursor);
	return magic == UNI_FRAME_MAGIC && type == UNI_FRAME_STATE ? state : 0;
}

const char *guest_state_name(const struct uni_guest_info *guest)
{
	struct timeval limit = {.tv_sec = 1};
	uni_cleanup_fd int fd = uni_registry_connect(guest, UNI_SOCKET_PROBE, NULL);
	uint32_t state;

	if (fd < 0)
		return "stuck";
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	state = read_state(fd);
	return state < sizeof(names) / sizeof(names[0]) && names[state] ? names[state] : "stuck";
}
