/* SPDX-License-Identifier: MIT */
/*
 * uniscope load: sends requests to the shop in a guest (docs/formats/app.md) at a steady pace and
 * prints how long the answers took. A latency counts from the moment the request was due, so that a
 * guest that stalls cannot hide it by holding the sender up.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "host-tools/command.h"
#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/quantity.h"
#include "host-tools/lib/registry.h"
#include "tracing/errno.h"

#define NS_PER_S 1000000000ull
#define REQUESTS_MAX 20000000ull
#define SHOP_ITEMS 64
#define LAST_ANSWERS_NS (5 * NS_PER_S)

struct values {
	uint64_t rate;
	uint64_t duration_ms;
};

struct load {
	int fd;
	uint64_t total; /* requests to send */
	uint64_t interval_ns;
	uint64_t started_ns;
	uint64_t sent, answered, refused;
	uint64_t *latencies_ns; /* of those answered */
	bool *is_answered;	/* by tag */
	bool is_closed;
	char line[128];
	size_t line_len;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t due_ns(const struct load *load, uint64_t tag)
{
	return load->started_ns + tag * load->interval_ns;
}

/* Sends what is due. False: the guest is gone. A full socket leaves the rest for the next turn. */
static bool send_due(struct load *load)
{
	while (load->sent < load->total && due_ns(load, load->sent) <= now_ns()) {
		char text[64];
		int len = snprintf(text, sizeof(text), "%llu order %llu %llu\n",
				   (unsigned long long)load->sent,
				   (unsigned long long)(load->sent * 7 % SHOP_ITEMS),
				   (unsigned long long)(1 + load->sent % 9));
		ssize_t n = send(load->fd, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		/* Part of a line cannot be taken back: one answer less. */
		if (n < 0)
			return false;
		load->sent++;
	}
	return true;
}

static void take_answer(struct load *load)
{
	char *end;
	uint64_t tag = strtoull(load->line, &end, 10);

	if (end == load->line || tag >= load->sent || load->is_answered[tag])
		return;
	load->is_answered[tag] = true;
	if (strncmp(end, " ok", 3))
		load->refused++;
	load->latencies_ns[load->answered++] = now_ns() - due_ns(load, tag);
}

static void receive(struct load *load)
{
	char bytes[4096];
	ssize_t len = recv(load->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR))
		load->is_closed = true;
	for (ssize_t i = 0; i < len; i++) {
		if (bytes[i] != '\n') {
			if (load->line_len + 1 < sizeof(load->line))
				load->line[load->line_len++] = bytes[i];
			continue;
		}
		load->line[load->line_len] = '\0';
		load->line_len = 0;
		take_answer(load);
	}
}

/* Milliseconds until there is something to send, or to give up; 0 when it is over. */
static int next_wait_ms(const struct load *load)
{
	uint64_t now = now_ns();
	uint64_t until = load->sent < load->total ? due_ns(load, load->sent)
						  : due_ns(load, load->total) + LAST_ANSWERS_NS;

	if (until <= now)
		return load->sent < load->total;
	return (int)((until - now) / 1000000) + 1;
}

static void run_load(struct load *load)
{
	load->started_ns = now_ns();
	while (!load->is_closed && load->answered < load->total) {
		struct pollfd wait = {.fd = load->fd, .events = POLLIN};
		int timeout_ms;

		if (!send_due(load))
			return;
		timeout_ms = next_wait_ms(load);
		if (!timeout_ms)
			return;
		if (poll(&wait, 1, timeout_ms) > 0)
			receive(load);
	}
}

static int compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static void print_percentile(const struct load *load, const char *name, unsigned permille)
{
	uint64_t place = (load->answered * permille + 999) / 1000;
	char text[UNI_QUANTITY_SIZE];

	printf("  %s %s", name,
	       uni_quantity_duration(text, sizeof(text),
				     load->latencies_ns[place ? place - 1 : 0]));
}

static void print_result(struct load *load, const char *guest)
{
	double seconds = (double)(now_ns() - load->started_ns) / (double)NS_PER_S;

	printf("%s  %llu requests in %.1f s (%.0f/s), %llu answered, %llu refused, %llu lost\n",
	       guest, (unsigned long long)load->sent, seconds,
	       seconds > 0 ? (double)load->answered / seconds : 0,
	       (unsigned long long)load->answered, (unsigned long long)load->refused,
	       (unsigned long long)(load->sent - load->answered));
	if (!load->answered)
		return;
	qsort(load->latencies_ns, load->answered, sizeof(*load->latencies_ns), compare);
	printf("latency");
	print_percentile(load, "p50", 500);
	print_percentile(load, "p90", 900);
	print_percentile(load, "p99", 990);
	print_percentile(load, "max", 1000);
	printf("\n");
}

static int run(const void *values, const struct uni_arguments *arguments, struct uni_error *error)
{
	const struct values *wanted = values;
	const char *name = arguments->positional[0];
	uint64_t total = wanted->rate * wanted->duration_ms / 1000;
	uni_cleanup_free uint64_t *latencies_ns = NULL;
	uni_cleanup_free bool *is_answered = NULL;
	uni_cleanup_fd int fd = -1;
	struct uni_guest_info guest;
	struct load load;
	int err = uni_registry_find(name, &guest, error);

	if (err < 0)
		return err;
	if (!total || total > REQUESTS_MAX)
		return uni_error_usage(error,
				       "%llu requests cannot be sent; between 1 and %llu can",
				       (unsigned long long)total, REQUESTS_MAX);
	fd = uni_registry_connect(&guest, UNI_SOCKET_APP, error);
	if (fd < 0)
		return uni_error_prefix(error, "cannot send requests to %s", name);
	latencies_ns = calloc(total, sizeof(*latencies_ns));
	is_answered = calloc(total, sizeof(*is_answered));
	if (!latencies_ns || !is_answered)
		return uni_error_set(error, -UNI_ENOMEM, "cannot send requests: out of memory");
	load = (struct load){.fd = fd,
			     .total = total,
			     .interval_ns = NS_PER_S / wanted->rate,
			     .latencies_ns = latencies_ns,
			     .is_answered = is_answered};
	run_load(&load);
	if (!load.answered)
		return uni_error_set(error, -UNI_ETIMEDOUT,
				     "%s answered none of %llu requests; is it a shop?", name,
				     (unsigned long long)load.sent);
	print_result(&load, name);
	return load.answered == load.total ? UNI_EXIT_OK : UNI_EXIT_FAILED;
}

static const struct uni_option option_list[] = {
	UNI_OPTION_NUMBER(struct values, rate, "rate", 'r', "N", 1, 100000,
			  "requests a second (default 100)"),
	UNI_OPTION_DECIMAL(struct values, duration_ms, "duration", 'd', "S", 0, 3600, 1000,
			   "seconds to send for (default 5)"),
};

static const struct uni_options options = {
	.arguments = "NAME",
	.details = "Talks to the demo application, shop. A latency counts from the moment its\n"
		   "request was due.",
	.list = option_list,
	.count = sizeof(option_list) / sizeof(option_list[0]),
	.defaults = &(const struct values){.rate = 100, .duration_ms = 5000},
	.values_size = sizeof(struct values),
	.positional_min = 1,
	.positional_max = 1,
};

extern const struct command command_load;
const struct command command_load = {
	.name = "load",
	.summary = "send requests to the shop in a guest",
	.options = &options,
	.run = run,
};
