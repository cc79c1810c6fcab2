/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/qmp.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tracing/errno.h"

#define OUT_LIMIT (64 * 1024)

static void end_connection(struct uni_qmp *qmp)
{
	if (qmp->fd < 0)
		return;
	uni_event_source_remove(qmp->loop, &qmp->source);
	close(qmp->fd);
	qmp->fd = -1;
	for (unsigned i = 0; i < UNI_QMP_PENDING_MAX; i++) {
		struct uni_qmp_pending pending = qmp->pending[i];

		qmp->pending[i].id = 0;
		if (pending.id && pending.call)
			pending.call(pending.context, NULL);
	}
}

static void flush(struct uni_qmp *qmp)
{
	/* Before the greeting was answered nothing but that answer may go out. */
	if (!qmp->ready || qmp->fd < 0)
		return;
	if (uni_byte_queue_flush(&qmp->out, qmp->fd) < 0) {
		end_connection(qmp);
		return;
	}
	uni_event_source_want(qmp->loop, &qmp->source,
			      uni_byte_queue_len(&qmp->out) ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void answer_greeting(struct uni_qmp *qmp)
{
	static const char answer[] = "{\"execute\":\"qmp_capabilities\"}\n";

	/* A fresh socket takes these few bytes. */
	if (qmp->ready || write(qmp->fd, answer, sizeof(answer) - 1) != sizeof(answer) - 1)
		return;
	qmp->ready = true;
	flush(qmp);
}

static void take_reply(struct uni_qmp *qmp, struct json_object *message)
{
	struct json_object *id = NULL, *result = NULL;
	uint32_t number;

	if (!json_object_object_get_ex(message, "id", &id))
		return;
	json_object_object_get_ex(message, "return", &result);
	number = (uint32_t)json_object_get_int64(id);
	for (unsigned i = 0; number && i < UNI_QMP_PENDING_MAX; i++) {
		struct uni_qmp_pending pending = qmp->pending[i];

		if (pending.id != number)
			continue;
		qmp->pending[i].id = 0;
		if (pending.call)
			pending.call(pending.context, result);
		return;
	}
}

static void take_message(void *context, struct json_object *message)
{
	struct uni_qmp *qmp = context;
	struct json_object *name, *data = NULL;

	if (json_object_object_get_ex(message, "QMP", &name)) {
		answer_greeting(qmp);
	} else if (json_object_object_get_ex(message, "event", &name)) {
		json_object_object_get_ex(message, "data", &data);
		qmp->event(qmp->context, json_object_get_string(name), data);
	} else {
		take_reply(qmp, message);
	}
}

/* Returns false when there is nothing more to read now. */
static bool read_socket(struct uni_qmp *qmp)
{
	char data[16 * 1024];
	ssize_t len = read(qmp->fd, data, sizeof(data));

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return errno == EINTR;
	if (len <= 0 || uni_qmp_parser_feed(&qmp->parser, data, (size_t)len, take_message, qmp) < 0)
		end_connection(qmp);
	return qmp->fd >= 0;
}

static void on_socket(void *context, uint32_t events)
{
	struct uni_qmp *qmp = context;

	if (events & EPOLLOUT)
		flush(qmp);
	if (qmp->fd >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		read_socket(qmp);
}

void uni_qmp_drain(struct uni_qmp *qmp)
{
	while (qmp->fd >= 0 && read_socket(qmp))
		;
}

int uni_qmp_init(struct uni_qmp *qmp, struct uni_event_loop *loop, int fd, uni_qmp_event_fn event,
		 void *context)
{
	int status;

	*qmp = (struct uni_qmp){.loop = loop, .fd = fd, .event = event, .context = context};
	uni_byte_queue_init(&qmp->out, OUT_LIMIT);
	status = uni_qmp_parser_init(&qmp->parser);
	return status < 0 ? status
			  : uni_event_source_add(loop, &qmp->source, fd, EPOLLIN, on_socket, qmp);
}

void uni_qmp_fini(struct uni_qmp *qmp)
{
	end_connection(qmp);
	uni_qmp_parser_fini(&qmp->parser);
	uni_byte_queue_fini(&qmp->out);
}

static struct uni_qmp_pending *free_pending(struct uni_qmp *qmp)
{
	for (unsigned i = 0; i < UNI_QMP_PENDING_MAX; i++)
		if (qmp->pending[i].id == 0)
			return &qmp->pending[i];
	return NULL;
}

int uni_qmp_execute(struct uni_qmp *qmp, const char *command, const char *arguments,
		    uni_qmp_reply_fn call, void *context)
{
	struct uni_qmp_pending *pending = free_pending(qmp);
	char text[1024];
	int len;

	if (qmp->fd < 0)
		return -UNI_EIO;
	if (!pending)
		return -UNI_EBUSY;
	if (++qmp->last_id == 0)
		qmp->last_id = 1;
	len = snprintf(text, sizeof(text), "{\"execute\":\"%s\",\"id\":%u%s%s}\n", command,
		       qmp->last_id, arguments ? ",\"arguments\":" : "",
		       arguments ? arguments : "");
	if (len >= (int)sizeof(text) || !uni_byte_queue_put(&qmp->out, text, (size_t)len))
		return -UNI_EBUSY;
	*pending = (struct uni_qmp_pending){.id = qmp->last_id, .call = call, .context = context};
	flush(qmp);
	return 0;
}
