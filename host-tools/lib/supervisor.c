/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/supervisor.h"

#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "host-tools/lib/cleanup.h"
#include "host-tools/lib/supervisor_internal.h"
#include "tracing/errno.h"

/* Where QEMU listens for the two ports that open and close; shorter than the sockets' names. */
#define GDB_PORT "gdb.port"
#define APP_PORT "app.port"

#define STOP_GRACE_MS 2000

static void on_qmp_event(void *context, const char *name, struct json_object *data)
{
	life_qmp_event(context, name, data);
}

void supervisor_inject_nmi(struct supervisor *supervisor)
{
	/* One that cannot be sent is tried again by whoever waits for its effect. */
	(void)uni_qmp_execute(&supervisor->qmp, "inject-nmi", NULL, NULL, NULL);
}

static void on_vcpus(void *context, struct json_object *result)
{
	struct supervisor *supervisor = context;
	size_t count =
		json_object_is_type(result, json_type_array) ? json_object_array_length(result) : 0;

	for (size_t i = 0; i < count && i < UNI_LAUNCH_CPUS_MAX; i++) {
		struct json_object *vcpu = json_object_array_get_idx(result, i);
		struct json_object *tid;

		if (json_object_object_get_ex(vcpu, "thread-id", &tid))
			supervisor->vcpu_tids[supervisor->vcpu_count++] =
				(uint32_t)json_object_get_int64(tid);
	}
}

static void on_signal(void *context, uint32_t events)
{
	struct supervisor *supervisor = context;
	struct signalfd_siginfo info;

	if (read(supervisor->signal_fd, &info, sizeof(info)) == sizeof(info))
		life_stop(supervisor, STOP_GRACE_MS);
}

static void on_control(void *context, uint32_t events)
{
	struct supervisor *supervisor = context;
	uint8_t byte;
	ssize_t len = read(supervisor->options->control_fd, &byte, 1);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0)
		uni_event_source_remove(&supervisor->loop, &supervisor->control);
	if (len > 0 || supervisor->options->stop_at_eof)
		life_stop(supervisor, supervisor->life.stop_asked ? 0 : STOP_GRACE_MS);
}

static int catch_signals(struct supervisor *supervisor)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	supervisor->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (supervisor->signal_fd < 0)
		return -errno;
	return uni_event_source_add(&supervisor->loop, &supervisor->signals, supervisor->signal_fd,
				    EPOLLIN, on_signal, supervisor);
}

