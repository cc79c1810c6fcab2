/* SPDX-License-Identifier: MIT */
/* The model of a guest, fed with frames as probe_abi.h lays them out, honest and hostile. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "host-tools/lib/guest_model.h"
#include "tracing/errno.h"

#define SECOND 1000000000ull

/* A frame in the making; its payload ends exactly where the allocation does, so that ASan sees a
 * read past it. */
struct draft {
	uint8_t bytes[UNI_FRAME_PAYLOAD_MAX];
	size_t len;
};

static struct draft draft;
static struct uni_model model;

static void setup(void)
{
	uni_model_init(&model, SECOND / 5);
	draft.len = 0;
}

static void teardown(void)
{
	uni_model_fini(&model);
}

TestSuite(guest_model, .init = setup, .fini = teardown);

static void put(const void *bytes, size_t len)
{
	memcpy(draft.bytes + draft.len, bytes, len);
	draft.len += len;
}

static int apply_at(uint16_t type, uint64_t now_ns)
{
	void *payload = malloc(draft.len);
	const struct uni_client_frame frame = {.type = type, .payload = payload, .len = draft.len};
	int result;

	memcpy(payload, draft.bytes, draft.len);
	result = uni_model_apply(&model, &frame, now_ns);
	free(payload);
	draft.len = 0;
	return result;
}

static int apply(uint16_t type)
{
	return apply_at(type, SECOND);
}

static void put_table(uint64_t time_ns, uint32_t count, uint32_t total, size_t record_size)
{
	const struct uni_table table = {
		.tsc = time_ns,
		.time_ns = time_ns,
		.count = count,
		.total = total,
		.record_size = (uint16_t)record_size,
	};

	put(&table, sizeof(table));
}

static void put_thread(uint32_t id, const char *name, uint64_t run_ns)
{
	struct uni_thread_record record = {.id = id, .state = UNI_THREAD_READY, .run_ns = run_ns};

	memcpy(record.name, name, strnlen(name, sizeof(record.name)));
	put(&record, sizeof(record));
}

static int apply_thread(uint64_t time_ns, uint32_t id, uint64_t run_ns)
{
	put_table(time_ns, 1, 1, sizeof(struct uni_thread_record));
	put_thread(id, "worker", run_ns);
	return apply(UNI_FRAME_THREADS);
}

static void put_hello(uint8_t life, const char *application, const char *cmdline)
{
	struct uni_hello hello = {
		.version = UNI_FRAME_VERSION,
		.header_size = sizeof(hello),
		.cpu_count = 2,
		.boot_id = {life},
		.build_id = {0xab, 0xcd},
		.build_id_len = 2,
		.memory_size = 64 << 20,
		.cmdline_len = (uint32_t)strlen(cmdline),
	};

	memcpy(hello.application, application, strnlen(application, sizeof(hello.application)));
	put(&hello, sizeof(hello));
	put(cmdline, strlen(cmdline));
}

Test(guest_model, keeps_what_the_hello_says)
{
	put_hello(1, "shop", "load=40");
	cr_assert_eq(apply(UNI_FRAME_HELLO), 0);
	cr_assert(model.has_hello);
	cr_assert_str_eq(model.hello.application, "shop");
	cr_assert_str_eq(model.hello.cmdline, "load=40");
	cr_assert_str_eq(model.hello.build_id, "abcd");
	cr_assert_str_eq(model.hello.boot_id, "01000000000000000000000000000000");
}

Test(guest_model, another_boot_id_is_another_life)
{
	struct uni_guest_state state = {.state = UNI_GUEST_RUNNING};

	put_hello(1, "shop", "");
	cr_assert_eq(apply(UNI_FRAME_HELLO), 0);
	put(&state, sizeof(state));
	cr_assert_eq(apply(UNI_FRAME_STATE), 0);
	cr_assert_eq(apply_thread(SECOND, 7, 0), 0);
	put_hello(1, "shop", "");
	cr_assert_eq(apply(UNI_FRAME_HELLO), 0);
	cr_assert_eq(model.thread_count, 1, "the same life again");
	put_hello(2, "shop", "");
	cr_assert_eq(apply(UNI_FRAME_HELLO), 0);
	cr_assert_eq(model.thread_count, 0);
	cr_assert(model.has_state, "the supervisor is the same");
}

