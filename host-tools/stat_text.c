/* SPDX-License-Identifier: MIT */
#include "host-tools/stat_output.h"

#include <inttypes.h>
#include <stdio.h>

#include "host-tools/lib/quantity.h"

static void print_facts(const struct uni_guest_info *guest, const struct uni_model *model)
{
	const struct uni_model_hello *hello = &model->hello;
	char memory[UNI_QUANTITY_SIZE], uptime[UNI_QUANTITY_SIZE];

	printf("%s  %s", guest->name,
	       model->has_state ? uni_model_run_state_name(model->state.state) : "?");
	if (!model->has_hello) {
		printf("  it has not introduced itself\n");
		return;
	}
	printf("  up %s  %s %s  %u vCPUs  %s\n",
	       uni_quantity_duration(uptime, sizeof(uptime), model->time_ns), guest->machine,
	       guest->accel, hello->cpu_count,
	       uni_quantity_bytes(memory, sizeof(memory), hello->memory_size));
	printf("  application  %s on %s\n", hello->application, hello->kernel);
	printf("  arguments    %s\n", hello->cmdline[0] ? hello->cmdline : "none");
	printf("  build        %s\n", hello->build_id[0] ? hello->build_id : "the image has no id");
	printf("  boot         %s\n", hello->boot_id);
	printf("  clock        TSC at %.3f MHz, by %s\n", (double)hello->tsc_hz / 1e6,
	       uni_model_clock_name(hello->clock_method));
	printf("  offers      %s%s%s%s\n", hello->features & UNI_FEATURE_GDB ? " gdb" : "",
	       hello->features & UNI_FEATURE_TRACE ? " tracing" : "",
	       hello->features & UNI_FEATURE_DUMP ? " dumps" : "",
	       hello->features & UNI_FEATURE_APP ? " requests" : "");
}

static void print_cpus(const struct uni_model *model)
{
	printf("\n%-6s %6s %6s %6s %9s %9s %6s %6s\n", "CPU", "APP%", "IRQ%", "IDLE%", "SW/s",
	       "IRQ/s", "NMIS", "READY");
	for (size_t i = 0; i < model->cpu_count; i++) {
		const struct uni_model_cpu *cpu = &model->cpus[i];
		double busy = 0, irq = 0, idle = 0;

		if (!uni_model_one_cpu(cpu, &busy, &irq, &idle)) {
			printf("%-6u %6s %6s %6s %9s %9s %6u %6u\n", cpu->record.cpu, "-", "-", "-",
			       "-", "-", cpu->record.nmis, cpu->record.ready);
			continue;
		}
		printf("%-6u %6.1f %6.1f %6.1f %9.0f %9.0f %6u %6u\n", cpu->record.cpu, busy * 100,
		       irq * 100, idle * 100, cpu->switches.per_s, cpu->interrupts.per_s,
		       cpu->record.nmis, cpu->record.ready);
	}
}

static void print_rate(const struct uni_rate *rate, double scale, int width, int digits)
{
	if (rate->known)
		printf(" %*.*f", width, digits, rate->per_s * scale);
	else
		printf(" %*s", width, "-");
}

static void print_threads(const struct uni_model *model)
{
	char wait[512], stack[64];

	printf("\n%-5s %-20s %-9s %6s %7s %13s %4s %4s  %s\n", "ID", "THREAD", "STATE", "CPU%",
	       "SW/s", "STACK", "PRI", "CPU", "WAITS FOR");
	for (size_t i = 0; i < model->thread_count; i++) {
		const struct uni_model_thread *thread = &model->threads[i];
		const struct uni_thread_record *record = &thread->record;

		snprintf(stack, sizeof(stack), "%.1f/%.0f KiB", (double)record->stack_used / 1024,
			 (double)record->stack_size / 1024);
		printf("%-5" PRIu32 " %-20s %-9s", record->id, thread->name,
		       uni_model_thread_state_name(thread));
		print_rate(&thread->run, 100 / 1e9, 6, 1);
		print_rate(&thread->switches, 1, 7, 0);
		uni_model_wait_text(model, thread, wait, sizeof(wait));
		printf(" %13s %4u %3u%s%s%s\n", stack, record->priority, record->cpu,
		       record->flags & UNI_THREAD_PINNED ? "!" : "",
		       !wait[0]				   ? ""
		       : record->flags & UNI_THREAD_PINNED ? "  "
							   : "   ",
		       wait);
	}
	if (model->thread_total > model->thread_count)
		printf("%" PRIu64 " more threads were not sent\n",
		       model->thread_total - (uint64_t)model->thread_count);
}

static void print_metrics(const struct uni_model *model)
{
	char value[UNI_QUANTITY_SIZE], rate[UNI_QUANTITY_SIZE];

	printf("\n%-32s %14s %14s\n", "METRIC", "VALUE", "RATE");
	for (size_t i = 0; i < model->metric_count; i++) {
		const struct uni_model_metric *metric = &model->metrics[i];

		if (!metric->has_value)
			continue;
		printf("%-32s %14s", metric->name,
		       uni_quantity_value(value, sizeof(value), metric->value, metric->unit));
		if (metric->kind == UNI_METRIC_COUNTER)
			printf(" %14s", metric->rate.known ? uni_quantity_rate(rate, sizeof(rate),
									       metric->rate.per_s,
									       metric->unit)
							   : "-");
		putchar('\n');
	}
}

static void print_losses(const struct uni_model *model)
{
	const struct uni_model_losses *losses = &model->losses;

	printf("\n%" PRIu64 " log lines lost, %" PRIu64 " of %" PRIu64
	       " trace events lost, %" PRIu64 " frames lost on the way to this client, %" PRIu64
	       " malformed\n",
	       losses->log_lines, losses->trace_discarded, losses->trace_emitted,
	       losses->client_frames, losses->malformed_frames);
}

void stat_print_text(const struct uni_guest_info *guest, const struct uni_model *model)
{
	print_facts(guest, model);
	if (model->has_panic)
		printf("  died of      %s\n", model->panic.reason);
	if (model->has_bye)
		printf("  ended by itself with status %d\n", model->bye_status);
	if (model->cpu_count > 0)
		print_cpus(model);
	if (model->thread_count > 0)
		print_threads(model);
	if (model->metric_count > 0)
		print_metrics(model);
	print_losses(model);
}
