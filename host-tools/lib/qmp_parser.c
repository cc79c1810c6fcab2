/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <json-c/json.h>

#include "host-tools/lib/qmp.h"
#include "tracing/errno.h"

/* The deepest reply that is asked for has 4 levels; the stack of a parser must stay bounded. */
#define DEPTH_MAX 16

int uni_qmp_parser_init(struct uni_qmp_parser *parser)
{
	*parser = (struct uni_qmp_parser){.tokener = json_tokener_new_ex(DEPTH_MAX)};
	return parser->tokener ? 0 : -UNI_ENOMEM;
}

void uni_qmp_parser_fini(struct uni_qmp_parser *parser)
{
	if (parser->tokener)
		json_tokener_free(parser->tokener);
	parser->tokener = NULL;
}

/* Parses up to the end of one message; the bytes used, or 0 when the stream is broken. */
static size_t parse_one(struct uni_qmp_parser *parser, const char *data, size_t len,
			uni_qmp_message_fn call, void *context)
{
	/* json_tokener_parse_ex() takes an int; pieces of a socket are far below. */
	struct json_object *message = json_tokener_parse_ex(parser->tokener, data, (int)len);
	enum json_tokener_error outcome = json_tokener_get_error(parser->tokener);
	size_t used = json_tokener_get_parse_end(parser->tokener);

	parser->message_len += used;
	if (outcome == json_tokener_continue && parser->message_len <= UNI_QMP_MESSAGE_MAX)
		return len;
	if (outcome != json_tokener_success || parser->message_len > UNI_QMP_MESSAGE_MAX ||
	    !json_object_is_type(message, json_type_object)) {
		json_object_put(message);
		return 0;
	}
	parser->message_len = 0;
	call(context, message);
	json_object_put(message);
	return used;
}

int uni_qmp_parser_feed(struct uni_qmp_parser *parser, const char *data, size_t len,
			uni_qmp_message_fn call, void *context)
{
	while (len > 0 && !parser->failed) {
		size_t used;

		/* Between two messages there is a line break, which is no message. */
		if (parser->message_len == 0 && isspace((unsigned char)*data)) {
			data++;
			len--;
			continue;
		}
		used = parse_one(parser, data, len, call, context);
		parser->failed = used == 0;
		data += used;
		len -= used;
	}
	return parser->failed ? -UNI_EINVAL : 0;
}