Test(guest_model, shares_of_threads_are_differences)
{
	cr_assert_eq(apply_thread(10 * SECOND, 7, 4 * SECOND), 0);
	cr_assert_not(model.threads[0].run.known, "one look is no rate");
	cr_assert_eq(apply_thread(12 * SECOND, 7, 5 * SECOND), 0);
	cr_assert(model.threads[0].run.known);
	cr_assert_float_eq(model.threads[0].run.per_s, 0.5e9, 1);
}

Test(guest_model, looks_in_quick_succession_do_not_make_rates)
{
	cr_assert_eq(apply_thread(10 * SECOND, 7, 0), 0);
	cr_assert_eq(apply_thread(11 * SECOND, 7, SECOND / 4), 0);
	cr_assert_eq(apply_thread(11 * SECOND + 1000, 7, SECOND / 4 + 1000), 0);
	cr_assert_float_eq(model.threads[0].run.per_s, 0.25e9, 1);
}

Test(guest_model, a_counter_or_a_clock_that_goes_back_begins_anew)
{
	cr_assert_eq(apply_thread(10 * SECOND, 7, 4 * SECOND), 0);
	cr_assert_eq(apply_thread(11 * SECOND, 7, 5 * SECOND), 0);
	cr_assert_eq(apply_thread(12 * SECOND, 7, 1 * SECOND), 0);
	cr_assert_not(model.threads[0].run.known);
	cr_assert_eq(apply_thread(13 * SECOND, 7, 2 * SECOND), 0);
	cr_assert_float_eq(model.threads[0].run.per_s, 1e9, 1);
	cr_assert_eq(apply_thread(1 * SECOND, 7, 3 * SECOND), 0);
	cr_assert_not(model.threads[0].run.known);
}

Test(guest_model, threads_come_and_go)
{
	put_table(SECOND, 2, 2, sizeof(struct uni_thread_record));
	put_thread(9, "late", 0);
	put_thread(3, "early", 0);
	cr_assert_eq(apply(UNI_FRAME_THREADS), 0);
	cr_assert_eq(model.thread_count, 2);
	cr_assert_str_eq(model.threads[0].name, "early", "by id, whatever the order");
	cr_assert_eq(apply_thread(2 * SECOND, 9, 0), 0);
	cr_assert_eq(model.thread_count, 1);
	cr_assert_null(uni_model_thread(&model, 3));
	put_table(3 * SECOND, 0, 0, sizeof(struct uni_thread_record));
	cr_assert_eq(apply(UNI_FRAME_THREADS), 0);
	cr_assert_eq(model.thread_count, 0);
	cr_assert_null(uni_model_thread(&model, 9));
}

Test(guest_model, a_table_in_two_frames_is_one_table)
{
	for (unsigned look = 1; look <= 2; look++) {
		put_table(look * SECOND, 2, 3, sizeof(struct uni_thread_record));
		put_thread(1, "a", look * SECOND / 4);
		put_thread(2, "b", 0);
		cr_assert_eq(apply(UNI_FRAME_THREADS), 0);
		put_table(look * SECOND, 1, 3, sizeof(struct uni_thread_record));
		put_thread(3, "c", look * SECOND / 2);
		cr_assert_eq(apply(UNI_FRAME_THREADS), 0);
	}
	cr_assert_eq(model.thread_count, 3);
	cr_assert_eq(model.snapshots, 2);
	cr_assert_float_eq(uni_model_thread(&model, 1)->run.per_s, 0.25e9, 1);
	cr_assert_float_eq(uni_model_thread(&model, 3)->run.per_s, 0.5e9, 1,
			   "the second frame's threads have rates too");
}

Test(guest_model, an_id_counts_once)
{
	put_table(SECOND, 2, 2, sizeof(struct uni_thread_record));
	put_thread(5, "first", 0);
	put_thread(5, "second", 0);
	cr_assert_eq(apply(UNI_FRAME_THREADS), 0);
	cr_assert_eq(model.thread_count, 1);
}

Test(guest_model, names_cannot_reach_the_terminal_raw)
{
	put_table(SECOND, 1, 1, sizeof(struct uni_thread_record));
	put_thread(1, "\033[2Jx\007\377", 0);
	cr_assert_eq(apply(UNI_FRAME_THREADS), 0);
	cr_assert_str_eq(model.threads[0].name, "\\x1b[2Jx\\x07\\xff");
	put_hello(1, "\033c", "\n\033]0;owned\007");
	cr_assert_eq(apply(UNI_FRAME_HELLO), 0);
	for (const char *c = model.hello.cmdline; *c; c++)
		cr_assert(*c >= ' ' && *c < 0x7f);
	cr_assert_str_eq(model.hello.application, "\\x1bc");
}

