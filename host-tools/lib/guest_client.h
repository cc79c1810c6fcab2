/* SPDX-License-Identifier: MIT */
/*
 * A connection to one guest's supervisor, over `probe.sock` in the guest's runtime folder.
 *
 * Both directions speak frames (guest-probe/probe_abi.h). A client that is connected receives
 * everything that the guest sends; requests go the other way and are answered by a REPLY with the
 * same sequence number, which the supervisor keeps apart for each client.
 *
 * Two ways to use one: non-blocking in an event loop (uni_client_fd(), uni_client_events(),
 * uni_client_send(), uni_client_receive()), or blocking with a time limit (uni_client_wait(),
 * uni_client_call()). One client belongs to one thread. Memory is bounded by one frame each way;
 * nothing that the peer sends is trusted.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "guest-probe/probe_abi.h"
#include "host-tools/lib/error.h"

#define UNI_CLIENT_REPLY_SIZE 512

struct uni_client;

/* A frame as it came; the payload is valid until the next call on this client. */
struct uni_client_frame {
	uint16_t type; /* enum uni_frame_type, or a type not known here */
	uint32_t sequence;
	const void *payload;
	size_t len; /* bytes of payload */
};

/* Sees the frames that come while a call waits for its reply. */
typedef void (*uni_client_frame_fn)(void *context, const struct uni_client_frame *frame);

/* Connects to the guest `name`. -UNI_ENOENT with UNI_EXIT_NO_GUEST: it does not run. */
int uni_client_open(const char *name, struct uni_client **out, struct uni_error *error)
	__attribute__((warn_unused_result));

/* NULL is fine. */
void uni_client_close(struct uni_client *client);

/* For poll(2): the descriptor, the client's own, and what to wait for (POLLIN, and POLLOUT while
 * requests have not gone out entirely). */
int uni_client_fd(const struct uni_client *client);
short uni_client_events(const struct uni_client *client);

/*
 * Queues a request and writes what the socket takes; the rest goes out with later calls on this
 * client. *sequence (may be NULL) is what the REPLY will carry. 0; -UNI_EAGAIN: 64 KiB of requests
 * wait already, nothing was queued; -UNI_EIO: the supervisor is gone.
 */
int uni_client_send(struct uni_client *client, enum uni_frame_type type, const void *payload,
		    size_t len, uint32_t *sequence) __attribute__((warn_unused_result));

/* The next frame, without waiting: 1 with *frame, 0 when none is complete, -UNI_EIO at the end of
 * the connection. Call it until it gives 0 before polling again. */
int uni_client_receive(struct uni_client *client, struct uni_client_frame *frame)
	__attribute__((warn_unused_result));

/* The same, waiting at most timeout_ms (negative: for ever): 0 when the time is over. */
int uni_client_wait(struct uni_client *client, int timeout_ms, struct uni_client_frame *frame)
	__attribute__((warn_unused_result));

/* What a guest answered, its text sanitized. */
struct uni_client_reply {
	int32_t status; /* 0 or a negative UNI_E* */
	char text[UNI_CLIENT_REPLY_SIZE];
};

/*
 * Sends a request and waits for its REPLY. `other` (may be NULL) sees every frame that comes
 * meanwhile. 0 with *reply (may be NULL); the reply's status when that is negative; -UNI_ETIMEDOUT;
 * -UNI_EIO. The error says what was asked, of whom, and what came.
 */
int uni_client_call(struct uni_client *client, enum uni_frame_type type, const void *payload,
		    size_t len, int timeout_ms, uni_client_frame_fn other, void *context,
		    struct uni_client_reply *reply, struct uni_error *error)
	__attribute__((warn_unused_result));

/* The guest's name, as given to uni_client_open(). */
const char *uni_client_name(const struct uni_client *client);

/* Bytes that belonged to no frame, and frames too large to keep: 0 with an honest peer. */
uint64_t uni_client_skipped(const struct uni_client *client);
