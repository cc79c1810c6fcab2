/* SPDX-License-Identifier: MIT */
#include "guest-probe/probe.h"

#include "guest-probe/memory.h"
#include "guest-probe/probe_internal.h"
#include "tracing/errno.h"

/* Requests that one poll answers, and log frames that it sends: a poll has an end. */
#define REQUESTS_PER_POLL 64
#define LOG_FRAMES_PER_POLL 64

#define NS_PER_MS 1000000ull

void uni_probe_init(struct uni_probe *probe, const struct uni_probe_ops *ops, void *context,
		    const struct uni_probe_identity *identity, struct uni_metrics *metrics)
{
	memset(probe, 0, sizeof(*probe));
	probe->ops = ops;
	probe->context = context;
	probe->identity = identity;
	probe->metrics = metrics;
	probe->interval_ms = UNI_PROBE_INTERVAL_DEFAULT_MS;
	probe->opened = true;
	uni_frame_reader_init(&probe->reader, probe->request, sizeof(probe->request));
}

void uni_probe_opened(struct uni_probe *probe)
{
	__atomic_store_n(&probe->opened, true, __ATOMIC_RELEASE);
}

void uni_probe_want(struct uni_probe *probe, uint32_t due)
{
	/* A table that is on its way is begun again: its first part may be old by now. */
	if (due & DUE_THREADS) {
		probe->threads_after_id = 0;
		probe->threads_tsc = probe->ops->tsc(probe->context);
		probe->threads_time_ns = probe->ops->time_ns(probe->context);
	}
	probe->due |= due;
}

/* Completes the frame and writes it. */
static int send(struct uni_probe *probe, struct uni_frame_writer *frame)
{
	size_t len;
	const int status = uni_frame_finish(frame, &len);

	return status ? status : probe->ops->write(probe->context, probe->buffer, len);
}

static struct uni_frame_writer begin(struct uni_probe *probe, enum uni_frame_type type,
				     uint32_t sequence)
{
	struct uni_frame_writer frame;

	uni_frame_begin(&frame, probe->buffer, sizeof(probe->buffer), type, sequence);
	return frame;
}

static int send_reply(struct uni_probe *probe)
{
	struct uni_frame_writer frame = begin(probe, UNI_FRAME_REPLY, probe->reply_sequence);
	struct uni_reply *reply = uni_frame_reserve(&frame, sizeof(*reply));

	reply->status = probe->reply_status;
	for (const char *at = probe->reply_text; at && *at; at++) {
		uni_frame_put(&frame, at, 1);
		reply->text_len++;
	}
	return send(probe, &frame);
}

static int send_hello(struct uni_probe *probe)
{
	struct uni_frame_writer frame = begin(probe, UNI_FRAME_HELLO, 0);

	uni_probe_put_hello(probe, &frame);
	return send(probe, &frame);
}

static int send_metric_table(struct uni_probe *probe)
{
	const uint32_t count = uni_metrics_count(probe->metrics);
	struct uni_frame_writer frame = begin(probe, UNI_FRAME_METRIC_TABLE, 0);
	int status;

	uni_metrics_put_table(probe->metrics, probe->ops->tsc(probe->context),
			      probe->ops->time_ns(probe->context), &frame);
	status = send(probe, &frame);
	if (status == 0)
		probe->metrics_sent = count;
	return status;
}

static int send_tracepoints(struct uni_probe *probe)
{
	struct uni_frame_writer frame = begin(probe, UNI_FRAME_TRACEPOINTS, 0);

	uni_probe_put_tracepoints(probe, &frame);
	return send(probe, &frame);
}

static int send_metrics(struct uni_probe *probe)
{
	struct uni_frame_writer frame = begin(probe, UNI_FRAME_METRICS, 0);

	uni_metrics_put_values(probe->metrics, probe->ops->tsc(probe->context),
			       probe->ops->time_ns(probe->context), &frame);
	return send(probe, &frame);
}

static int send_cpus(struct uni_probe *probe)
{
	struct uni_frame_writer frame = begin(probe, UNI_FRAME_CPUS, 0);

	uni_probe_put_cpus(probe, probe->ops->tsc(probe->context),
			   probe->ops->time_ns(probe->context), &frame);
	return send(probe, &frame);
}

/* The frames of one table carry the same TSC. A thread that starts or ends meanwhile makes the
 * records fewer or more than `total`, so the last frame is the one that is not full. */
static int send_threads(struct uni_probe *probe)
{
	for (;;) {
		struct uni_frame_writer frame = begin(probe, UNI_FRAME_THREADS, 0);
		uint32_t after_id = probe->threads_after_id;
		const struct uni_table *table = uni_probe_put_threads(
			probe, probe->threads_tsc, probe->threads_time_ns, &after_id, &frame);
		const bool last = uni_frame_room(&frame) >= sizeof(struct uni_thread_record);
		int status;

		if (!table || (table->count == 0 && probe->threads_after_id != 0))
			return 0;
		status = send(probe, &frame);
		if (status)
			return status;
		probe->threads_after_id = after_id;
		if (last)
			return 0;
	}
}

