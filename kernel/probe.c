/* SPDX-License-Identifier: MIT */

/* The kernel under the guest probe: its port, its thread, and who the guest is. */

#include "kernel/probe.h"

#include <string.h>

#include "kernel/app.h"
#include "kernel/boot_id.h"
#include "kernel/clock.h"
#include "kernel/cmdline.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/debug.h"
#include "kernel/image.h"
#include "kernel/log.h"
#include "kernel/page.h"
#include "kernel/probe_internal.h"
#include "kernel/shutdown.h"
#include "kernel/sync.h"
#include "kernel/thread.h"
#include "kernel/trace.h"
#include "tracing/errno.h"

/* The log is looked at this often: whoever logs, perhaps in an NMI, cannot wake a thread. */
#define LOG_PERIOD_NS (200 * NS_PER_MS)

/* What the end of the guest waits for a host that is slow to read. */
#define BYE_TIMEOUT_US 200000

#define METRIC_SLOTS 128

struct uni_probe probe;
struct uni_metrics probe_metrics;
struct port *probe_port;
struct thread *probe_thread;

static const struct uni_metric *metric_slots[METRIC_SLOTS];
static struct uni_probe_identity identity;
static struct semaphore wake = SEMAPHORE_INIT(wake, "probe", 0);

/* probe_bye() asks the probe's thread, which alone uses the probe. */
static struct semaphore bye_said = SEMAPHORE_INIT(bye_said, "probe bye", 0);
static bool bye_wanted;
static int bye_status;

/* Set with the last frame: it goes out before the guest does. */
static bool waits_for_host;

static int write_port(void *context, const void *frame, size_t len)
{
	const struct port_iov iov = {frame, len};

	if (waits_for_host)
		return port_poll_write(probe_port, &iov, 1, BYE_TIMEOUT_US);
	return port_write(probe_port, &iov, 1);
}

static long read_port(void *context, void *buffer, size_t len)
{
	return port_read(probe_port, buffer, len);
}

static uint64_t tsc(void *context)
{
	return clock_tsc();
}

static uint64_t time_ns(void *context)
{
	return clock_ns();
}

static void end(void *context)
{
	waits_for_host = true;
	debug_exited(0);
	uni_probe_bye(&probe, 0);
	shutdown();
}

static const struct uni_probe_ops ops = {
	.write = write_port,
	.read = read_port,
	.tsc = tsc,
	.time_ns = time_ns,
	.cpus = probe_cpus,
	.threads = probe_threads,
	.log_range = probe_log_range,
	.log_read = probe_log_read,
	.is_alive = probe_is_alive,
	.crash = probe_crash,
	.shutdown = end,
	.trace = &probe_trace_ops,
};

static void on_port_event(struct port *port, unsigned events, void *arg)
{
	if (events & PORT_EVENT_OPENED)
		uni_probe_opened(&probe);
	sem_post(&wake);
}

static void say_bye(void)
{
	waits_for_host = true;
	uni_probe_bye(&probe, bye_status);
	sem_post(&bye_said);
}

static int run(void *argument)
{
	for (;;) {
		const uint64_t due_ns = uni_probe_poll(&probe);
		const uint64_t now_ns = clock_ns();
		const uint64_t left_ns = due_ns > now_ns ? due_ns - now_ns : 0;

		if (__atomic_load_n(&bye_wanted, __ATOMIC_ACQUIRE))
			break;
		sem_wait_timeout(&wake, left_ns < LOG_PERIOD_NS ? left_ns : LOG_PERIOD_NS);
	}
	say_bye();
	return 0;
}

void probe_bye(int status)
{
	if (probe_thread == NULL)
		return;
	bye_status = status;
	__atomic_store_n(&bye_wanted, true, __ATOMIC_RELEASE);
	sem_post(&wake);
	sem_wait_timeout(&bye_said, 2 * BYE_TIMEOUT_US * NS_PER_US);
}

int probe_add_metric(const struct uni_metric *metric)
{
	return uni_metrics_add(&probe_metrics, metric);
}

/* kernel_build_id is the whole note: its header, "GNU" with its 0, the bytes. */
static void find_build_id(void)
{
	const uint32_t *note = (const uint32_t *)kernel_build_id;
	const uint8_t *bytes = (const uint8_t *)(note + 4);
	uint32_t len;

	if (kernel_build_id_end - kernel_build_id <= (long)sizeof(uint32_t) * 4)
		return;
	len = note[1] < UNI_BUILD_ID_MAX ? note[1] : UNI_BUILD_ID_MAX;
	memcpy(identity.build_id, bytes, len);
	identity.build_id_len = len;
}

static uint32_t features(void)
{
	return UNI_FEATURE_DUMP | (port_find(PORT_NAME_GDB) != NULL ? UNI_FEATURE_GDB : 0) |
	       (port_find(PORT_NAME_TRACE) != NULL && trace_packet_size() != 0 ? UNI_FEATURE_TRACE
									       : 0) |
	       (port_find(PORT_NAME_APP) != NULL ? UNI_FEATURE_APP : 0);
}

static enum uni_clock_method clock_method(void)
{
	switch (clock_get_method()) {
	case CLOCK_CPUID:
		return UNI_CLOCK_CPUID;
	case CLOCK_KVMCLOCK:
		return UNI_CLOCK_KVMCLOCK;
	case CLOCK_PIT:
		return UNI_CLOCK_PIT;
	default:
		return UNI_CLOCK_UNKNOWN;
	}
}

static uint64_t memory_size(void)
{
	uint64_t size = 0;

	for (unsigned i = 0; i < page_ram_count(); i++)
		size += page_ram(i).end - page_ram(i).start;
	return size;
}

static void identify(void)
{
	boot_id_make(identity.boot_id, sizeof(identity.boot_id));
	trace_set_boot_id(identity.boot_id);
	find_build_id();
	identity.cpu_count = cpu_count();
	identity.features = features();
	identity.trace_packet_size =
		identity.features & UNI_FEATURE_TRACE ? trace_packet_size() : 0;
	identity.tsc_hz = clock_tsc_hz();
	identity.memory_size = memory_size();
	identity.clock_method = clock_method();
	identity.application = app_name;
	identity.kernel = "uniscope " UNI_VERSION;
	identity.cmdline = cmdline_text();
}

void probe_init(void)
{
	const struct thread_options options = {
		.name = "probe",
		.priority = THREAD_PRIORITY_HIGH,
		.detached = true,
		.service = true,
	};

	uni_metrics_init(&probe_metrics, metric_slots, METRIC_SLOTS);
	probe_metrics_init();
	identify();
	uni_probe_init(&probe, &ops, NULL, &identity, &probe_metrics);
	probe_port = port_find(PORT_NAME_PROBE);
	if (probe_port == NULL) {
		log_printf(LOG_INFO, "probe: no port %s: nobody looks on", PORT_NAME_PROBE);
		return;
	}
	probe_thread = thread_create(&options, run, NULL);
	if (probe_thread == NULL) {
		log_printf(LOG_ERROR, "probe: no memory for its thread");
		return;
	}
	port_on_event(probe_port, on_port_event, NULL);
}
