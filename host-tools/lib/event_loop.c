/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/event_loop.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

int uni_event_loop_init(struct uni_event_loop *loop)
{
	loop->stopped = false;
	loop->fd = epoll_create1(EPOLL_CLOEXEC);
	return loop->fd < 0 ? -errno : 0;
}

void uni_event_loop_fini(struct uni_event_loop *loop)
{
	if (loop->fd >= 0)
		close(loop->fd);
	loop->fd = -1;
}

int uni_event_loop_run(struct uni_event_loop *loop)
{
	while (!loop->stopped) {
		struct epoll_event event;
		int count = epoll_wait(loop->fd, &event, 1, -1);
		struct uni_event_source *source;

		if (count < 0 && errno != EINTR)
			return -errno;
		if (count <= 0)
			continue;
		source = event.data.ptr;
		source->call(source->context, event.events);
	}
	return 0;
}

void uni_event_loop_stop(struct uni_event_loop *loop)
{
	loop->stopped = true;
}

int uni_event_source_add(struct uni_event_loop *loop, struct uni_event_source *source, int fd,
			 uint32_t events, uni_event_fn call, void *context)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	source->fd = -1;
	if (epoll_ctl(loop->fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	*source = (struct uni_event_source){
		.call = call, .context = context, .fd = fd, .events = events};
	return 0;
}

void uni_event_source_want(struct uni_event_loop *loop, struct uni_event_source *source,
			   uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	if (!source->call || source->fd < 0 || source->events == events)
		return;
	epoll_ctl(loop->fd, EPOLL_CTL_MOD, source->fd, &event);
	source->events = events;
}

void uni_event_source_remove(struct uni_event_loop *loop, struct uni_event_source *source)
{
	if (!source->call || source->fd < 0)
		return;
	epoll_ctl(loop->fd, EPOLL_CTL_DEL, source->fd, NULL);
	source->fd = -1;
	source->call = NULL;
}

static void expire(void *context, uint32_t events)
{
	struct uni_event_timer *timer = context;
	uint64_t count;

	if (read(timer->source.fd, &count, sizeof(count)) == sizeof(count))
		timer->call(timer->context, 0);
}

int uni_event_timer_init(struct uni_event_loop *loop, struct uni_event_timer *timer,
			 uni_event_fn call, void *context)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int status;

	if (fd < 0)
		return -errno;
	timer->call = call;
	timer->context = context;
	status = uni_event_source_add(loop, &timer->source, fd, EPOLLIN, expire, timer);
	if (status < 0)
		close(fd);
	return status;
}

void uni_event_timer_fini(struct uni_event_loop *loop, struct uni_event_timer *timer)
{
	int fd = timer->source.fd;

	if (!timer->source.call || fd < 0)
		return;
	uni_event_source_remove(loop, &timer->source);
	close(fd);
}

static struct timespec timespec_of_ms(uint64_t ms)
{
	return (struct timespec){
		.tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000,
	};
}

void uni_event_timer_arm(struct uni_event_timer *timer, uint64_t delay_ms, uint64_t period_ms)
{
	struct itimerspec setting = {
		.it_value = timespec_of_ms(delay_ms ? delay_ms : 1),
		.it_interval = timespec_of_ms(period_ms),
	};

	if (timer->source.call)
		timerfd_settime(timer->source.fd, 0, &setting, NULL);
}

void uni_event_timer_disarm(struct uni_event_timer *timer)
{
	struct itimerspec setting = {0};

	if (timer->source.call)
		timerfd_settime(timer->source.fd, 0, &setting, NULL);
}

uint64_t uni_event_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