static int send_log(struct uni_probe *probe)
{
	for (unsigned frames = 0; frames < LOG_FRAMES_PER_POLL; frames++) {
		struct uni_frame_writer frame = begin(probe, UNI_FRAME_LOG, 0);
		uint64_t next = probe->log_next;
		uint64_t lost = probe->log_lost;
		int status;

		if (uni_probe_put_log(probe, &next, &lost, &frame) == 0 && lost == probe->log_lost)
			return 0;
		status = send(probe, &frame);
		if (status)
			return status;
		probe->log_next = next;
		probe->log_lost = lost;
	}
	return 0;
}

static const struct {
	uint32_t due;
	int (*send)(struct uni_probe *probe);
} senders[] = {
	{DUE_HELLO, send_hello},
	{DUE_METRIC_TABLE, send_metric_table},
	{DUE_TRACEPOINTS, send_tracepoints},
	{DUE_METRICS, send_metrics},
	{DUE_CPUS, send_cpus},
	{DUE_THREADS, send_threads},
	{DUE_LOG, send_log},
};

/* Sends what is due until the port is full. Where nobody listens all of it is dropped. */
static void flush(struct uni_probe *probe)
{
	int status = 0;

	if (probe->reply_due) {
		status = send_reply(probe);
		probe->reply_due = status == -UNI_EAGAIN;
	}
	for (size_t i = 0; status == 0 && i < sizeof(senders) / sizeof(senders[0]); i++) {
		if (!(probe->due & senders[i].due))
			continue;
		status = senders[i].send(probe);
		if (status == 0)
			probe->due &= ~senders[i].due;
	}
	if (status && status != -UNI_EAGAIN)
		probe->due = 0;
}

/* Reads until a request is complete. */
static bool next_request(struct uni_probe *probe)
{
	while (!uni_frame_read(&probe->reader, &probe->input_at, &probe->input_len)) {
		const long got =
			probe->ops->read(probe->context, probe->input, sizeof(probe->input));

		if (got <= 0)
			return false;
		probe->input_at = probe->input;
		probe->input_len = (size_t)got;
	}
	return true;
}

static void act(struct uni_probe *probe, uint16_t request)
{
	const struct uni_crash_request *crash = (const void *)probe->request;

	if (request == UNI_FRAME_CRASH)
		probe->ops->crash(probe->context, crash->kind);
	else if (request == UNI_FRAME_SHUTDOWN)
		probe->ops->shutdown(probe->context);
}

/* A request waits until the reply to the one before it is out, so that none goes unanswered. */
static void serve(struct uni_probe *probe)
{
	for (unsigned i = 0; i < REQUESTS_PER_POLL && !probe->reply_due && next_request(probe);
	     i++) {
		const uint16_t request = uni_probe_answer(probe);

		flush(probe);
		act(probe, request);
	}
}

static void greet(struct uni_probe *probe)
{
	probe->log_next = 0;
	probe->log_lost = 0;
	probe->next_beat_ns = 0;
	uni_probe_want(probe, DUE_GREETING);
}

static bool is_alive(const struct uni_probe *probe)
{
	return !probe->ops->is_alive || probe->ops->is_alive(probe->context);
}

uint64_t uni_probe_poll(struct uni_probe *probe)
{
	const uint64_t now_ns = probe->ops->time_ns(probe->context);
	uint64_t oldest, next;

	if (__atomic_exchange_n(&probe->opened, false, __ATOMIC_ACQUIRE))
		greet(probe);
	if (uni_metrics_count(probe->metrics) != probe->metrics_sent)
		uni_probe_want(probe, DUE_METRIC_TABLE);
	if (now_ns >= probe->next_beat_ns) {
		probe->next_beat_ns = now_ns + probe->interval_ms * NS_PER_MS;
		uni_probe_want(probe, is_alive(probe) ? DUE_SNAPSHOT : DUE_SNAPSHOT & ~DUE_METRICS);
	}
	probe->ops->log_range(probe->context, &oldest, &next);
	if (probe->log_next < next)
		uni_probe_want(probe, DUE_LOG);
	flush(probe);
	serve(probe);
	return probe->next_beat_ns ? probe->next_beat_ns : now_ns;
}

void uni_probe_bye(struct uni_probe *probe, int status)
{
	struct uni_frame_writer frame;
	struct uni_bye *bye;

	uni_probe_want(probe, DUE_LOG);
	flush(probe);
	frame = begin(probe, UNI_FRAME_BYE, 0);
	bye = uni_frame_reserve(&frame, sizeof(*bye));
	bye->status = status;
	/* Whoever does not hear it sees the guest end. */
	(void)send(probe, &frame);
}
