/* SPDX-License-Identifier: MIT */
/* The client of a guest against supervisors that answer, refuse, flood, and go. */
#include <criterion/criterion.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host-tools/lib/frame_stream.h"
#include "host-tools/lib/guest_client.h"
#include "host-tools/lib/registry.h"
#include "tracing/errno.h"

static char runtime[] = "/tmp/uni-client-XXXXXX";
static struct uni_registry_claim claim;
static struct uni_client *client;
static struct uni_error error;
static int listener;
static pid_t server;

static void setup(void)
{
	struct uni_guest_info info = {.name = "shop", .supervisor_pid = getpid()};

	cr_assert_not_null(mkdtemp(runtime));
	setenv("XDG_RUNTIME_DIR", runtime, 1);
	cr_assert_eq(uni_registry_claim("shop", &claim, NULL), 0);
	listener = uni_registry_listen(&claim, UNI_SOCKET_PROBE, NULL);
	cr_assert_geq(listener, 0);
	cr_assert_eq(uni_registry_publish(&claim, &info, NULL), 0);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	return remove(path);
}

static void teardown(void)
{
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	uni_client_close(client);
	uni_registry_release(&claim);
	close(listener);
	nftw(runtime, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(guest_client, .init = setup, .fini = teardown, .timeout = 30);

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Connects, and lets `serve` be the supervisor in a process of its own. */
static void connect_to(void (*serve)(int fd))
{
	int fd;

	cr_assert_eq(uni_client_open("shop", &client, &error), 0, "%s", error.text);
	while ((fd = accept(listener, NULL, NULL)) < 0)
		;
	server = fork();
	if (server == 0) {
		serve(fd);
		_exit(0);
	}
	close(fd);
}

/* The next request's header; its payload is taken too. */
static struct uni_frame next_request(int fd)
{
	struct uni_frame request;
	char payload[1024];

	if (recv(fd, &request, sizeof(request), MSG_WAITALL) != sizeof(request))
		_exit(1);
	if (request.length &&
	    recv(fd, payload, request.length, MSG_WAITALL) != (ssize_t)request.length)
		_exit(1);
	return request;
}

static void reply(int fd, uint32_t sequence, int32_t status, const char *text)
{
	char bytes[256];
	const struct uni_reply head = {.status = status, .text_len = (uint32_t)strlen(text)};

	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head), text, strlen(text));
	(void)uni_frame_write(fd, UNI_FRAME_REPLY, sequence, bytes, sizeof(head) + strlen(text));
}

static void count_frame(void *context, const struct uni_client_frame *frame)
{
	cr_assert_eq(frame->type, UNI_FRAME_BYE);
	++*(unsigned *)context;
}

static void answer_after_others(int fd)
{
	const struct uni_bye bye = {0};
	const struct uni_frame request = next_request(fd);

	(void)uni_frame_write(fd, UNI_FRAME_BYE, 0, &bye, sizeof(bye));
	(void)uni_frame_write(fd, UNI_FRAME_BYE, 0, &bye, sizeof(bye));
	reply(fd, request.sequence, request.type == UNI_FRAME_PING ? 0 : -UNI_EINVAL, "pong");
	pause();
}

Test(guest_client, a_call_gets_its_reply_and_shows_what_came_before)
{
	struct uni_client_reply answer;
	unsigned others = 0;

	connect_to(answer_after_others);
	cr_assert_eq(uni_client_call(client, UNI_FRAME_PING, NULL, 0, 5000, count_frame, &others,
				     &answer, &error),
		     0, "%s", error.text);
	cr_assert_str_eq(answer.text, "pong");
	cr_assert_eq(others, 2);
}

static void refuse(int fd)
{
	reply(fd, 12345, 0, "to somebody else");
	reply(fd, next_request(fd).sequence, -UNI_EBUSY, "\033[2Jtracing for another");
	pause();
}

Test(guest_client, a_refusal_says_who_what_and_why)
{
	connect_to(refuse);
	cr_assert_eq(uni_client_call(client, UNI_FRAME_TRACE_START, NULL, 0, 5000, NULL, NULL, NULL,
				     &error),
		     -UNI_EBUSY);
	cr_assert(strstr(error.text, "shop"), "%s", error.text);
	cr_assert(strstr(error.text, "start tracing"), "%s", error.text);
	cr_assert(strstr(error.text, "tracing for another"), "%s", error.text);
	cr_assert_null(strchr(error.text, '\033'));
}

static void flood(int fd)
{
	const struct uni_bye bye = {0};

	while (uni_frame_write(fd, UNI_FRAME_BYE, 0, &bye, sizeof(bye)) == 0)
		;
}

Test(guest_client, a_flood_does_not_outlast_the_time_limit)
{
	uint64_t start_ms = now_ms();

	connect_to(flood);
	cr_assert_eq(
		uni_client_call(client, UNI_FRAME_PING, NULL, 0, 300, NULL, NULL, NULL, &error),
		-UNI_ETIMEDOUT);
	cr_assert_lt(now_ms() - start_ms, 5000);
}

static void say_nothing(int fd)
{
	pause();
}

Test(guest_client, silence_ends_at_the_time_limit)
{
	struct uni_client_frame frame;

	connect_to(say_nothing);
	cr_assert_eq(uni_client_receive(client, &frame), 0);
	cr_assert_eq(
		uni_client_call(client, UNI_FRAME_PING, NULL, 0, 100, NULL, NULL, NULL, &error),
		-UNI_ETIMEDOUT);
}

Test(guest_client, requests_that_nobody_takes_are_bounded)
{
	static char payload[1000];
	int sent = 0;
	int result;

	connect_to(say_nothing);
	while ((result = uni_client_send(client, UNI_FRAME_PING, payload, sizeof(payload), NULL)) ==
	       0)
		cr_assert_lt(++sent, 10000);
	cr_assert_eq(result, -UNI_EAGAIN);
	cr_assert_gt(sent, 60);
}

static void say_goodbye(int fd)
{
	const struct uni_bye bye = {.status = 7};

	(void)uni_frame_write(fd, UNI_FRAME_BYE, 0, &bye, sizeof(bye));
}

Test(guest_client, the_last_words_come_before_the_end)
{
	struct uni_client_frame frame;

	connect_to(say_goodbye);
	cr_assert_eq(uni_client_wait(client, 5000, &frame), 1);
	cr_assert_eq(frame.type, UNI_FRAME_BYE);
	cr_assert_eq(uni_client_wait(client, 5000, &frame), -UNI_EIO);
	cr_assert_eq(uni_client_send(client, UNI_FRAME_PING, NULL, 0, NULL), -UNI_EIO);
	cr_assert_eq(
		uni_client_call(client, UNI_FRAME_PING, NULL, 0, 100, NULL, NULL, NULL, &error),
		-UNI_EIO);
}

static void leave_without_reading(int fd)
{
	usleep(200000);
}

Test(guest_client, a_supervisor_that_goes_is_no_signal)
{
	struct uni_client_frame frame;

	connect_to(leave_without_reading);
	for (unsigned i = 0; i < 20; i++) {
		if (uni_client_send(client, UNI_FRAME_PING, NULL, 0, NULL) < 0)
			break;
		usleep(20000);
	}
	cr_assert_eq(uni_client_wait(client, 5000, &frame), -UNI_EIO);
}

Test(guest_client, no_such_guest)
{
	cr_assert_lt(uni_client_open("nobody", &client, &error), 0);
	cr_assert_eq(error.exit_status, UNI_EXIT_NO_GUEST);
}