static void fill_info(struct supervisor *supervisor)
{
	const struct uni_supervisor_options *options = supervisor->options;
	struct uni_guest_info *info = &supervisor->info;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(info->name, sizeof(info->name), "%s", options->name);
	snprintf(info->image, sizeof(info->image), "%s", options->image->path);
	snprintf(info->build_id, sizeof(info->build_id), "%s", options->image->build_id_text);
	snprintf(info->machine, sizeof(info->machine), "%s", uni_machine_names[options->machine]);
	snprintf(info->accel, sizeof(info->accel), "%s", uni_accel_names[options->accel]);
	snprintf(info->arguments, sizeof(info->arguments), "%s", options->arguments);
	info->cpus = options->cpus;
	info->memory_mib = options->memory_mib;
	info->supervisor_pid = getpid();
	info->qemu_pid = supervisor->qemu.pid;
	info->started_unix_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The sockets that clients connect to, made before QEMU starts: nothing is left when one fails. */
struct listeners {
	int gdb, app, gdb_port, app_port;
};

static int listen_all(struct supervisor *supervisor, struct listeners *listeners,
		      struct uni_error *error)
{
	const struct {
		const char *name;
		int *fd;
	} sockets[] = {
		{UNI_SOCKET_PROBE, &supervisor->clients.listener_fd},
		{UNI_SOCKET_CONSOLE, &supervisor->console.listener_fd},
		{UNI_SOCKET_GDB, &listeners->gdb},
		{UNI_SOCKET_APP, &listeners->app},
		{GDB_PORT, &listeners->gdb_port},
		{APP_PORT, &listeners->app_port},
	};

	for (unsigned i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		*sockets[i].fd = uni_registry_listen(&supervisor->claim, sockets[i].name, error);
		if (*sockets[i].fd < 0)
			return *sockets[i].fd;
	}
	return 0;
}

static int launch(struct supervisor *supervisor, const struct listeners *listeners,
		  struct uni_error *error)
{
	const struct uni_supervisor_options *options = supervisor->options;
	struct uni_launch_options launch_options = {
		.name = options->name,
		.image = options->image,
		.machine = options->machine,
		.accel = options->accel,
		.cpus = options->cpus,
		.memory_mib = options->memory_mib,
		.arguments = options->arguments,
		.gdb_listener = listeners->gdb_port,
		.app_listener = listeners->app_port,
	};

	return uni_launch(&launch_options, &supervisor->qemu, error);
}

/* Puts every part on the loop. */
static int wire(struct supervisor *supervisor, struct listeners *listeners)
{
	int status = life_init(supervisor);

	snprintf(supervisor->gdb_port_path, sizeof(supervisor->gdb_port_path), "%s/%s",
		 supervisor->claim.folder, GDB_PORT);
	snprintf(supervisor->app_port_path, sizeof(supervisor->app_port_path), "%s/%s",
		 supervisor->claim.folder, APP_PORT);
	if (status == 0)
		status = uni_qmp_init(&supervisor->qmp, &supervisor->loop, supervisor->qemu.qmp_fd,
				      on_qmp_event, supervisor);
	supervisor->qemu.qmp_fd = -1;
	if (status == 0)
		status = uni_qmp_execute(&supervisor->qmp, "query-cpus-fast", NULL, on_vcpus,
					 supervisor);
	if (status == 0)
		status = uni_qmp_execute(&supervisor->qmp, "cont", NULL, NULL, NULL);
	if (status == 0)
		status = guest_init(supervisor);
	if (status == 0)
		status = console_init(supervisor);
	if (status == 0)
		status = clients_init(supervisor);
	if (status == 0)
		status = gdb_init(supervisor, listeners->gdb, supervisor->gdb_port_path);
	if (status == 0)
		status = port_proxy_init(&supervisor->app, &supervisor->loop, listeners->app,
					 supervisor->app_port_path, NULL, NULL);
	if (status == 0)
		status = dump_init(supervisor);
	if (status == 0)
		status = watchdog_init(supervisor);
	if (status == 0)
		status = catch_signals(supervisor);
	if (status == 0 && supervisor->options->control_fd >= 0)
		status = uni_event_source_add(&supervisor->loop, &supervisor->control,
					      supervisor->options->control_fd, EPOLLIN, on_control,
					      supervisor);
	return status;
}

static int supervise(struct supervisor *supervisor, struct uni_error *error)
{
	struct listeners listeners = {-1, -1, -1, -1};
	int status = listen_all(supervisor, &listeners, error);

	if (status == 0)
		status = launch(supervisor, &listeners, error);
	/* QEMU has its own copies. */
	if (listeners.gdb_port >= 0)
		close(listeners.gdb_port);
	if (listeners.app_port >= 0)
		close(listeners.app_port);
	if (status < 0)
		return uni_error_prefix(error, "cannot start %s", supervisor->options->name);
	fill_info(supervisor);
	status = wire(supervisor, &listeners);
	if (status < 0)
		return uni_error_system(error, -status, "cannot start %s",
					supervisor->options->name);
	status = uni_registry_publish(&supervisor->claim, &supervisor->info, error);
	if (status < 0)
		return uni_error_prefix(error, "cannot start %s", supervisor->options->name);
	if (supervisor->options->started)
		supervisor->options->started(supervisor->options->context);
	uni_event_loop_run(&supervisor->loop);
	life_conclude(supervisor);
	clients_linger(supervisor);
	return 0;
}

static void tear_down(struct supervisor *supervisor)
{
	watchdog_fini(supervisor);
	dump_fini(supervisor);
	port_proxy_fini(&supervisor->app);
	gdb_fini(supervisor);
	clients_fini(supervisor);
	console_fini(supervisor);
	guest_fini(supervisor);
	if (supervisor->qmp.loop)
		uni_qmp_fini(&supervisor->qmp);
	life_fini(supervisor);
	uni_launched_end(&supervisor->qemu);
	uni_event_loop_fini(&supervisor->loop);
}

int uni_supervisor_run(const struct uni_supervisor_options *options,
		       struct uni_guest_ending *ending, struct uni_error *error)
{
	uni_cleanup_free struct supervisor *supervisor = calloc(1, sizeof(*supervisor));
	int status;

	if (!supervisor)
		return uni_error_set(error, -UNI_ENOMEM, "out of memory");
	*ending = (struct uni_guest_ending){0};
	supervisor->options = options;
	supervisor->ending = ending;
	supervisor->qemu = uni_launched_none;
	status = uni_registry_claim(options->name, &supervisor->claim, error);
	if (status < 0)
		return status;
	status = uni_event_loop_init(&supervisor->loop);
	if (status == 0)
		status = supervise(supervisor, error);
	else
		uni_error_system(error, -status, "cannot start %s", options->name);
	tear_down(supervisor);
	uni_registry_release(&supervisor->claim);
	return status;
}
