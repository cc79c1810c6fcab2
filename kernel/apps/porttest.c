/* SPDX-License-Identifier: MIT */
/*
 * What tests/guest/test_ports.py drives: does with the ports what the host asks for, a line a
 * request on the control port, each answered there with one line (echo: with the bytes).
 */

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "kernel/app.h"
#include "kernel/clock.h"
#include "kernel/cpu.h"
#include "kernel/format.h"
#include "kernel/irq.h"
#include "kernel/log.h"
#include "kernel/page.h"
#include "kernel/panic.h"
#include "kernel/port.h"
#include "kernel/sync.h"
#include "kernel/thread.h"
#include "tracing/errno.h"

#define BLOCK_ORDER 4
#define BLOCK_SIZE (PAGE_SIZE << BLOCK_ORDER)
#define BLOCKS 16
#define LINE_SIZE 128

static struct port *control, *stream_port, *polled, *taken;

static uint32_t events_seen; /* PORT_EVENT_* that came to the stream port */

/* The blocks that the stream port sends: free ones are counted by the semaphore. */
static uint8_t *blocks[BLOCKS];
static struct semaphore blocks_free = SEMAPHORE_INIT(blocks_free, "blocks", BLOCKS);
static uint32_t blocks_done;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
	char line[LINE_SIZE];
	va_list arguments;
	struct port_iov iov;

	va_start(arguments, format);
	format_text_v(line, sizeof(line), format, arguments);
	va_end(arguments);
	iov = (struct port_iov){line, strlen(line)};
	port_write_wait(control, &iov, 1, 5000);
}

static void on_event(struct port *port, unsigned events, void *arg)
{
	(void)port;
	(void)arg;
	__atomic_fetch_or(&events_seen, events, __ATOMIC_RELAXED);
}

static void block_done(void *arg)
{
	(void)arg;
	__atomic_fetch_add(&blocks_done, 1, __ATOMIC_RELAXED);
	sem_post(&blocks_free);
}

static void fill_blocks(void)
{
	for (unsigned i = 0; i < BLOCKS; i++) {
		blocks[i] = page_alloc(BLOCK_ORDER);
		KASSERT(blocks[i]);
		for (unsigned at = 0; at < BLOCK_SIZE; at++)
			blocks[i][at] = (uint8_t)(at * 7 + at / 256);
	}
}

/* Sends count blocks, the number of each in its first 8 bytes; kicks after every `batch`. Blocks
 * are used in turn, and come back in that order. Returns how many were taken. */
static unsigned stream(unsigned count, unsigned batch, uint64_t wait_ns)
{
	unsigned sent = 0;

	while (sent < count) {
		uint8_t *block = blocks[sent % BLOCKS];
		uint64_t number = sent;
		struct port_iov iov = {block, BLOCK_SIZE};

		if (!sem_try_wait(&blocks_free)) {
			port_kick(stream_port);
			if (!sem_wait_timeout(&blocks_free, wait_ns))
				break;
		}
		memcpy(block, &number, sizeof(number));
		if (port_submit(stream_port, &iov, 1, block_done, NULL) != 0) {
			sem_post(&blocks_free);
			break;
		}
		if (++sent % batch == 0)
			port_kick(stream_port);
	}
	port_kick(stream_port);
	return sent;
}

static void do_stream(unsigned mib)
{
	unsigned count = mib * (unsigned)((1u << 20) / BLOCK_SIZE);
	uint64_t start = clock_ns();
	unsigned sent = stream(count, 4, 5 * NS_PER_S);

	say("streamed %u of %u in %llu us\n", sent, count,
	    (unsigned long long)((clock_ns() - start) / NS_PER_US));
}

/* Streams to a host that may not read, and tells how far it came and that time goes on. */
static void do_stall(void)
{
	uint64_t start;
	unsigned sent;

	__atomic_store_n(&events_seen, 0, __ATOMIC_RELAXED);
	sent = stream(1u << 16, 4, 100 * NS_PER_MS);
	start = clock_ns();
	thread_sleep_ns(10 * NS_PER_MS);
	say("stalled %u slept %llu us\n", sent,
	    (unsigned long long)((clock_ns() - start) / NS_PER_US));
}

/* One block at a time, until one does not come back. */
static void do_lone(void)
{
	unsigned sent = 0;

	__atomic_store_n(&events_seen, 0, __ATOMIC_RELAXED);
	do {
		uint32_t done = __atomic_load_n(&blocks_done, __ATOMIC_RELAXED);
		uint64_t deadline = clock_deadline(200 * NS_PER_MS);

		if (stream(1, 1, 0) != 1)
			break;
		sent++;
		while (__atomic_load_n(&blocks_done, __ATOMIC_RELAXED) == done &&
		       clock_ns() < deadline)
			thread_yield();
	} while (blocks_free.count == BLOCKS);
	say("lone %u free %u\n", sent, blocks_free.count);
}

