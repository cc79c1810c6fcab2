/* SPDX-License-Identifier: MIT */
#include "tests/tui/fake_guest.h"

#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest-probe/probe_abi.h"
#include "host-tools/lib/frame_stream.h"
#include "host-tools/lib/registry.h"

#define GUESTS_MAX 16
#define CLIENTS_MAX 32
#define CROWD 300
#define CROWD_FRAME 240
#define MIB (1024ull * 1024)

struct fake {
	char name[UNI_GUEST_NAME_SIZE];
	struct uni_registry_claim claim;
	int listener;
};

struct client {
	int fd;
	const struct fake *guest;
	struct uni_frame_decoder decoder;
};

static struct fake fakes[GUESTS_MAX];
static struct client clients[CLIENTS_MAX];
static size_t fake_count, client_count;
static volatile sig_atomic_t ended;

static uint64_t now_ns(void)
{
	static uint64_t start;
	struct timespec now;
	uint64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	if (!start)
		start = ns;
	return ns - start + 3600ull * 1000000000; /* up for an hour */
}

static bool is(const struct fake *guest, const char *name)
{
	return strcmp(guest->name, name) == 0;
}

static void send_frame(int fd, enum uni_frame_type type, uint32_t sequence, const void *payload,
		       size_t len)
{
	(void)uni_frame_write(fd, type, sequence, payload, len);
}

/* A table's head and records in one buffer. */
static void send_table(int fd, enum uni_frame_type type, uint64_t time_ns, const void *records,
		       uint32_t count, uint32_t total, size_t record_size)
{
	static uint8_t buffer[64 * 1024];
	const struct uni_table table = {
		.tsc = time_ns,
		.time_ns = time_ns,
		.count = count,
		.total = total,
		.record_size = (uint16_t)record_size,
	};

	memcpy(buffer, &table, sizeof(table));
	memcpy(buffer + sizeof(table), records, count * record_size);
	send_frame(fd, type, 0, buffer, sizeof(table) + count * record_size);
}

static void send_hello(const struct client *client)
{
	const bool alpha = is(client->guest, "alpha");
	static const char cmdline[] = "load=40 leak=1048576";
	struct {
		struct uni_hello hello;
		char cmdline[sizeof(cmdline) - 1];
	} __attribute__((packed)) frame = {
		.hello =
			{
				.version = UNI_FRAME_VERSION,
				.header_size = sizeof(struct uni_hello),
				.cpu_count = alpha ? 2 : 1,
				.boot_id = {1, 2, 3},
				.build_id = {0x7f, 0x3a, 0x10, 0x22},
				.build_id_len = 20,
				.features = UNI_FEATURE_GDB | UNI_FEATURE_TRACE,
				.tsc_hz = 2500000000,
				.memory_size = 64 * MIB,
				.clock_method = UNI_CLOCK_CPUID,
				.interval_ms = 1000,
				.application = "shop",
				.kernel = "uniscope 0.1.0",
				.cmdline_len = sizeof(cmdline) - 1,
			},
	};
	static const struct uni_metric_desc metrics[] = {
		{.id = 1, .kind = UNI_METRIC_GAUGE, .unit = UNI_UNIT_BYTES, .name = "heap.used"},
		{.id = 2, .kind = UNI_METRIC_GAUGE, .unit = UNI_UNIT_BYTES, .name = "heap.total"},
		{.id = 3, .kind = UNI_METRIC_COUNTER, .name = "app.requests"},
		{.id = 4,
		 .kind = UNI_METRIC_GAUGE,
		 .unit = UNI_UNIT_NS,
		 .name = "app.latency_p99_ns"},
	};

	memcpy(frame.cmdline, cmdline, sizeof(frame.cmdline));
	send_frame(client->fd, UNI_FRAME_HELLO, 0, &frame, sizeof(frame));
	send_table(client->fd, UNI_FRAME_METRIC_TABLE, now_ns(), metrics, alpha ? 4 : 2,
		   alpha ? 4 : 2, sizeof(metrics[0]));
}

