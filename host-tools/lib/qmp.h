/* SPDX-License-Identifier: MIT */
/*
 * A client of QEMU's machine protocol (docs/interop/qmp-spec.txt of QEMU 7.2) on a connected
 * socket, non-blocking within an event loop.
 *
 * Commands may be given at once; they are sent after the greeting was answered. A message is at
 * most UNI_QMP_MESSAGE_MAX bytes: a longer one ends the connection, as does text that is no JSON.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host-tools/lib/byte_queue.h"
#include "host-tools/lib/event_loop.h"

struct json_object;

#define UNI_QMP_MESSAGE_MAX (256 * 1024)

/* `name` as QEMU has it ("SHUTDOWN"); `data` is NULL or an object that lives during the call. */
typedef void (*uni_qmp_event_fn)(void *context, const char *name, struct json_object *data);

/* `result` is what "return" holds, NULL when the command failed or the connection ended. */
typedef void (*uni_qmp_reply_fn)(void *context, struct json_object *result);

#define UNI_QMP_PENDING_MAX 32

struct uni_qmp_pending {
	uint32_t id; /* 0: free */
	uni_qmp_reply_fn call;
	void *context;
};

/* Splits a byte stream into JSON messages; apart from the client so that it can be fed in tests. */
struct uni_qmp_parser {
	struct json_tokener *tokener;
	size_t message_len; /* bytes of the message that is being read */
	bool failed;
};

struct uni_qmp {
	struct uni_event_loop *loop;
	struct uni_event_source source;
	int fd; /* -1: ended */
	struct uni_qmp_parser parser;
	struct uni_byte_queue out;
	bool ready; /* the greeting was answered */
	uint32_t last_id;
	struct uni_qmp_pending pending[UNI_QMP_PENDING_MAX];
	uni_qmp_event_fn event;
	void *context;
};

/* Takes the descriptor over. Returns 0 or a negative errno value. */
int uni_qmp_init(struct uni_qmp *qmp, struct uni_event_loop *loop, int fd, uni_qmp_event_fn event,
		 void *context);
void uni_qmp_fini(struct uni_qmp *qmp);

/* Takes what has come already, without waiting: for the last words of a QEMU that has ended. */
void uni_qmp_drain(struct uni_qmp *qmp);

/*
 * Executes a command; arguments is JSON text or NULL; call may be NULL. Returns 0, -UNI_EIO (the
 * connection ended) or -UNI_EBUSY (UNI_QMP_PENDING_MAX commands wait); call is only called after 0.
 */
int uni_qmp_execute(struct uni_qmp *qmp, const char *command, const char *arguments,
		    uni_qmp_reply_fn call, void *context);

/* Called with each message; an object always. */
typedef void (*uni_qmp_message_fn)(void *context, struct json_object *message);

int uni_qmp_parser_init(struct uni_qmp_parser *parser);
void uni_qmp_parser_fini(struct uni_qmp_parser *parser);

/* Returns 0, or -UNI_EINVAL for good once something was no JSON object or too long. */
int uni_qmp_parser_feed(struct uni_qmp_parser *parser, const char *data, size_t len,
			uni_qmp_message_fn call, void *context);