Test(guest_model, a_full_name_has_no_terminator)
{
	struct uni_thread_record record = {.id = 1};

	/* Without one the next byte belongs to something else. */
	memset(record.name, 'n', sizeof(record.name));
	memset(record.wait_name, 'w', sizeof(record.wait_name));
	put_table(SECOND, 1, 1, sizeof(record));
	put(&record, sizeof(record));
	cr_assert_eq(apply(UNI_FRAME_THREADS), 0);
	cr_assert_str_eq(model.threads[0].name, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
	cr_assert_str_eq(model.threads[0].wait_name, "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww");
}

Test(guest_model, longer_records_of_a_newer_guest_are_read)
{
	const uint64_t unknown = UINT64_MAX;

	put_table(SECOND, 2, 2, sizeof(struct uni_thread_record) + sizeof(unknown));
	put_thread(1, "a", 0);
	put(&unknown, sizeof(unknown));
	put_thread(2, "b", 0);
	put(&unknown, sizeof(unknown));
	cr_assert_eq(apply(UNI_FRAME_THREADS), 0);
	cr_assert_eq(model.thread_count, 2);
	cr_assert_str_eq(model.threads[1].name, "b");
}

Test(guest_model, counts_that_the_payload_does_not_hold_are_refused)
{
	static const uint16_t tables[] = {
		UNI_FRAME_METRIC_TABLE, UNI_FRAME_METRICS,     UNI_FRAME_CPUS,
		UNI_FRAME_THREADS,	UNI_FRAME_TRACE_STATS,
	};
	static const uint32_t counts[] = {2, 1u << 20, UINT32_MAX};

	cr_assert_eq(apply_thread(SECOND, 7, 0), 0);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (size_t j = 0; j < sizeof(counts) / sizeof(counts[0]); j++) {
			put_table(SECOND, counts[j], counts[j], 136);
			put_thread(1, "x", 0);
			cr_assert_eq(apply(tables[i]), -UNI_EINVAL, "type %u count %u", tables[i],
				     counts[j]);
		}
		put_table(SECOND, 1, 1, 0);
		put_thread(1, "x", 0);
		cr_assert_eq(apply(tables[i]), -UNI_EINVAL, "type %u, records of 0 bytes",
			     tables[i]);
	}
	cr_assert_eq(model.losses.malformed_frames, 20);
	cr_assert_eq(model.thread_count, 1, "what was known stays");
	cr_assert_eq(model.threads[0].record.id, 7);
}

Test(guest_model, every_frame_cut_anywhere_is_harmless)
{
	for (uint16_t type = 0; type < 132; type++) {
		for (size_t len = 0; len < 400; len++) {
			memset(draft.bytes, 0xff, len);
			draft.len = len;
			(void)apply(type);
			memset(draft.bytes, 0, len);
			draft.len = len;
			(void)apply(type);
		}
	}
	cr_assert_eq(model.thread_count, 0);
	cr_assert_gt(model.losses.malformed_frames, 0);
}

Test(guest_model, memory_is_bounded_by_the_limits)
{
	const uint32_t per_frame = 7000;

	for (uint32_t frame = 0; frame < 3; frame++) {
		put_table(SECOND, per_frame, 21000, sizeof(struct uni_thread_record));
		for (uint32_t i = 0; i < per_frame; i++)
			put_thread(frame * per_frame + i + 1, "x", 0);
		cr_assert_eq(apply(UNI_FRAME_THREADS), 0);
	}
	cr_assert_eq(model.thread_count, UNI_MODEL_THREADS_MAX);
	cr_assert_eq(model.thread_total, 21000, "and says how many there are");

	put_table(SECOND, 10000, 10000, sizeof(struct uni_cpu_record));
	memset(draft.bytes + draft.len, 0, 10000 * sizeof(struct uni_cpu_record));
	draft.len += 10000 * sizeof(struct uni_cpu_record);
	cr_assert_eq(apply(UNI_FRAME_CPUS), 0);
	cr_assert_eq(model.cpu_count, UNI_MODEL_CPUS_MAX);
}

static void put_metric(uint32_t id, uint8_t kind, const char *name)
{
	struct uni_metric_desc desc = {.id = id, .kind = kind, .unit = UNI_UNIT_BYTES};

	memcpy(desc.name, name, strnlen(name, sizeof(desc.name)));
	put(&desc, sizeof(desc));
}

