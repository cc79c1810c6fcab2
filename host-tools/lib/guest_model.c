/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/guest_model.h"

#include <stdlib.h>
#include <string.h>

#include "host-tools/lib/guest_model_internal.h"
#include "tracing/errno.h"

void uni_model_init(struct uni_model *model, uint64_t rate_min_ns)
{
	*model = (struct uni_model){.rate_min_ns = rate_min_ns};
}

void uni_model_fini(struct uni_model *model)
{
	free(model->cpus);
	free(model->threads);
	free(model->threads_before);
	free(model->metrics);
	free(model->log);
	*model = (struct uni_model){.rate_min_ns = model->rate_min_ns};
}

static void hex(char *out, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

/* What belongs to one life goes; what the supervisor says, and what this client lost, stays. */
static void forget_life(struct uni_model *model)
{
	struct uni_model old = *model;

	uni_model_fini(model);
	model->has_state = old.has_state;
	model->state = old.state;
	memcpy(model->state_guest, old.state_guest, sizeof(model->state_guest));
	memcpy(model->dump_id, old.dump_id, sizeof(model->dump_id));
	model->host_cpu = old.host_cpu;
	model->starved = old.starved;
	model->losses.client_frames = old.losses.client_frames;
	model->losses.client_bytes = old.losses.client_bytes;
	model->losses.malformed_frames = old.losses.malformed_frames;
}

static int apply_hello(struct uni_model *model, struct uni_cursor *payload)
{
	struct uni_hello wire;
	struct uni_model_hello hello;
	struct uni_cursor peek = *payload;
	const void *cmdline;
	uint16_t header_size;

	uni_cursor_u16(&peek);
	header_size = uni_cursor_u16(&peek);
	uni_cursor_struct(payload, header_size, &wire, sizeof(wire));
	if (uni_cursor_failed(payload) || header_size < sizeof(wire) ||
	    wire.build_id_len > UNI_BUILD_ID_MAX)
		return -UNI_EINVAL;
	cmdline = uni_cursor_bytes(payload, wire.cmdline_len);
	if (!cmdline)
		return -UNI_EINVAL;

	hello = (struct uni_model_hello){
		.version = wire.version,
		.cpu_count = wire.cpu_count,
		.features = wire.features,
		.tsc_hz = wire.tsc_hz,
		.memory_size = wire.memory_size,
		.clock_method = wire.clock_method,
		.interval_ms = wire.interval_ms,
	};
	hex(hello.boot_id, wire.boot_id, sizeof(wire.boot_id));
	hex(hello.build_id, wire.build_id, wire.build_id_len);
	uni_sanitize(hello.application, sizeof(hello.application), wire.application,
		     strnlen(wire.application, sizeof(wire.application)));
	uni_sanitize(hello.kernel, sizeof(hello.kernel), wire.kernel,
		     strnlen(wire.kernel, sizeof(wire.kernel)));
	uni_sanitize(hello.cmdline, sizeof(hello.cmdline), cmdline, wire.cmdline_len);

	if (model->has_hello && strcmp(model->hello.boot_id, hello.boot_id) != 0)
		forget_life(model);
	model->hello = hello;
	model->has_hello = true;
	return 0;
}

/* The supervisor looks at its threads once a second, and sends their times then; the state that it
 * greets with, or sends between, carries times of up to a second ago. */
#define HOST_RATE_MIN_NS 900000000ull

static void update_host_rates(struct uni_model *model, const struct uni_guest_state *state,
			      uint64_t now_ns)
{
	uint64_t min_ns =
		model->rate_min_ns > HOST_RATE_MIN_NS ? model->rate_min_ns : HOST_RATE_MIN_NS;

	uni_rate_update(&model->host_cpu, state->cpu_ns, now_ns, min_ns);
	uni_rate_update(&model->starved, state->starved_ns, now_ns, min_ns);
}

static int apply_state(struct uni_model *model, struct uni_cursor *payload, uint64_t now_ns)
{
	struct uni_guest_state state;

	if (payload->left < sizeof(state))
		return -UNI_EINVAL;
	uni_cursor_struct(payload, payload->left, &state, sizeof(state));
	if (model->has_state)
		update_host_rates(model, &state, now_ns);
	model->state = state;
	model->has_state = true;
	uni_sanitize(model->state_guest, sizeof(model->state_guest), state.guest,
		     strnlen(state.guest, sizeof(state.guest)));
	uni_sanitize(model->dump_id, sizeof(model->dump_id), state.dump,
		     strnlen(state.dump, sizeof(state.dump)));
	return 0;
}

static int apply_panic(struct uni_model *model, struct uni_cursor *payload)
{
	struct uni_panic_record record;
	struct uni_cursor peek = *payload;
	uint16_t header_size = uni_cursor_u16(&peek);
	const void *reason;

	uni_cursor_struct(payload, header_size, &record, sizeof(record));
	if (uni_cursor_failed(payload) || header_size < sizeof(record))
		return -UNI_EINVAL;
	reason = uni_cursor_bytes(payload, record.reason_len);
	if (!reason)
		return -UNI_EINVAL;
	model->panic.record = record;
	uni_sanitize(model->panic.reason, sizeof(model->panic.reason), reason, record.reason_len);
	model->has_panic = true;
	return 0;
}

static int check_log(struct uni_cursor payload, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct uni_log_record record;

		uni_cursor_struct(&payload, sizeof(record), &record, sizeof(record));
		uni_cursor_skip(&payload, record.text_len);
		uni_cursor_align(&payload, 8);
		if (uni_cursor_failed(&payload))
			return -UNI_EINVAL;
	}
	return 0;
}

