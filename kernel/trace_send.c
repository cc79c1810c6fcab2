/* SPDX-License-Identifier: MIT */

/* The thread that sends sub-buffers to the host, in place: the device reads them where the ring has
 * them, and a sub-buffer is given back to its CPU when the device is done with it.
 *
 * Writers cannot wake it, as an event may come from an NMI or under the scheduler's own lock. So it
 * looks at the rings every POLL_NS while a session runs: at 32 MB/s of events a CPU, which is more
 * than a guest makes in earnest, a ring of 1 MiB lasts for six looks. */

#include "kernel/clock.h"
#include "kernel/heap.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/sync.h"
#include "kernel/thread.h"
#include "kernel/trace_internal.h"
#include "tracing/errno.h"

#define POLL_NS (5 * NS_PER_MS)
#define DRAIN_POLL_NS (1 * NS_PER_MS)
#define STATS_TIMEOUT_MS 5000

/* One packet on its way. */
struct transfer {
	struct uni_frame header;
	uint32_t done; /* set by the device's interrupt */
};

struct sender {
	struct transfer *transfers; /* one a sub-buffer */
	uint64_t next;		    /* packet number to submit */
	uint64_t returned;	    /* first one that the device may still read */
	uint64_t sent;
};

enum phase { PHASE_IDLE, PHASE_COLLECTING, PHASE_STREAMING, PHASE_DRAINING };

static struct {
	struct port *port;
	unsigned subbuffer_count;
	enum phase phase; /* read and written with atomics; leaves DRAINING in the thread only */
	struct semaphore wake;
	struct sender senders[CPU_MAX];
} send;

static void set_phase(enum phase phase)
{
	__atomic_store_n(&send.phase, phase, __ATOMIC_RELEASE);
}

static enum phase get_phase(void)
{
	return __atomic_load_n(&send.phase, __ATOMIC_ACQUIRE);
}

bool trace_send_possible(void)
{
	return send.port != NULL;
}

bool trace_send_busy(void)
{
	return get_phase() == PHASE_DRAINING;
}

void trace_send_begin(enum uni_trace_mode mode)
{
	for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
		struct sender *sender = &send.senders[cpu];

		sender->next = sender->returned = sender->sent = 0;
	}
	set_phase(mode == UNI_TRACE_STREAM ? PHASE_STREAMING : PHASE_COLLECTING);
	sem_post(&send.wake);
}

void trace_send_end(void)
{
	set_phase(PHASE_DRAINING);
	sem_post(&send.wake);
}

static void transfer_done(void *argument)
{
	struct transfer *transfer = argument;

	/* Release: the device's reads of the sub-buffer are over before it is given back. */
	__atomic_store_n(&transfer->done, 1, __ATOMIC_RELEASE);
}

/* Gives back what the device is done with, in order. */
static void return_packets(struct uni_ring *ring, struct sender *sender)
{
	while (sender->returned < sender->next) {
		struct transfer *transfer =
			&sender->transfers[sender->returned % send.subbuffer_count];

		if (!__atomic_load_n(&transfer->done, __ATOMIC_ACQUIRE))
			return;
		uni_ring_release(ring, sender->returned++);
	}
}

/* Submits the packet that is next, when it is complete. Returns whether there may be more. */
static bool submit_next(struct uni_ring *ring, struct sender *sender)
{
	const struct uni_trace_packet *packet;
	struct transfer *transfer = &sender->transfers[sender->next % send.subbuffer_count];
	int result = uni_ring_peek(ring, sender->next, &packet);

	if (result != 0)
		return false;
	transfer->done = 0;
	transfer->header = (struct uni_frame){
		.magic = UNI_FRAME_MAGIC,
		.type = UNI_FRAME_TRACE_PACKET,
		.length = (uint32_t)(packet->packet_size / 8),
	};
	const struct port_iov parts[] = {
		{&transfer->header, sizeof(transfer->header)},
		{packet, transfer->header.length},
	};
	result = port_submit(send.port, parts, 2, transfer_done, transfer);
	if (result == -UNI_EAGAIN)
		return false;
	sender->next++;
	if (result == 0)
		sender->sent++;
	else
		transfer->done = 1; /* nobody listens: a gap in the sequence numbers tells */
	return true;
}

