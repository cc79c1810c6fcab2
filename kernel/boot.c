/* SPDX-License-Identifier: MIT */

/* From the first instruction of C to the application, in the order of who needs whom. */

#include "kernel/boot.h"

#include "kernel/acpi.h"
#include "kernel/app.h"
#include "kernel/arch/x86_64/lapic.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/clock.h"
#include "kernel/cmdline.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/debug.h"
#include "kernel/irq.h"
#include "kernel/log.h"
#include "kernel/page.h"
#include "kernel/panic.h"
#include "kernel/port.h"
#include "kernel/probe.h"
#include "kernel/shutdown.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "kernel/trace.h"

extern char boot_stack[], boot_stack_end[];

const struct pvh_start_info *boot_info;

static void say_hello(void)
{
	struct page_stats pages;

	page_get_stats(&pages);
	log_printf(LOG_INFO, "%u cpu%s, %llu MiB free, tsc %llu.%03llu GHz (%s)", cpu_count(),
		   cpu_count() == 1 ? "" : "s", (unsigned long long)(pages.free * PAGE_SIZE >> 20),
		   (unsigned long long)(clock_tsc_hz() / NS_PER_S),
		   (unsigned long long)(clock_tsc_hz() % NS_PER_S / NS_PER_MS),
		   clock_method_name());
}

static int main_thread(void *argument)
{
	int code;

	page_unmap_low();
	port_init();
	trace_init();
	probe_init();
	debug_init();
	code = app_main();
	if (code != 0)
		log_printf(LOG_ERROR, "app_main() returned %d", code);
	debug_exited(code);
	probe_bye(code);
	shutdown();
}

void kernel_boot(const struct pvh_start_info *info)
{
	boot_info = info;
	cpu_init(0, 0);
	console_init();
	trap_init();
	if (info->magic != PVH_MAGIC)
		panic("not started by a PVH loader");
	cmdline_init(info->command_line != 0 ? (const char *)info->command_line : "");
	page_init();
	acpi_init(info->rsdp);
	shutdown_init();
	cpu_stacks_init(&cpus[0]);
	trap_init_cpu();

	irq_init();
	cpus[0].hw_id = lapic_id();
	irq_init_cpu();
	clock_init();
	lapic_timer_init();
	timer_init_cpu();
	thread_init_cpu(&cpus[0], (uintptr_t)boot_stack, (uintptr_t)boot_stack_end);
	cpus[0].online = true;
	debug_init_early();
	cpu_start_others();
	irq_enable();

	console_start();
	say_hello();
	thread_start_reaper();
	thread_spawn("main", main_thread, NULL);
	thread_idle();
}
