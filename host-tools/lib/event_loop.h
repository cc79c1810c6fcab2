/* SPDX-License-Identifier: MIT */
/*
 * An epoll(7) loop of one thread: descriptors, timers, signals and processes.
 *
 * Sources lie in the caller's structures. A source may be removed or freed at any time, also from
 * within its own call or that of another: events are fetched one at a time, so that none that is
 * already on its way can meet a source that is gone.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

/* `events` are EPOLL* bits. */
typedef void (*uni_event_fn)(void *context, uint32_t events);

struct uni_event_source {
	uni_event_fn call;
	void *context;
	int fd; /* -1: not in a loop */
	uint32_t events;
};

struct uni_event_loop {
	int fd;
	bool stopped;
};

/* Functions return 0 or a negative errno value. */
int uni_event_loop_init(struct uni_event_loop *loop);
void uni_event_loop_fini(struct uni_event_loop *loop);

/* Calls sources until uni_event_loop_stop(). */
int uni_event_loop_run(struct uni_event_loop *loop);
void uni_event_loop_stop(struct uni_event_loop *loop);

/* The descriptor stays the caller's. */
int uni_event_source_add(struct uni_event_loop *loop, struct uni_event_source *source, int fd,
			 uint32_t events, uni_event_fn call, void *context);

/* Waits for other events; cheap when they are the same. */
void uni_event_source_want(struct uni_event_loop *loop, struct uni_event_source *source,
			   uint32_t events);

/* A source that is zero or removed already is fine. Remove before closing the descriptor. */
void uni_event_source_remove(struct uni_event_loop *loop, struct uni_event_source *source);

/* A timer owns its descriptor. It calls with events 0. */
struct uni_event_timer {
	struct uni_event_source source;
	uni_event_fn call;
	void *context;
};

int uni_event_timer_init(struct uni_event_loop *loop, struct uni_event_timer *timer,
			 uni_event_fn call, void *context);
void uni_event_timer_fini(struct uni_event_loop *loop, struct uni_event_timer *timer);

/* Calls once after delay_ms (at least 1), and then each period_ms unless that is 0. Replaces an
 * earlier setting. */
void uni_event_timer_arm(struct uni_event_timer *timer, uint64_t delay_ms, uint64_t period_ms);
void uni_event_timer_disarm(struct uni_event_timer *timer);

/* CLOCK_MONOTONIC, in nanoseconds. */
uint64_t uni_event_now_ns(void);