static void send_metrics(const struct client *client, uint64_t time_ns)
{
	const bool alpha = is(client->guest, "alpha");
	const uint64_t leaked =
		alpha ? (time_ns - 3600ull * 1000000000) / 1000 * 64 / 1000 * 1024 / 1000 : 0;
	const struct uni_metric_value values[] = {
		{.id = 1, .value = 20 * MIB + leaked},
		{.id = 2, .value = 60 * MIB},
		{.id = 3, .value = time_ns / 2000000},
		{.id = 4, .value = 3100000},
	};

	send_table(client->fd, UNI_FRAME_METRICS, time_ns, values, alpha ? 4 : 2, alpha ? 4 : 2,
		   sizeof(values[0]));
}

static void send_cpus(const struct client *client, uint64_t time_ns)
{
	const struct uni_cpu_record records[] = {
		{.cpu = 0,
		 .busy_ns = time_ns / 10 * 3,
		 .idle_ns = time_ns / 10 * 7,
		 .switches = time_ns / 1000000},
		{.cpu = 1,
		 .busy_ns = time_ns / 10 * 7,
		 .irq_ns = time_ns / 10,
		 .idle_ns = time_ns / 10 * 2,
		 .switches = time_ns / 2000000,
		 .ready = 1},
	};

	send_table(client->fd, UNI_FRAME_CPUS, time_ns, records, is(client->guest, "alpha") ? 2 : 1,
		   is(client->guest, "alpha") ? 2 : 1, sizeof(records[0]));
}

static void send_alpha_threads(const struct client *client, uint64_t time_ns)
{
	const uint64_t second = 1000000000;
	const struct uni_thread_record records[] = {
		{.id = 1,
		 .name = "idle/0",
		 .flags = UNI_THREAD_IDLE,
		 .state = UNI_THREAD_RUNNING,
		 .run_ns = time_ns / 10 * 7,
		 .stack_size = 16384,
		 .stack_used = 512},
		{.id = 2,
		 .name = "dispatcher",
		 .state = UNI_THREAD_READY,
		 .priority = 16,
		 .run_ns = time_ns / 100 * 22,
		 .switches = time_ns / 500000,
		 .stack_size = 16384,
		 .stack_used = 3174},
		{.id = 3,
		 .name = "worker-1",
		 .state = UNI_THREAD_BLOCKED,
		 .priority = 16,
		 .cpu = 1,
		 .wait_kind = UNI_WAIT_MUTEX,
		 .wait_owner = 4,
		 .wait_object = 0x1000,
		 .wait_since_ns = time_ns - 12000000,
		 .wait_name = "orders",
		 .run_ns = time_ns / 100 * 9,
		 .switches = time_ns / 10000000,
		 .stack_size = 16384,
		 .stack_used = 15000},
		{.id = 4,
		 .name = "worker-2",
		 .state = UNI_THREAD_RUNNING,
		 .priority = 16,
		 .cpu = 1,
		 .flags = UNI_THREAD_PINNED,
		 .run_ns = time_ns / 100 * 65,
		 .stack_size = 16384,
		 .stack_used = 2048},
		{.id = 5,
		 .name = "timer",
		 .state = UNI_THREAD_SLEEPING,
		 .priority = 20,
		 .wait_kind = UNI_WAIT_SLEEP,
		 .wait_since_ns = time_ns - second / 2,
		 .run_ns = time_ns / 1000,
		 .stack_size = 16384,
		 .stack_used = 900},
	};

	send_table(client->fd, UNI_FRAME_THREADS, time_ns, records, 5, 5, sizeof(records[0]));
}

static void send_crowd_threads(const struct client *client, uint64_t time_ns)
{
	static struct uni_thread_record records[CROWD];

	for (uint32_t i = 0; i < CROWD; i++) {
		records[i] = (struct uni_thread_record){
			.id = i + 1,
			.state = UNI_THREAD_READY,
			.run_ns = time_ns / 1000,
			.stack_size = 16384,
			.stack_used = 1024,
		};
		snprintf(records[i].name, sizeof(records[i].name), "member-%u", i + 1);
	}
	send_table(client->fd, UNI_FRAME_THREADS, time_ns, records, CROWD_FRAME, CROWD,
		   sizeof(records[0]));
	send_table(client->fd, UNI_FRAME_THREADS, time_ns, records + CROWD_FRAME,
		   CROWD - CROWD_FRAME, CROWD, sizeof(records[0]));
}