static void pump(unsigned cpu)
{
	struct uni_ring *ring = trace_rings[cpu];
	struct sender *sender = &send.senders[cpu];

	return_packets(ring, sender);
	while (sender->next - sender->returned < send.subbuffer_count && submit_next(ring, sender))
		;
}

/* After the rings stopped: whether every packet of the CPU went out and came back. */
static bool drained(unsigned cpu)
{
	struct sender *sender = &send.senders[cpu];
	uint64_t first, end;

	uni_ring_bounds(trace_rings[cpu], &first, &end);
	return sender->next == end && sender->returned == end;
}

static void send_stats(void)
{
	struct {
		struct uni_frame header;
		struct uni_table table;
		struct uni_trace_stats_record records[CPU_MAX];
	} frame = {0};
	uint32_t count = cpu_count();

	for (uint32_t cpu = 0; cpu < count; cpu++) {
		struct uni_ring_stats stats;

		uni_ring_get_stats(trace_rings[cpu], &stats);
		frame.records[cpu] = (struct uni_trace_stats_record){
			.cpu = cpu,
			.emitted = stats.emitted,
			.discarded = stats.discarded,
			.overwritten = stats.overwritten,
			.packets = send.senders[cpu].sent,
		};
	}
	frame.table = (struct uni_table){
		.tsc = clock_tsc(),
		.time_ns = clock_ns(),
		.count = count,
		.total = count,
		.record_size = sizeof(frame.records[0]),
	};
	frame.header = (struct uni_frame){
		.magic = UNI_FRAME_MAGIC,
		.type = UNI_FRAME_TRACE_STATS,
		.length = (uint32_t)(sizeof(frame.table) + count * sizeof(frame.records[0])),
	};
	const struct port_iov part = {&frame, sizeof(frame.header) + frame.header.length};
	int result = port_write_wait(send.port, &part, 1, STATS_TIMEOUT_MS);

	if (result != 0)
		log_printf(LOG_WARNING, "trace: statistics were not sent (error %d)", -result);
}

static void drain(void)
{
	bool all;

	/* In overwrite mode the oldest packet is not the first. */
	for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
		struct sender *sender = &send.senders[cpu];
		uint64_t first, end;

		uni_ring_bounds(trace_rings[cpu], &first, &end);
		if (sender->next < first)
			sender->next = sender->returned = first;
	}
	do {
		all = true;
		for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
			pump(cpu);
			all = all && drained(cpu);
		}
		port_kick(send.port);
		if (!all)
			thread_sleep_ns(DRAIN_POLL_NS);
	} while (!all);
	send_stats();
	set_phase(PHASE_IDLE);
}

static int send_thread(void *argument)
{
	(void)argument;
	for (;;) {
		switch (get_phase()) {
		case PHASE_STREAMING:
			for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
				pump(cpu);
			port_kick(send.port);
			(void)sem_wait_timeout(&send.wake, POLL_NS);
			break;
		case PHASE_DRAINING:
			drain();
			break;
		case PHASE_IDLE:
		case PHASE_COLLECTING:
			sem_wait(&send.wake);
			break;
		}
	}
	return 0;
}

void trace_send_init(unsigned subbuffer_count)
{
	const struct thread_options options = {
		.name = "trace",
		.priority = THREAD_PRIORITY_HIGH,
		.detached = true,
		.service = true,
	};

	sem_init(&send.wake, "trace", 0);
	send.subbuffer_count = subbuffer_count;
	for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
		send.senders[cpu].transfers =
			heap_alloc_zeroed(subbuffer_count * sizeof(struct transfer));
	send.port = port_find(PORT_NAME_TRACE);
	if (send.port && !thread_create(&options, send_thread, NULL))
		send.port = NULL;
}
