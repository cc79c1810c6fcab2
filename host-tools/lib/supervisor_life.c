/* SPDX-License-Identifier: MIT */
/*
 * The guest's state, how it is stopped, and how it ended. What tells an end is what came over the
 * ports and QMP; QEMU's exit status only says whether QEMU itself failed.
 */
#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host-tools/lib/sanitize.h"
#include "host-tools/lib/supervisor_internal.h"
#include "tracing/errno.h"

/* A guest with a probe says hello well within this time of its first line. */
#define HELLO_MS 1000

/* QEMU that was told to quit has this long before it is killed. */
#define QUIT_MS 2000

void life_set_state(struct supervisor *supervisor, enum uni_guest_run_state state)
{
	struct life *life = &supervisor->life;
	struct uni_guest_state payload;
	bool ended = life->state == UNI_GUEST_CRASHED || life->state == UNI_GUEST_EXITED;
	bool dying = ended || life->state == UNI_GUEST_DUMPING;
	bool alive = state == UNI_GUEST_RUNNING || state == UNI_GUEST_DEBUGGED ||
		     state == UNI_GUEST_PAUSED;

	if (life->state == state || ended || (dying && alive))
		return;
	life->state = state;
	payload = life_state_payload(supervisor);
	clients_broadcast(supervisor, UNI_FRAME_STATE, &payload, sizeof(payload));
}

struct uni_guest_state life_state_payload(const struct supervisor *supervisor)
{
	struct uni_guest_state state = {
		.state = supervisor->life.state,
		.pid = supervisor->life.qemu_gone ? 0 : (uint32_t)supervisor->qemu.pid,
		.started_unix_ns = supervisor->info.started_unix_ns,
		.cpu_ns = supervisor->watchdog.cpu_ns,
		.starved_ns = supervisor->watchdog.starved_ns,
		.client_count = supervisor->clients.count,
	};

	memcpy(state.guest, supervisor->info.name, sizeof(state.guest));
	if (supervisor->dump.id)
		snprintf(state.dump, sizeof(state.dump), "%llu",
			 (unsigned long long)supervisor->dump.id);
	return state;
}

static void report_booted(struct supervisor *supervisor)
{
	struct life *life = &supervisor->life;

	if (life->booted)
		return;
	life->booted = true;
	uni_event_timer_disarm(&life->boot_timer);
	if (life->state == UNI_GUEST_BOOTING)
		life_set_state(supervisor, UNI_GUEST_RUNNING);
	if (supervisor->options->booted)
		supervisor->options->booted(supervisor->options->context);
}

static void on_boot_timer(void *context, uint32_t events)
{
	report_booted(context);
}

void life_booted(struct supervisor *supervisor)
{
	if (supervisor->guest.has_hello)
		report_booted(supervisor);
	else if (!supervisor->life.booted)
		uni_event_timer_arm(&supervisor->life.boot_timer, HELLO_MS, 0);
}

/* The registers are the last thing that QEMU is asked for. */
static void on_registers(void *context, struct json_object *result)
{
	struct supervisor *supervisor = context;

	if (json_object_is_type(result, json_type_string))
		supervisor->life.registers = strdup(json_object_get_string(result));
	life_quit(supervisor);
}

static void ask_registers(struct supervisor *supervisor)
{
	if (uni_qmp_execute(&supervisor->qmp, "human-monitor-command",
			    "{\"command-line\":\"info registers -a\"}", on_registers,
			    supervisor) < 0)
		life_quit(supervisor);
}

void life_hung(struct supervisor *supervisor)
{
	if (supervisor->life.hung)
		return;
	supervisor->life.hung = true;
	/* QEMU may be what hangs. */
	uni_event_timer_arm(&supervisor->life.stop_timer, QUIT_MS, 0);
	(void)uni_qmp_execute(&supervisor->qmp, "stop", NULL, NULL, NULL);
	ask_registers(supervisor);
}

/* The guest's machine is off and QEMU waits. One that meant it is let go; else there is something
 * to learn. */
static void machine_off(struct supervisor *supervisor)
{
	struct life *life = &supervisor->life;

	if (life->has_bye || life->stop_asked || supervisor->dump.panicked || life->quit_sent ||
	    strcmp(life->shutdown_reason, "guest-shutdown") == 0)
		life_quit(supervisor);
	else
		ask_registers(supervisor);
}