static void send_threads(const struct client *client, uint64_t time_ns)
{
	const struct uni_thread_record evil = {
		.id = 1,
		.name = "\033[2J\033]0;x\007evil",
		.state = UNI_THREAD_READY,
		.stack_size = 16384,
		.stack_used = 1024,
	};

	if (is(client->guest, "alpha"))
		send_alpha_threads(client, time_ns);
	else if (is(client->guest, "crowd"))
		send_crowd_threads(client, time_ns);
	else
		send_table(client->fd, UNI_FRAME_THREADS, time_ns, &evil, 1, 1, sizeof(evil));
}

static void send_log(const struct client *client)
{
	static const char *const texts[] = {"ready in 41 ms...", "\033[31mred\033[0m line"};
	uint8_t buffer[256] = {0};
	const struct uni_log_batch batch = {.count = 2};
	size_t len = sizeof(batch);

	memcpy(buffer, &batch, sizeof(batch));
	for (uint64_t i = 0; i < 2; i++) {
		const struct uni_log_record record = {
			.sequence = i,
			.time_ns = 41000000 + i,
			.level = UNI_LOG_INFO,
			.text_len = (uint32_t)strlen(texts[i]),
		};

		memcpy(buffer + len, &record, sizeof(record));
		memcpy(buffer + len + sizeof(record), texts[i], record.text_len);
		len += sizeof(record) + ((record.text_len + 7) & ~7u);
	}
	send_frame(client->fd, UNI_FRAME_LOG, 0, buffer, len);
}

static void send_panic(const struct client *client)
{
	static const char reason[] = "null pointer in edge_route()";
	struct {
		struct uni_panic_record record;
		char reason[sizeof(reason) - 1];
	} __attribute__((packed)) frame = {
		.record = {.header_size = sizeof(struct uni_panic_record),
			   .kind = UNI_PANIC_FAULT,
			   .reason_len = sizeof(reason) - 1},
	};

	memcpy(frame.reason, reason, sizeof(frame.reason));
	send_frame(client->fd, UNI_FRAME_PANIC, 0, &frame, sizeof(frame));
}

static void send_state(const struct client *client)
{
	struct uni_guest_state state = {.pid = 1, .starved_ns = now_ns() / 100 * 2};

	state.state = is(client->guest, "edge") ? UNI_GUEST_CRASHED : UNI_GUEST_RUNNING;
	snprintf(state.guest, sizeof(state.guest), "%s", client->guest->name);
	if (is(client->guest, "edge"))
		snprintf(state.dump, sizeof(state.dump), "41");
	send_frame(client->fd, UNI_FRAME_STATE, 0, &state, sizeof(state));
}

static void answer(const struct client *client, const struct uni_frame *request)
{
	const struct uni_reply reply = {0};
	const uint64_t time_ns = now_ns();

	if (is(client->guest, "edge"))
		return;
	send_frame(client->fd, UNI_FRAME_REPLY, request->sequence, &reply, sizeof(reply));
	if (request->type != UNI_FRAME_SNAPSHOT)
		return;
	send_state(client);
	send_metrics(client, time_ns);
	send_cpus(client, time_ns);
	send_threads(client, time_ns);
	send_log(client);
}

static void welcome(const struct fake *guest)
{
	struct client *client = &clients[client_count];

	if (client_count == CLIENTS_MAX)
		return;
	*client = (struct client){.guest = guest};
	client->fd = accept4(guest->listener, NULL, NULL, SOCK_CLOEXEC);
	if (client->fd < 0)
		return;
	uni_frame_decoder_init(&client->decoder);
	client_count++;
	/* As a supervisor greets: with what is known. */
	send_state(client);
	if (is(guest, "edge"))
		send_panic(client);
	else
		send_hello(client);
}

