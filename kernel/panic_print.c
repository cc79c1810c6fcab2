/* SPDX-License-Identifier: MIT */

#include "kernel/panic_print.h"

#include "kernel/arch/x86_64/fault.h"
#include "kernel/console.h"
#include "kernel/text.h"
#include "kernel/thread.h"

#define BACKTRACE_MAX 32

static void print_registers(const struct trap_frame *f)
{
	const struct {
		const char *name;
		uint64_t value;
	} registers[] = {
		{"rip", f->rip}, {"rsp", f->rsp}, {"rbp", f->rbp}, {"rflags", f->rflags},
		{"rax", f->rax}, {"rbx", f->rbx}, {"rcx", f->rcx}, {"rdx", f->rdx},
		{"rsi", f->rsi}, {"rdi", f->rdi}, {"r8", f->r8},   {"r9", f->r9},
		{"r10", f->r10}, {"r11", f->r11}, {"r12", f->r12}, {"r13", f->r13},
		{"r14", f->r14}, {"r15", f->r15},
	};

	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
		console_printf_polled("%6s %016llx%s", registers[i].name,
				      (unsigned long long)registers[i].value,
				      i % 3 == 2 ? "\n" : " ");
}

/* Frame pointers may be broken like anything else: reads may fail, and each frame lies above the
 * last. */
static void print_backtrace(const struct trap_frame *frame)
{
	uint64_t link[2]; /* the caller's rbp, the return address */
	uint64_t rbp = frame->rbp;

	console_printf_polled("backtrace: %#llx", (unsigned long long)frame->rip);
	for (unsigned i = 0; i < BACKTRACE_MAX; i++) {
		if (rbp % 8 != 0 || memory_read_nofault(link, (const void *)rbp, sizeof(link)) != 0)
			break;
		if (!text_contains(link[1], 1))
			break;
		console_printf_polled(" %#llx", (unsigned long long)link[1]);
		if (link[0] <= rbp)
			break;
		rbp = link[0];
	}
	console_printf_polled("\n");
}

void panic_print(const struct panic_info *info)
{
	console_printf_polled("\npanic: %s\n", info->reason);
	if (info->thread != NULL)
		console_printf_polled("cpu %u, thread %u \"%s\", %s\n", info->cpu, info->thread->id,
				      info->thread->name, panic_kind_name(info->kind));
	print_registers(info->frame);
	print_backtrace(info->frame);
}