static int apply_values(uint64_t time_ns, uint64_t first, uint64_t second)
{
	const struct uni_metric_value values[] = {
		{.id = 99, .value = 1},
		{.id = 2, .value = second},
		{.id = 1, .value = first},
	};

	put_table(time_ns, 3, 3, sizeof(values[0]));
	put(values, sizeof(values));
	return apply(UNI_FRAME_METRICS);
}

Test(guest_model, metrics_are_matched_by_id)
{
	put_table(SECOND, 2, 2, sizeof(struct uni_metric_desc));
	put_metric(1, UNI_METRIC_GAUGE, "heap.used");
	put_metric(2, UNI_METRIC_COUNTER, "app.requests");
	cr_assert_eq(apply(UNI_FRAME_METRIC_TABLE), 0);
	cr_assert_not(uni_model_metric(&model, "heap.used")->has_value);
	cr_assert_eq(apply_values(1 * SECOND, 4096, 100), 0);
	cr_assert_eq(apply_values(3 * SECOND, 8192, 300), 0);
	cr_assert_eq(uni_model_metric(&model, "heap.used")->value, 8192);
	cr_assert_not(uni_model_metric(&model, "heap.used")->rate.known, "a gauge has no rate");
	cr_assert_float_eq(uni_model_metric(&model, "app.requests")->rate.per_s, 100, 0.001);
	cr_assert_null(uni_model_metric(&model, "nothing"));
}

Test(guest_model, a_metric_that_is_added_keeps_the_others)
{
	put_table(SECOND, 1, 1, sizeof(struct uni_metric_desc));
	put_metric(2, UNI_METRIC_COUNTER, "app.requests");
	cr_assert_eq(apply(UNI_FRAME_METRIC_TABLE), 0);
	cr_assert_eq(apply_values(1 * SECOND, 0, 100), 0);
	put_table(SECOND, 2, 2, sizeof(struct uni_metric_desc));
	put_metric(1, UNI_METRIC_GAUGE, "heap.used");
	put_metric(2, UNI_METRIC_COUNTER, "app.requests");
	cr_assert_eq(apply(UNI_FRAME_METRIC_TABLE), 0);
	cr_assert_eq(apply_values(2 * SECOND, 7, 150), 0);
	cr_assert_float_eq(uni_model_metric(&model, "app.requests")->rate.per_s, 50, 0.001);
}

static void put_log(uint64_t sequence, const char *text)
{
	const struct uni_log_record record = {
		.sequence = sequence,
		.level = UNI_LOG_INFO,
		.text_len = (uint32_t)strlen(text),
	};

	put(&record, sizeof(record));
	put(text, strlen(text));
	while (draft.len % 8)
		put("", 1);
}

Test(guest_model, keeps_the_end_of_the_log_once)
{
	for (uint64_t i = 0; i < 3 * UNI_MODEL_LOG_LINES; i += 2) {
		const struct uni_log_batch batch = {.lost = 5, .count = 3};

		/* The line before comes again, as after a snapshot. */
		put(&batch, sizeof(batch));
		put_log(i ? i - 1 : 0, i ? "again" : "even");
		put_log(i, "even");
		put_log(i + 1, "odd");
		cr_assert_eq(apply(UNI_FRAME_LOG), 0);
	}
	cr_assert_str_eq(uni_model_log_line(&model, 0)->text, "odd");
	cr_assert_str_eq(uni_model_log_line(&model, 1)->text, "even");
	cr_assert_str_eq(uni_model_log_line(&model, 2)->text, "odd", "not the one that came again");
	cr_assert_eq(uni_model_log_line(&model, 0)->sequence, 3 * UNI_MODEL_LOG_LINES - 1);
	cr_assert_not_null(uni_model_log_line(&model, UNI_MODEL_LOG_LINES - 1));
	cr_assert_null(uni_model_log_line(&model, UNI_MODEL_LOG_LINES));
	cr_assert_eq(model.losses.log_lines, 5);
}