void life_qmp_event(struct supervisor *supervisor, const char *name, struct json_object *data)
{
	struct life *life = &supervisor->life;
	struct json_object *reason;

	/* The pause of a machine that is off is no news. */
	if (strcmp(name, "STOP") == 0 && !life->shutdown_reason[0]) {
		life->paused = true;
		life_set_state(supervisor, UNI_GUEST_PAUSED);
	} else if (strcmp(name, "RESUME") == 0 && life->paused) {
		life->paused = false;
		watchdog_heard(supervisor);
		life_set_state(supervisor, UNI_GUEST_RUNNING);
	} else if (strcmp(name, "SHUTDOWN") == 0 && !life->shutdown_reason[0]) {
		/* The first one: our quit makes another. */
		if (data && json_object_object_get_ex(data, "reason", &reason))
			snprintf(life->shutdown_reason, sizeof(life->shutdown_reason), "%s",
				 json_object_get_string(reason));
		machine_off(supervisor);
	}
}

static void on_stop_timer(void *context, uint32_t events)
{
	struct supervisor *supervisor = context;

	if (supervisor->life.quit_sent)
		kill(supervisor->qemu.pid, SIGKILL);
	else
		life_quit(supervisor);
}

void life_quit(struct supervisor *supervisor)
{
	struct life *life = &supervisor->life;

	if (life->quit_sent || life->qemu_gone)
		return;
	life->quit_sent = true;
	if (uni_qmp_execute(&supervisor->qmp, "quit", NULL, NULL, NULL) < 0)
		kill(supervisor->qemu.pid, SIGKILL);
	uni_event_timer_arm(&life->stop_timer, QUIT_MS, 0);
}

void life_stop(struct supervisor *supervisor, uint64_t grace_ms)
{
	struct life *life = &supervisor->life;

	life->stop_asked = true;
	if (life->quit_sent)
		return;
	/* A guest that is dying is let finish its dump; one that cannot hear is not asked. */
	if (life->paused || grace_ms == 0 ||
	    (!supervisor->dump.panicked &&
	     guest_request(supervisor, UNI_FRAME_SHUTDOWN, NULL, 0, 0, 0) < 0)) {
		life_quit(supervisor);
		return;
	}
	uni_event_timer_arm(&life->stop_timer, grace_ms, 0);
}

/* Keeps the end of what QEMU says. Returns false when there is nothing more to read now. */
static bool read_stderr(struct supervisor *supervisor)
{
	struct life *life = &supervisor->life;
	size_t kept = strlen(life->stderr_text);
	char data[512];
	ssize_t len = read(supervisor->qemu.stderr_fd, data, sizeof(data));

	if (len == 0)
		uni_event_source_remove(&supervisor->loop, &life->qemu_stderr);
	if (len <= 0)
		return false;
	if (kept + (size_t)len >= sizeof(life->stderr_text)) {
		size_t cut = kept + (size_t)len - (sizeof(life->stderr_text) - 1);

		memmove(life->stderr_text, life->stderr_text + cut, kept - cut);
		kept -= cut;
	}
	memcpy(life->stderr_text + kept, data, (size_t)len);
	life->stderr_text[kept + (size_t)len] = '\0';
	return true;
}

static void on_stderr(void *context, uint32_t events)
{
	read_stderr(context);
}

static void on_qemu(void *context, uint32_t events)
{
	struct supervisor *supervisor = context;
	struct life *life = &supervisor->life;

	if (waitpid(supervisor->qemu.pid, &life->qemu_status, WNOHANG) != supervisor->qemu.pid)
		return;
	supervisor->qemu.pid = -1;
	life->qemu_gone = true;
	uni_event_source_remove(&supervisor->loop, &life->qemu);
	uni_event_loop_stop(&supervisor->loop);
}

/* QEMU's last line, without the "qemu-system-x86_64: " before it. */
static const char *qemu_complaint(struct life *life)
{
	char *text = life->stderr_text;
	size_t len = strlen(text);
	char *line;

	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	if (strncmp(line, "qemu-system-x86_64: ", 20) == 0)
		line += 20;
	return line;
}