static int apply_log(struct uni_model *model, struct uni_cursor *payload)
{
	struct uni_log_batch batch;

	uni_cursor_struct(payload, sizeof(batch), &batch, sizeof(batch));
	if (uni_cursor_failed(payload) || check_log(*payload, batch.count) < 0)
		return -UNI_EINVAL;
	if (!model->log) {
		model->log = calloc(UNI_MODEL_LOG_LINES, sizeof(*model->log));
		if (!model->log)
			return -UNI_ENOMEM;
	}
	for (uint32_t i = 0; i < batch.count; i++) {
		const struct uni_model_log_line *last = uni_model_log_line(model, 0);
		struct uni_model_log_line *line;
		struct uni_log_record record;
		const char *text;

		uni_cursor_struct(payload, sizeof(record), &record, sizeof(record));
		text = uni_cursor_bytes(payload, record.text_len);
		uni_cursor_align(payload, 8);
		/* A snapshot may bring lines again that a heartbeat brought before. */
		if (last && record.sequence <= last->sequence)
			continue;
		line = &model->log[model->log_next++ % UNI_MODEL_LOG_LINES];
		line->sequence = record.sequence;
		line->time_ns = record.time_ns;
		line->thread = record.thread;
		line->cpu = record.cpu;
		line->level = record.level;
		uni_sanitize(line->text, sizeof(line->text), text, record.text_len);
	}
	model->losses.log_lines = batch.lost;
	return 0;
}

static int apply_tracepoints(struct uni_model *model, struct uni_cursor *payload)
{
	uint32_t count = uni_cursor_u32(payload);
	uint32_t on = 0;

	uni_cursor_u32(payload);
	if (uni_cursor_failed(payload) || payload->left < (count + 7ull) / 8)
		return -UNI_EINVAL;
	for (uint32_t i = 0; i < (count + 7ull) / 8; i++)
		on += (uint32_t)__builtin_popcount(uni_cursor_u8(payload));
	model->tracepoint_count = count;
	model->tracepoints_on = on < count ? on : count; /* the last byte may hold more bits */
	return 0;
}

static int apply_client_lost(struct uni_model *model, struct uni_cursor *payload)
{
	struct uni_client_lost lost;

	uni_cursor_struct(payload, sizeof(lost), &lost, sizeof(lost));
	if (uni_cursor_failed(payload))
		return -UNI_EINVAL;
	model->losses.client_frames = lost.frames;
	model->losses.client_bytes = lost.bytes;
	return 0;
}

static int apply_bye(struct uni_model *model, struct uni_cursor *payload)
{
	struct uni_bye bye;

	uni_cursor_struct(payload, sizeof(bye), &bye, sizeof(bye));
	if (uni_cursor_failed(payload))
		return -UNI_EINVAL;
	model->bye_status = bye.status;
	model->has_bye = true;
	return 0;
}

static int apply(struct uni_model *model, uint16_t type, struct uni_cursor *payload,
		 uint64_t now_ns)
{
	switch (type) {
	case UNI_FRAME_HELLO:
		return apply_hello(model, payload);
	case UNI_FRAME_METRIC_TABLE:
		return model_apply_metric_table(model, payload);
	case UNI_FRAME_METRICS:
		return model_apply_metrics(model, payload);
	case UNI_FRAME_CPUS:
		return model_apply_cpus(model, payload);
	case UNI_FRAME_THREADS:
		return model_apply_threads(model, payload);
	case UNI_FRAME_LOG:
		return apply_log(model, payload);
	case UNI_FRAME_TRACEPOINTS:
		return apply_tracepoints(model, payload);
	case UNI_FRAME_TRACE_STATS:
		return model_apply_trace_stats(model, payload);
	case UNI_FRAME_PANIC:
		return apply_panic(model, payload);
	case UNI_FRAME_BYE:
		return apply_bye(model, payload);
	case UNI_FRAME_STATE:
		return apply_state(model, payload, now_ns);
	case UNI_FRAME_CLIENT_LOST:
		return apply_client_lost(model, payload);
	default:
		return 0;
	}
}

int uni_model_apply(struct uni_model *model, const struct uni_client_frame *frame, uint64_t now_ns)
{
	struct uni_cursor payload;
	int error;

	uni_cursor_init(&payload, frame->payload, frame->len, "frame of the guest");
	error = apply(model, frame->type, &payload, now_ns);
	if (error == -UNI_EINVAL)
		model->losses.malformed_frames++;
	else if (error == 0 && frame->type < UNI_FRAME_STATE)
		model->received_ns = now_ns;
	return error;
}

const struct uni_model_log_line *uni_model_log_line(const struct uni_model *model, size_t age)
{
	if (age >= UNI_MODEL_LOG_LINES || age >= model->log_next)
		return NULL;
	return &model->log[(model->log_next - 1 - age) % UNI_MODEL_LOG_LINES];
}