/* Small frames until the port has no room; each byte is its place in the frame. */
static void do_fill(void)
{
	static char frame[100];
	struct port_iov iov[2] = {{frame, 60}, {frame + 60, 40}};
	unsigned count = 0;
	int error;

	__atomic_store_n(&events_seen, 0, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < sizeof(frame); i++)
		frame[i] = (char)i;
	while ((error = port_write(stream_port, iov, 2)) == 0)
		count++;
	say("filled %u error %d\n", count, -error);
}

static void do_events(void)
{
	say("events %u open %d done %u free %u\n", __atomic_load_n(&events_seen, __ATOMIC_RELAXED),
	    port_is_open(stream_port), __atomic_load_n(&blocks_done, __ATOMIC_RELAXED),
	    blocks_free.count);
}

static void do_echo(unsigned total)
{
	static uint8_t buffer[PORT_WRITE_MAX];

	while (total > 0) {
		size_t want = total < sizeof(buffer) ? total : sizeof(buffer);
		long got = port_read_wait(control, buffer, want, 5000);
		struct port_iov iov = {buffer, (size_t)got};

		if (got < 0 || port_write_wait(control, &iov, 1, 5000) != 0)
			return;
		total -= (unsigned)got;
	}
}

/* Peeks at what waits on the polled port, twice, without reading it. */
static void do_peek(void)
{
	char one[32] = "", two[32] = "";
	size_t len = 0;

	for (unsigned i = 0; i < 2000 && len < 10; i++) {
		len = port_poll_peek(polled, 0, one, sizeof(one) - 1);
		thread_sleep_ns(NS_PER_MS);
	}
	port_poll_peek(polled, 6, two, sizeof(two) - 1);
	say("peeked %s %s\n", one, two);
}

/* Interrupts off: reads a line from the polled port, and writes it back small, then within 1 MiB.
 */
static void do_poll(void)
{
	char line[64];
	struct port_iov iov[3] = {{line, 0}, {blocks[0], BLOCK_SIZE}, {line, 0}};
	uint64_t flags = irq_save();
	uint64_t deadline = clock_deadline(5 * NS_PER_S);
	long got = -UNI_EAGAIN;
	int small, large;

	while (got == -UNI_EAGAIN && clock_ns() < deadline)
		got = port_poll_read(polled, line, sizeof(line));
	iov[0].len = iov[2].len = got > 0 ? (size_t)got : 0;
	small = port_poll_write(polled, iov, 1, 1000000);
	large = port_poll_write(polled, iov, 3, 1000000);
	irq_restore(flags);
	say("polled %ld %d %d\n", got, small, large);
}

/* Interrupts off: sends back so many bytes of the polled port. */
static void do_poll_echo(unsigned total)
{
	static char buffer[PORT_WRITE_MAX];
	struct port_iov iov = {buffer, 0};
	uint64_t flags = irq_save();
	uint64_t deadline = clock_deadline(5 * NS_PER_S);
	unsigned done = 0;
	int error = 0;

	while (done < total && !error && clock_ns() < deadline) {
		long got = port_poll_read(polled, buffer, sizeof(buffer));

		if (got < 0)
			continue;
		iov.len = (size_t)got;
		error = port_poll_write(polled, &iov, 1, 1000000);
		done += (unsigned)got;
	}
	irq_restore(flags);
	say("poll echoed %u error %d\n", done, -error);
}

/* Polled writes to a host that does not read: how many went, how long the last one took. */
static void do_poll_stall(void)
{
	struct port_iov iov = {blocks[0], BLOCK_SIZE};
	uint64_t flags = irq_save();
	unsigned count = 0;
	uint64_t start;
	int error;

	do {
		start = clock_ns();
		error = port_poll_write(polled, &iov, 1, 50000);
	} while (error == 0 && ++count < 10000);
	irq_restore(flags);
	say("poll stalled %d took %llu us\n", -error,
	    (unsigned long long)((clock_ns() - start) / NS_PER_US));
}

#define FRAME_SIZE 200

static uint32_t frames_written;

/* Frames of one letter each, as fast as they go, until the port is taken over. */
static int hammer(void *argument)
{
	char letter = *(const char *)argument;
	char frame[FRAME_SIZE];
	struct port_iov iov = {frame, sizeof(frame)};
	int error;

	memset(frame, letter, sizeof(frame));
	do {
		error = port_write(taken, &iov, 1);
		if (!error)
			__atomic_fetch_add(&frames_written, 1, __ATOMIC_RELAXED);
	} while (error == 0 || error == -UNI_EAGAIN);
	return -error;
}