/* Why it ended where it neither said so itself nor was asked to. */
static void explain_qemu(struct supervisor *supervisor, char *out, size_t size)
{
	struct life *life = &supervisor->life;

	if (life->hung)
		snprintf(out, size,
			 "it hung: no heartbeat came, and it did not panic when it was "
			 "told to");
	else if (life->shutdown_reason[0] == '\0' && WIFSIGNALED(life->qemu_status))
		snprintf(out, size, "QEMU was killed by signal %d (%s)%s%s",
			 WTERMSIG(life->qemu_status), strsignal(WTERMSIG(life->qemu_status)),
			 life->stderr_text[0] ? ": " : "", qemu_complaint(life));
	else if (strcmp(life->shutdown_reason, "guest-reset") == 0)
		snprintf(out, size,
			 "it reset the machine: a triple fault, or a reboot without a "
			 "word");
	else if (WEXITSTATUS(life->qemu_status) != 0 && life->stderr_text[0])
		snprintf(out, size, "QEMU failed: %s", qemu_complaint(life));
	else
		snprintf(out, size, "QEMU ended with status %d", WEXITSTATUS(life->qemu_status));
}

static bool ended_cleanly(const struct life *life)
{
	if (life->has_bye)
		return life->bye_status == 0;
	if (life->hung)
		return false;
	return life->stop_asked || strcmp(life->shutdown_reason, "guest-shutdown") == 0;
}

static void answer_stops(struct supervisor *supervisor)
{
	struct life *life = &supervisor->life;

	for (unsigned i = 0; i < sizeof(life->stop_requests) / sizeof(life->stop_requests[0]);
	     i++) {
		struct pending_request *request = &life->stop_requests[i];
		struct client *client = clients_find(supervisor, request->client_id);

		if (client)
			client_reply(client, request->client_sequence, 0, "");
	}
}

void life_conclude(struct supervisor *supervisor)
{
	struct life *life = &supervisor->life;
	struct uni_guest_ending *ending = supervisor->ending;

	/* What was written before the end still lies in the sockets. */
	while (read_stderr(supervisor))
		;
	uni_qmp_drain(&supervisor->qmp);
	guest_drain(supervisor);
	console_drain(supervisor);
	dump_guest_gone(supervisor);
	guest_fail_pending(supervisor);

	console_last_line(supervisor, ending->last_line, sizeof(ending->last_line));
	ending->booted = life->booted;
	ending->clean = !supervisor->dump.panicked && ended_cleanly(life);
	if (supervisor->dump.panicked)
		uni_sanitize(ending->cause, sizeof(ending->cause), supervisor->dump.cause,
			     strlen(supervisor->dump.cause));
	else if (life->has_bye && life->bye_status != 0)
		snprintf(ending->cause, sizeof(ending->cause), "its application returned %d",
			 life->bye_status);
	else if (!ending->clean)
		explain_qemu(supervisor, ending->cause, sizeof(ending->cause));
	/* What dies while it boots is looked at by whoever started it, and leaves nothing. */
	if (!ending->clean && !supervisor->dump.panicked && !life->has_bye && life->booted)
		host_dump_write(supervisor, ending->cause);
	ending->dump_id = supervisor->dump.id;
	ending->dump_complete = supervisor->dump.complete;
	snprintf(ending->dump_failure, sizeof(ending->dump_failure), "%s",
		 supervisor->dump.failure);
	life_set_state(supervisor, ending->clean ? UNI_GUEST_EXITED : UNI_GUEST_CRASHED);
	answer_stops(supervisor);
}

int life_init(struct supervisor *supervisor)
{
	struct life *life = &supervisor->life;
	int status;

	life->state = UNI_GUEST_BOOTING;
	status = uni_event_timer_init(&supervisor->loop, &life->boot_timer, on_boot_timer,
				      supervisor);
	if (status == 0)
		status = uni_event_timer_init(&supervisor->loop, &life->stop_timer, on_stop_timer,
					      supervisor);
	if (status == 0)
		status =
			uni_event_source_add(&supervisor->loop, &life->qemu,
					     supervisor->qemu.pid_fd, EPOLLIN, on_qemu, supervisor);
	if (status == 0)
		status = uni_event_source_add(&supervisor->loop, &life->qemu_stderr,
					      supervisor->qemu.stderr_fd, EPOLLIN, on_stderr,
					      supervisor);
	return status;
}

void life_fini(struct supervisor *supervisor)
{
	struct life *life = &supervisor->life;

	uni_event_timer_fini(&supervisor->loop, &life->boot_timer);
	uni_event_timer_fini(&supervisor->loop, &life->stop_timer);
	uni_event_source_remove(&supervisor->loop, &life->qemu);
	uni_event_source_remove(&supervisor->loop, &life->qemu_stderr);
	free(life->registers);
}
