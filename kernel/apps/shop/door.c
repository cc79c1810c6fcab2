/* SPDX-License-Identifier: MIT */
/* Customers from outside: lines over the application's port (docs/formats/app.md). */
#include "kernel/apps/shop/shop.h"
#include "kernel/format.h"
#include "kernel/port.h"
#include "kernel/thread.h"

#define ANSWER_TIMEOUT_MS 1000
#define ANSWER_SIZE 96

static struct port *port;

/* What came of a line; one that is too long is dropped to its end. */
struct line {
	char text[96];
	size_t len;
	bool too_long;
};

static void door_admit(const char *text, size_t len)
{
	struct request *request;
	uint64_t tag = 0;
	size_t at = 0;

	for (; at < len && text[at] >= '0' && text[at] <= '9'; at++)
		tag = tag * 10 + (uint64_t)(text[at] - '0');
	while (at < len && text[at] == ' ')
		at++;
	if (at == len)
		return;
	request = request_create(text + at, len - at);
	request->tag = tag;
	request->wants_answer = true;
	shop_submit(request);
}

static void door_take(struct line *line, char c)
{
	if (c != '\n') {
		if (line->len < sizeof(line->text))
			line->text[line->len++] = c;
		else
			line->too_long = true;
		return;
	}
	if (!line->too_long)
		door_admit(line->text, line->len);
	line->len = 0;
	line->too_long = false;
}

static int door(void *argument)
{
	struct line line = {.len = 0};
	char bytes[512];

	(void)argument;
	for (;;) {
		long len = port_read_wait(port, bytes, sizeof(bytes), -1);

		if (len < 0)
			return (int)len;
		for (long i = 0; i < len; i++)
			door_take(&line, bytes[i]);
	}
}

void door_start(void)
{
	port = port_find(PORT_NAME_APP);
	if (port)
		thread_spawn("door", door, NULL);
}

void door_answer(const struct request *request, const char *answer)
{
	char text[ANSWER_SIZE];
	size_t len = format_text(text, sizeof(text), "%llu %s\n", (unsigned long long)request->tag,
				 answer);
	struct port_iov iov = {.base = text, .len = len < sizeof(text) ? len : sizeof(text) - 1};

	(void)port_write_wait(port, &iov, 1, ANSWER_TIMEOUT_MS);
}
