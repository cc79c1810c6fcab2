/* SPDX-License-Identifier: MIT */
/*
 * Each second: what the host's scheduler says of the vCPUs, and whether the guest is still alive. A
 * guest that has a probe and sends no heartbeat for the hang timeout is made to panic, unless it is
 * held by gdb, paused, or the host gave it no CPU.
 */
#include <inttypes.h>
#include <stdio.h>

#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/supervisor_internal.h"

#define TICK_MS 1000
#define TICK_NS (TICK_MS * 1000000ull)

/* A guest that has been asked to panic does so by itself in this time, or is made to. */
#define CRASH_GRACE_NS 500000000ull

/* And one that no NMI reaches is given up after this time. */
#define HANG_GRACE_NS 5000000000ull

/* Linux, Documentation/scheduler/sched-stats.rst: time on a CPU, time waiting for one. */
static void read_schedstat(pid_t pid, uint32_t tid, uint64_t *run_ns, uint64_t *wait_ns)
{
	char path[64];
	uni_cleanup_file FILE *file = NULL;

	snprintf(path, sizeof(path), "/proc/%d/task/%u/schedstat", pid, tid);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%" SCNu64 " %" SCNu64, run_ns, wait_ns) != 2)
		*run_ns = *wait_ns = 0;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* A thread that ends takes its numbers along: these only rise. */
static void look_at_vcpus(struct supervisor *supervisor)
{
	struct watchdog *watchdog = &supervisor->watchdog;
	uint64_t cpu_ns = 0, starved_ns = 0, most_starved_ns = 0;

	for (unsigned i = 0; i < supervisor->vcpu_count; i++) {
		uint64_t *last = &watchdog->vcpu_starved_ns[i];
		uint64_t run_ns, wait_ns;

		read_schedstat(supervisor->qemu.pid, supervisor->vcpu_tids[i], &run_ns, &wait_ns);
		wait_ns = max_u64(wait_ns, *last);
		most_starved_ns = max_u64(most_starved_ns, wait_ns - *last);
		*last = wait_ns;
		cpu_ns += run_ns;
		starved_ns += wait_ns;
	}
	watchdog->quiet_starved_ns += most_starved_ns;
	watchdog->starved_ns = starved_ns;
	watchdog->cpu_ns = max_u64(watchdog->cpu_ns, cpu_ns);
}

/* Time the guest was silent for no reason of the host's. */
static uint64_t silent_ns(const struct supervisor *supervisor)
{
	uint64_t silent = uni_event_now_ns() - supervisor->guest.heard_ns;
	uint64_t starved = supervisor->watchdog.quiet_starved_ns;

	return silent > starved ? silent - starved : 0;
}

void watchdog_crash_asked(struct supervisor *supervisor)
{
	if (!supervisor->watchdog.crash_asked_ns)
		supervisor->watchdog.crash_asked_ns = uni_event_now_ns();
}

static void make_panic(struct supervisor *supervisor)
{
	struct uni_crash_request request = {.kind = UNI_PANIC_HANG};

	watchdog_crash_asked(supervisor);
	/* Its loss would show as a guest that does not panic, which is tried again. */
	(void)guest_request(supervisor, UNI_FRAME_CRASH, &request, sizeof(request), 0, 0);
	supervisor_inject_nmi(supervisor);
}

static bool may_hang(const struct supervisor *supervisor)
{
	const struct life *life = &supervisor->life;

	return supervisor->options->hang_timeout_ms && supervisor->guest.has_hello &&
	       !life->paused && !life->has_bye && !supervisor->dump.panicked &&
	       !gdb_attached(supervisor);
}

static bool is_silent(const struct supervisor *supervisor)
{
	return silent_ns(supervisor) > supervisor->options->hang_timeout_ms * 1000000;
}

/* Whether it runs although gdb is there. */
static bool is_beating(const struct supervisor *supervisor)
{
	return supervisor->guest.heard_ns > supervisor->gdb_watch.attached_ns &&
	       silent_ns(supervisor) < 2 * TICK_NS;
}

static void look_at_guest(struct supervisor *supervisor)
{
	struct watchdog *watchdog = &supervisor->watchdog;
	uint64_t now = uni_event_now_ns();

	if (watchdog->crash_asked_ns && !supervisor->dump.panicked) {
		uint64_t waited = now - watchdog->crash_asked_ns;

		if (waited > HANG_GRACE_NS && may_hang(supervisor) && is_silent(supervisor))
			life_hung(supervisor);
		else if (waited > CRASH_GRACE_NS)
			supervisor_inject_nmi(supervisor);
	}
	if (may_hang(supervisor) && is_silent(supervisor))
		make_panic(supervisor);
	/* gdb lets it run after `continue`, and then there are heartbeats. */
	if (gdb_attached(supervisor))
		life_set_state(supervisor,
			       is_beating(supervisor) ? UNI_GUEST_RUNNING : UNI_GUEST_DEBUGGED);
}

static void on_tick(void *context, uint32_t events)
{
	struct supervisor *supervisor = context;
	struct uni_guest_state state;

	look_at_vcpus(supervisor);
	look_at_guest(supervisor);
	state = life_state_payload(supervisor);
	clients_broadcast(supervisor, UNI_FRAME_STATE, &state, sizeof(state));
}

void watchdog_heard(struct supervisor *supervisor)
{
	supervisor->guest.heard_ns = uni_event_now_ns();
	supervisor->watchdog.quiet_starved_ns = 0;
}

int watchdog_init(struct supervisor *supervisor)
{
	int status = uni_event_timer_init(&supervisor->loop, &supervisor->watchdog.timer, on_tick,
					  supervisor);

	watchdog_heard(supervisor);
	uni_event_timer_arm(&supervisor->watchdog.timer, TICK_MS, TICK_MS);
	return status;
}

void watchdog_fini(struct supervisor *supervisor)
{
	uni_event_timer_fini(&supervisor->loop, &supervisor->watchdog.timer);
}
