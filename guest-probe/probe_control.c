/* SPDX-License-Identifier: MIT */
/* The requests of the host. Each is answered by a REPLY; what it asks for follows that. */
#include "guest-probe/probe_internal.h"
#include "tracing/errno.h"

struct answer {
	int status;
	const char *text; /* for people */
};

static struct answer set_interval(struct uni_probe *probe, const void *payload, uint32_t len)
{
	const struct uni_interval *interval = payload;

	if (len < sizeof(*interval))
		return (struct answer){-UNI_EINVAL, "too short"};
	if (interval->interval_ms < UNI_PROBE_INTERVAL_MIN_MS ||
	    interval->interval_ms > UNI_PROBE_INTERVAL_MAX_MS)
		return (struct answer){-UNI_EINVAL, "an interval is 10 to 60,000 ms"};
	probe->interval_ms = interval->interval_ms;
	probe->next_beat_ns = 0;
	return (struct answer){0, NULL};
}

static struct answer set_tracepoints(struct uni_probe *probe, const void *payload, uint32_t len)
{
	const struct uni_probe_trace_ops *trace = probe->ops->trace;
	const struct uni_tracepoint_state *state = payload;

	if (!trace)
		return (struct answer){-UNI_ENOTSUP, "this guest has no tracing"};
	if (len < sizeof(*state) || (len - sizeof(*state)) < ((uint64_t)state->event_count + 7) / 8)
		return (struct answer){-UNI_EINVAL, "too short"};
	if (state->event_count != trace->event_count(probe->context))
		return (struct answer){-UNI_EINVAL, "this guest has other tracepoints"};
	uni_probe_want(probe, DUE_TRACEPOINTS);
	return (struct answer){
		trace->points_set(probe->context, (const uint8_t *)(state + 1), state->event_count),
		NULL};
}

static struct answer start_trace(struct uni_probe *probe, const void *payload, uint32_t len)
{
	const struct uni_probe_trace_ops *trace = probe->ops->trace;
	const struct uni_trace_start *start = payload;

	if (!trace)
		return (struct answer){-UNI_ENOTSUP, "this guest has no tracing"};
	if (len < sizeof(*start))
		return (struct answer){-UNI_EINVAL, "too short"};
	if (start->mode != UNI_TRACE_STREAM && start->mode != UNI_TRACE_OVERWRITE)
		return (struct answer){-UNI_EINVAL, "no such trace mode"};
	return (struct answer){trace->start(probe->context, start->mode), NULL};
}

static struct answer stop_trace(struct uni_probe *probe)
{
	const struct uni_probe_trace_ops *trace = probe->ops->trace;

	if (!trace)
		return (struct answer){-UNI_ENOTSUP, "this guest has no tracing"};
	uni_probe_want(probe, DUE_TRACEPOINTS);
	return (struct answer){trace->stop(probe->context), NULL};
}

static struct answer check_crash(const void *payload, uint32_t len)
{
	const struct uni_crash_request *crash = payload;

	if (len < sizeof(*crash))
		return (struct answer){-UNI_EINVAL, "too short"};
	if (crash->kind != UNI_PANIC_HANG && crash->kind != UNI_PANIC_REQUEST)
		return (struct answer){-UNI_EINVAL, "only a hang or a request can be asked for"};
	return (struct answer){0, NULL};
}

static struct answer answer(struct uni_probe *probe, uint16_t type, const void *payload,
			    uint32_t len)
{
	switch (type) {
	case UNI_FRAME_PING:
	case UNI_FRAME_SHUTDOWN:
		return (struct answer){0, NULL};
	case UNI_FRAME_HELLO_REQUEST:
		uni_probe_want(probe, DUE_GREETING);
		return (struct answer){0, NULL};
	case UNI_FRAME_SNAPSHOT:
		uni_probe_want(probe, DUE_SNAPSHOT);
		return (struct answer){0, NULL};
	case UNI_FRAME_INTERVAL:
		return set_interval(probe, payload, len);
	case UNI_FRAME_TRACEPOINTS_SET:
		return set_tracepoints(probe, payload, len);
	case UNI_FRAME_TRACE_START:
		return start_trace(probe, payload, len);
	case UNI_FRAME_TRACE_STOP:
		return stop_trace(probe);
	case UNI_FRAME_CRASH:
		return check_crash(payload, len);
	default:
		return (struct answer){-UNI_ENOTSUP, "this guest does not know that request"};
	}
}

uint16_t uni_probe_answer(struct uni_probe *probe)
{
	const struct uni_frame *header = &probe->reader.header;
	const struct answer result = answer(probe, header->type, probe->request, header->length);
	const bool acts = header->type == UNI_FRAME_CRASH || header->type == UNI_FRAME_SHUTDOWN;

	probe->reply_due = true;
	probe->reply_sequence = header->sequence;
	probe->reply_status = result.status;
	probe->reply_text = result.text;
	return acts && result.status == 0 ? header->type : 0;
}