/* False: the client is gone. */
static bool serve(struct client *client)
{
	struct uni_frame frame;
	const uint8_t *payload;
	uint8_t *room;
	size_t len;
	ssize_t got;

	if (uni_frame_decoder_room(&client->decoder, &room, &len) < 0)
		return false;
	got = recv(client->fd, room, len, 0);
	if (got <= 0)
		return false;
	uni_frame_decoder_fill(&client->decoder, (size_t)got);
	while (uni_frame_decoder_next(&client->decoder, &frame, &payload))
		answer(client, &frame);
	return true;
}

static void drop(size_t index)
{
	close(clients[index].fd);
	uni_frame_decoder_fini(&clients[index].decoder);
	clients[index] = clients[--client_count];
}

/* awake: the signals that may come while it waits, SIGTERM among them; it is blocked else. */
static void run(const sigset_t *awake)
{
	while (!ended) {
		struct pollfd fds[GUESTS_MAX + CLIENTS_MAX];
		size_t polled = client_count;

		for (size_t i = 0; i < fake_count; i++)
			fds[i] = (struct pollfd){.fd = fakes[i].listener, .events = POLLIN};
		for (size_t i = 0; i < polled; i++)
			fds[fake_count + i] =
				(struct pollfd){.fd = clients[i].fd, .events = POLLIN};
		if (ppoll(fds, fake_count + polled, NULL, awake) < 0)
			continue;
		/* From the last on: a client that is dropped is replaced by the last one. */
		for (size_t i = polled; i-- > 0;)
			if (fds[fake_count + i].revents && !serve(&clients[i]))
				drop(i);
		for (size_t i = 0; i < fake_count; i++)
			if (fds[i].revents)
				welcome(&fakes[i]);
	}
}

static int claim(struct fake *fake, const char *name)
{
	struct uni_guest_info info = {
		.machine = "microvm",
		.accel = "tcg",
		.cpus = 2,
		.memory_mib = 64,
		.supervisor_pid = getpid(),
	};

	snprintf(fake->name, sizeof(fake->name), "%s", name);
	snprintf(info.name, sizeof(info.name), "%s", name);
	if (uni_registry_claim(name, &fake->claim, NULL) < 0)
		return -1;
	fake->listener = uni_registry_listen(&fake->claim, UNI_SOCKET_PROBE, NULL);
	return fake->listener < 0 || uni_registry_publish(&fake->claim, &info, NULL) < 0 ? -1 : 0;
}

static void end(int number)
{
	ended = 1;
}

static int child(const char *const names[], int ready)
{
	const struct sigaction action = {.sa_handler = end};
	sigset_t terminate, awake;

	/* One that came between the look at ended and the wait would be slept through. */
	sigemptyset(&terminate);
	sigaddset(&terminate, SIGTERM);
	sigprocmask(SIG_BLOCK, &terminate, &awake);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigaction(SIGTERM, &action, NULL);
	for (; *names && fake_count < GUESTS_MAX; names++)
		if (claim(&fakes[fake_count++], *names) < 0)
			return 1;
	if (write(ready, "", 1) != 1)
		return 1;
	close(ready);
	run(&awake);
	for (size_t i = 0; i < fake_count; i++)
		uni_registry_release(&fakes[i].claim);
	return 0;
}

pid_t fake_guests_start(const char *const names[])
{
	int ready[2];
	pid_t pid;
	char byte;
	bool started;

	if (pipe(ready) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(ready[0]);
		_exit(child(names, ready[1]));
	}
	close(ready[1]);
	started = pid > 0 && read(ready[0], &byte, 1) == 1;
	close(ready[0]);
	if (pid > 0 && !started)
		fake_guests_stop(pid);
	return started ? pid : -1;
}

void fake_guests_stop(pid_t pid)
{
	kill(pid, SIGTERM);
	while (waitpid(pid, NULL, 0) < 0)
		;
}