Test(guest_model, says_what_a_thread_waits_for)
{
	struct uni_thread_record waiter = {
		.id = 1,
		.state = UNI_THREAD_BLOCKED,
		.wait_kind = UNI_WAIT_MUTEX,
		.wait_owner = 2,
		.wait_since_ns = 10 * SECOND - 12000000,
		.wait_name = "orders",
	};
	char text[256];

	put_table(10 * SECOND, 2, 2, sizeof(waiter));
	put(&waiter, sizeof(waiter));
	put_thread(2, "worker-3", 0);
	cr_assert_eq(apply(UNI_FRAME_THREADS), 0);
	cr_assert_str_eq(uni_model_wait_text(&model, &model.threads[0], text, sizeof(text)),
			 "mutex orders, held by worker-3 12 ms");
	cr_assert_str_eq(uni_model_wait_text(&model, &model.threads[1], text, sizeof(text)), "");
	waiter.wait_owner = 77;
	waiter.wait_kind = 200;
	waiter.wait_since_ns = UINT64_MAX;
	put_table(11 * SECOND, 1, 1, sizeof(waiter));
	put(&waiter, sizeof(waiter));
	cr_assert_eq(apply(UNI_FRAME_THREADS), 0);
	cr_assert_str_eq(uni_model_wait_text(&model, &model.threads[0], text, sizeof(text)),
			 "? orders, held by thread 77");
}

static int apply_cpu(uint64_t time_ns, uint64_t busy_ns, uint64_t irq_ns, uint64_t idle_ns)
{
	const struct uni_cpu_record record = {
		.busy_ns = busy_ns, .irq_ns = irq_ns, .idle_ns = idle_ns};

	put_table(time_ns, 1, 1, sizeof(record));
	put(&record, sizeof(record));
	return apply(UNI_FRAME_CPUS);
}

Test(guest_model, cpu_time_is_threads_and_interrupts)
{
	double share, busy, irq, idle;

	cr_assert_eq(apply_cpu(0, 0, 0, 0), 0);
	cr_assert_not(uni_model_cpu_share(&model, &share));
	cr_assert_eq(apply_cpu(10 * SECOND, 3 * SECOND, 1 * SECOND, 6 * SECOND), 0);
	cr_assert(uni_model_cpu_share(&model, &share));
	cr_assert_float_eq(share, 0.4, 1e-9);
	cr_assert(uni_model_one_cpu(&model.cpus[0], &busy, &irq, &idle));
	cr_assert_float_eq(busy, 0.3, 1e-9);
	cr_assert_float_eq(idle, 0.6, 1e-9);
	/* Counters as no guest has them give a share all the same. */
	cr_assert_eq(apply_cpu(20 * SECOND, UINT64_MAX, UINT64_MAX, UINT64_MAX), 0);
	cr_assert(uni_model_cpu_share(&model, &share));
	cr_assert(share >= 0 && share <= 1);
}

Test(guest_model, keeps_the_reason_of_a_death)
{
	static const char reason[] = "null pointer\033[2J";
	struct uni_panic_record record = {
		.header_size = sizeof(record),
		.kind = UNI_PANIC_FAULT,
		.reason_len = sizeof(reason) - 1,
	};

	put(&record, sizeof(record));
	put(reason, sizeof(reason) - 1);
	cr_assert_eq(apply(UNI_FRAME_PANIC), 0);
	cr_assert_str_eq(model.panic.reason, "null pointer\\x1b[2J");
	record.reason_len = UINT32_MAX;
	put(&record, sizeof(record));
	cr_assert_eq(apply(UNI_FRAME_PANIC), -UNI_EINVAL);
	cr_assert_str_eq(model.panic.reason, "null pointer\\x1b[2J", "the old one stays");
}

Test(guest_model, what_is_not_known_is_no_error)
{
	put("future", 6);
	cr_assert_eq(apply(63), 0);
	cr_assert_eq(model.losses.malformed_frames, 0);
}

static int apply_starved(uint64_t now_ns, uint64_t starved_ns)
{
	const struct uni_guest_state state = {.state = UNI_GUEST_RUNNING, .starved_ns = starved_ns};

	put(&state, sizeof(state));
	return apply_at(UNI_FRAME_STATE, now_ns);
}

Test(guest_model, the_times_of_a_greeting_are_not_of_its_moment)
{
	/* Greeted just before the supervisor's next look, which is 500 ms further. */
	cr_assert_eq(apply_starved(1900000000, 1 * SECOND), 0);
	cr_assert_eq(apply_starved(2 * SECOND, 1 * SECOND + SECOND / 2), 0);
	cr_assert_not(model.starved.known);
	/* A change of state between two looks brings old times again. */
	cr_assert_eq(apply_starved(2 * SECOND + SECOND / 2, 1 * SECOND + SECOND / 2), 0);
	cr_assert_eq(apply_starved(3 * SECOND, 2 * SECOND), 0);
	cr_assert(model.starved.known);
	cr_assert_float_eq(model.starved.per_s, 0.5e9, 1);
}
