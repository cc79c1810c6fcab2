/* SPDX-License-Identifier: MIT */
/*
 * gdb's connection. A guest that spins with interrupts off never sees that bytes wait for its stub;
 * an NMI makes it look. So when gdb has asked something and no byte comes back in time, NMIs go in,
 * each after twice the time of the one before.
 */
#include <string.h>

#include "host-tools/lib/supervisor_internal.h"

#define ANSWER_MS 25
#define ATTEMPTS_MAX 8
#define INTERRUPT 0x03
#define NS_PER_MS 1000000

/* The timer runs on: to set it for each packet would cost more than to pass the packet. */
static void stop_waiting(struct gdb_watch *watch)
{
	watch->due_ns = 0;
}

static void arm(struct gdb_watch *watch, uint64_t now_ns)
{
	watch->rings_ns = watch->due_ns;
	uni_event_timer_arm(&watch->timer, (watch->due_ns - now_ns) / NS_PER_MS + 1, 0);
}

static void expect_answer(struct gdb_watch *watch)
{
	uint64_t now_ns = uni_event_now_ns();

	if (watch->due_ns)
		return;
	watch->delay_ms = ANSWER_MS;
	watch->attempts = 0;
	watch->due_ns = now_ns + ANSWER_MS * NS_PER_MS;
	if (!watch->rings_ns || watch->rings_ns > watch->due_ns)
		arm(watch, now_ns);
}

static void on_timer(void *context, uint32_t events)
{
	struct supervisor *supervisor = context;
	struct gdb_watch *watch = &supervisor->gdb_watch;
	uint64_t now_ns = uni_event_now_ns();

	watch->rings_ns = 0;
	if (!watch->due_ns || watch->attempts == ATTEMPTS_MAX)
		return;
	/* It may have been set for a packet before this one. */
	if (now_ns >= watch->due_ns) {
		supervisor_inject_nmi(supervisor);
		watch->delay_ms *= 2;
		watch->attempts++;
		watch->due_ns = now_ns + watch->delay_ms * NS_PER_MS;
	}
	if (watch->attempts < ATTEMPTS_MAX)
		arm(watch, now_ns);
}

static bool begins_with(const struct gdb_watch *watch, const char *text)
{
	size_t len = strlen(text);

	return watch->packet_len >= len && memcmp(watch->packet, text, len) == 0;
}

/* Packets after which the guest runs, and answers when it stops: perhaps never. In non-stop mode
 * it answers at once. */
static bool resumes(const struct gdb_watch *watch)
{
	return watch->packet_len > 0 && (strchr("cCsSk", watch->packet[0]) ||
					 (!watch->non_stop && begins_with(watch, "vCont;")));
}

static void follow_mode(struct gdb_watch *watch)
{
	if (begins_with(watch, "qSupported") || begins_with(watch, "QNonStop:0"))
		watch->non_stop = false;
	else if (begins_with(watch, "QNonStop:1"))
		watch->non_stop = true;
}

/* Follows the packets of gdb just far enough to know whether an answer is due. */
static void follow(struct gdb_watch *watch, uint8_t byte)
{
	if (byte == '$') {
		watch->in_packet = true;
		watch->packet_len = 0;
	} else if (byte == '#' && watch->in_packet) {
		watch->in_packet = false;
		follow_mode(watch);
		if (resumes(watch))
			stop_waiting(watch);
		else
			expect_answer(watch);
	} else if (watch->in_packet) {
		if (watch->packet_len < sizeof(watch->packet))
			watch->packet[watch->packet_len++] = byte;
	} else if (byte == INTERRUPT) {
		expect_answer(watch);
	}
}

static void on_bytes(void *context, bool from_client, const uint8_t *data, size_t len)
{
	struct supervisor *supervisor = context;
	struct gdb_watch *watch = &supervisor->gdb_watch;

	if (len == 0) {
		stop_waiting(watch);
		watch->in_packet = false;
		watch->attached_ns = uni_event_now_ns();
		life_set_state(supervisor, from_client ? UNI_GUEST_DEBUGGED : UNI_GUEST_RUNNING);
		/* A guest that was held is not to be taken for hung at once. */
		if (!from_client)
			watchdog_heard(supervisor);
		return;
	}
	if (!from_client) {
		stop_waiting(watch);
		return;
	}
	for (size_t i = 0; i < len; i++)
		follow(watch, data[i]);
}

int gdb_init(struct supervisor *supervisor, int listener, const char *port_path)
{
	int status = uni_event_timer_init(&supervisor->loop, &supervisor->gdb_watch.timer, on_timer,
					  supervisor);

	return status < 0 ? status
			  : port_proxy_init(&supervisor->gdb, &supervisor->loop, listener,
					    port_path, on_bytes, supervisor);
}

void gdb_fini(struct supervisor *supervisor)
{
	port_proxy_fini(&supervisor->gdb);
	uni_event_timer_fini(&supervisor->loop, &supervisor->gdb_watch.timer);
}

bool gdb_attached(const struct supervisor *supervisor)
{
	return supervisor->gdb.connected;
}