static int take_over(void)
{
	char frame[FRAME_SIZE];
	struct port_iov iov = {frame, sizeof(frame)};
	int error = 0;

	memset(frame, 'P', sizeof(frame));
	for (unsigned i = 0; i < 1000 && !error; i++)
		error = port_poll_write(taken, &iov, 1, 1000000);
	return error;
}

static uint32_t frozen;
static uint32_t thawed;

/* On every CPU but one: the first to come takes the port over when all are in here. */
static void freeze(void *error)
{
	if (__atomic_fetch_add(&frozen, 1, __ATOMIC_SEQ_CST) != 0) {
		while (!__atomic_load_n(&thawed, __ATOMIC_ACQUIRE))
			cpu_relax();
		return;
	}
	while (__atomic_load_n(&frozen, __ATOMIC_ACQUIRE) < cpu_count() - 1)
		cpu_relax();
	*(int *)error = take_over();
	__atomic_store_n(&thawed, 1, __ATOMIC_RELEASE);
}

/* Takes a port over from threads that write to it, with all of them stopped. */
static void do_takeover(void)
{
	static const char letters[] = {'a', 'b', 'c'};
	struct thread *threads[3];
	int error = 0, refused = 0;

	for (unsigned i = 0; i < 3; i++)
		threads[i] = thread_spawn("hammer", hammer, (void *)&letters[i]);
	thread_sleep_ns(20 * NS_PER_MS);
	if (cpu_count() > 1) {
		preempt_disable();
		irq_call_others(freeze, &error);
		preempt_enable();
	} else {
		uint64_t flags = irq_save();

		error = take_over();
		irq_restore(flags);
	}
	for (unsigned i = 0; i < 3; i++)
		refused += thread_join(threads[i]) == UNI_EBUSY;
	say("taken %d refused %d frames %u\n", -error, refused,
	    __atomic_load_n(&frames_written, __ATOMIC_RELAXED));
}

static void do_counters(void)
{
	struct port_counters c;

	port_counters(stream_port, &c);
	say("counters %llu %llu %llu %llu %llu\n", (unsigned long long)c.tx_bytes,
	    (unsigned long long)c.tx_buffers, (unsigned long long)c.tx_kicks,
	    (unsigned long long)c.tx_stalls, (unsigned long long)c.errors);
}

static unsigned number_after(const char *line, const char *verb)
{
	unsigned number = 0;

	for (const char *p = line + strlen(verb); *p; p++)
		if (*p >= '0' && *p <= '9')
			number = number * 10 + (unsigned)(*p - '0');
	return number;
}

/* One request. Returns false when the host wants an end. */
static bool serve(const char *line)
{
	static const struct {
		const char *verb;
		void (*plain)(void);
		void (*numbered)(unsigned number);
	} verbs[] = {
		{"echo", NULL, do_echo},	  {"stream", NULL, do_stream},
		{"stall", do_stall, NULL},	  {"lone", do_lone, NULL},
		{"fill", do_fill, NULL},	  {"events", do_events, NULL},
		{"peek", do_peek, NULL},	  {"pollstall", do_poll_stall, NULL},
		{"pollecho", NULL, do_poll_echo}, {"poll", do_poll, NULL},
		{"takeover", do_takeover, NULL},  {"counters", do_counters, NULL},
	};

	if (strcmp(line, "end") == 0)
		return false;
	for (unsigned i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strncmp(line, verbs[i].verb, strlen(verbs[i].verb)) != 0)
			continue;
		if (verbs[i].plain)
			verbs[i].plain();
		else
			verbs[i].numbered(number_after(line, verbs[i].verb));
		return true;
	}
	say("unknown %s\n", line);
	return true;
}

/* Byte by byte: what follows the line belongs to the request. */
static bool read_line(char *line, size_t size)
{
	size_t len = 0;

	while (len < size - 1) {
		if (port_read_wait(control, &line[len], 1, -1) != 1)
			return false;
		if (line[len] == '\n')
			break;
		len++;
	}
	line[len] = 0;
	return true;
}

int app_main(void)
{
	char line[LINE_SIZE];

	control = port_find("test.control");
	stream_port = port_find("test.stream");
	polled = port_find("test.polled");
	taken = port_find("test.taken");
	if (!control || !stream_port || !polled || !taken || port_find("test.none")) {
		log_printf(LOG_ERROR, "porttest: ports are missing");
		return 1;
	}
	fill_blocks();
	port_on_event(stream_port, on_event, NULL);
	say("ready\n");
	while (read_line(line, sizeof(line)) && serve(line))
		;
	return 0;
}
