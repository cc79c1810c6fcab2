/* SPDX-License-Identifier: MIT */
/* Messages are QEMU 7.2's, as its documentation (qmp-spec.txt) shows them. */
#include <criterion/criterion.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host-tools/lib/qmp.h"

static const char greeting[] =
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, "
	"\"major\": 7}, \"package\": \"\"}, \"capabilities\": [\"oob\"]}}\r\n";

static unsigned messages;
static char last[256];

static void on_message(void *context, struct json_object *message)
{
	messages++;
	snprintf(last, sizeof(last), "%s", json_object_to_json_string_ext(message, 0));
}

static int feed(struct uni_qmp_parser *parser, const char *text, size_t piece)
{
	size_t len = strlen(text);
	int status = 0;

	for (size_t at = 0; at < len && status == 0; at += piece)
		status = uni_qmp_parser_feed(parser, text + at, len - at < piece ? len - at : piece,
					     on_message, NULL);
	return status;
}

Test(qmp, messages_may_be_cut_anywhere)
{
	for (size_t piece = 1; piece < 40; piece++) {
		struct uni_qmp_parser parser;

		messages = 0;
		cr_assert_eq(uni_qmp_parser_init(&parser), 0);
		cr_assert_eq(feed(&parser, greeting, piece), 0);
		cr_assert_eq(feed(&parser,
				  "{\"return\": {}, \"id\": 1}\r\n{\"event\": \"STOP\"}\r\n",
				  piece),
			     0);
		cr_assert_eq(messages, 3, "in pieces of %zu: %u", piece, messages);
		cr_assert_str_eq(last, "{\"event\":\"STOP\"}");
		uni_qmp_parser_fini(&parser);
	}
}

static void expect_broken(const char *text)
{
	struct uni_qmp_parser parser;

	cr_assert_eq(uni_qmp_parser_init(&parser), 0);
	cr_assert_lt(feed(&parser, text, 64), 0, "%.40s", text);
	cr_assert_lt(feed(&parser, greeting, 64), 0, "broken once is broken for good");
	uni_qmp_parser_fini(&parser);
}

Test(qmp, what_is_no_object_ends_the_stream)
{
	expect_broken("hello\n");
	expect_broken("[1, 2]\n");
	expect_broken("\"text\"\n");
	expect_broken("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{"
		      "\"a\":{\"a\":"
		      "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}}}}}}}}}}\n");
}

Test(qmp, a_message_without_end_is_cut_off)
{
	struct uni_qmp_parser parser;
	size_t len = UNI_QMP_MESSAGE_MAX + 1024;
	char *text = malloc(len + 1);

	memset(text, 'a', len);
	text[len] = '\0';
	memcpy(text, "{\"a\":\"", 6);
	cr_assert_eq(uni_qmp_parser_init(&parser), 0);
	cr_assert_lt(feed(&parser, text, 4096), 0);
	uni_qmp_parser_fini(&parser);
	free(text);
}

struct seen {
	unsigned replies, failures, events;
};

static void on_event(void *context, const char *name, struct json_object *data)
{
	struct seen *seen = context;

	seen->events += strcmp(name, "SHUTDOWN") == 0 && json_object_object_get(data, "guest");
}

static void on_reply(void *context, struct json_object *result)
{
	struct seen *seen = context;

	if (result)
		seen->replies++;
	else
		seen->failures++;
}

/* Lets the loop handle what is there. */
static void turn(struct uni_event_loop *loop, int fd)
{
	struct epoll_event event;

	while (epoll_wait(loop->fd, &event, 1, 20) > 0) {
		struct uni_event_source *source = event.data.ptr;

		source->call(source->context, event.events);
	}
}

static void say(int fd, const char *text)
{
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static const char *hear(int fd)
{
	static char text[512];
	ssize_t len = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[len > 0 ? len : 0] = '\0';
	return text;
}

Test(qmp, commands_wait_for_the_greeting_and_find_their_replies)
{
	struct uni_event_loop loop;
	struct seen seen = {0};
	struct uni_qmp qmp;
	int ends[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	cr_assert_eq(uni_event_loop_init(&loop), 0);
	cr_assert_eq(uni_qmp_init(&qmp, &loop, ends[0], on_event, &seen), 0);
	cr_assert_eq(uni_qmp_execute(&qmp, "inject-nmi", NULL, on_reply, &seen), 0);
	cr_assert_str_eq(hear(ends[1]), "");
	say(ends[1], greeting);
	turn(&loop, ends[0]);
	cr_assert_str_eq(hear(ends[1]), "{\"execute\":\"qmp_capabilities\"}\n"
					"{\"execute\":\"inject-nmi\",\"id\":1}\n");
	say(ends[1], "{\"return\":{}}\r\n{\"event\":\"SHUTDOWN\",\"data\":{\"guest\":true}}\r\n");
	turn(&loop, ends[0]);
	cr_assert_eq(seen.events, 1);
	cr_assert_eq(seen.replies, 0, "the answer to qmp_capabilities is nobody's");

	cr_assert_eq(uni_qmp_execute(&qmp, "query-status", NULL, on_reply, &seen), 0);
	say(ends[1], "{\"id\":2,\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"}}\r\n"
		     "{\"id\":7,\"return\":{}}\r\n{\"id\":1,\"return\":{}}\r\n");
	turn(&loop, ends[0]);
	cr_assert_eq(seen.replies, 1);
	cr_assert_eq(seen.failures, 1);

	cr_assert_eq(uni_qmp_execute(&qmp, "stop", NULL, on_reply, &seen), 0);
	close(ends[1]);
	turn(&loop, ends[0]);
	cr_assert_eq(seen.failures, 2, "an end of the connection is told to who waits");
	cr_assert_lt(uni_qmp_execute(&qmp, "stop", NULL, on_reply, &seen), 0);
	uni_qmp_fini(&qmp);
	uni_event_loop_fini(&loop);
}
