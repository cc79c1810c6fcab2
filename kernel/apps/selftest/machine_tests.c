/* SPDX-License-Identifier: MIT */

/* What touches the machine: calls between CPUs, NMIs, text patching; and the log, the formatter,
 * the command line, which are tested where they run. */

#include "kernel/apps/selftest/selftest.h"
#include "kernel/arch/x86_64/fault.h"
#include "kernel/arch/x86_64/lapic.h"
#include "kernel/cmdline.h"
#include "kernel/format.h"
#include "kernel/irq.h"
#include "kernel/log.h"
#include "kernel/text.h"

#include <string.h>

static void note_cpu(void *argument)
{
	__atomic_fetch_or((uint32_t *)argument, 1u << cpu_id(), __ATOMIC_SEQ_CST);
}

static const char *a_call_runs_on_all_others(void)
{
	uint32_t everyone = (uint32_t)((1ull << cpu_count()) - 1);
	uint32_t seen = 0;
	unsigned self;

	thread_pin(0);
	self = cpu_id();
	irq_call_others(note_cpu, &seen);
	thread_pin(THREAD_ANY_CPU);
	CHECK(seen == (everyone & ~(1u << self)));
	return NULL;
}

static bool nmi_came(void *context)
{
	return __atomic_load_n(&cpus[cpu_count() - 1].nmi_count, __ATOMIC_RELAXED) >
	       *(uint64_t *)context;
}

static bool no_nmi_is_on(void *context)
{
	return __atomic_load_n(&cpus[cpu_count() - 1].nmi_depth, __ATOMIC_RELAXED) == 0;
}

static const char *a_stray_nmi_is_counted(void)
{
	unsigned target = cpu_count() - 1;
	uint64_t before = cpus[target].nmi_count;

	irq_send_nmi(target);
	CHECK(test_wait_until(nmi_came, &before));
	CHECK(cpus[target].nmi_count == before + 1);
	CHECK(test_wait_until(no_nmi_is_on, NULL));
	return NULL;
}

/* memory_read_nofault() of address 0, called from a stack that is so many bytes lower. */
static size_t read_null_from_stack(uint64_t lower)
{
	char byte;
	size_t left, len = 1;
	void *to = &byte;
	const void *from = NULL;

	__asm__ volatile("movq %%rsp, %%rbx\n\t"
			 "subq %4, %%rsp\n\t"
			 "call memory_read_nofault\n\t"
			 "movq %%rbx, %%rsp"
			 : "=a"(left), "+D"(to), "+S"(from), "+d"(len)
			 : "r"(lower)
			 : "rbx", "rcx", "r8", "r9", "r10", "r11", "memory", "cc");
	return left;
}

/* The return from such a fault takes another way (trap_entry.S), over the stack that the fault came
 * into: whether that is aligned shifts what lies there. */
static const char *a_fault_inside_an_nmi_is_survived(void)
{
	uint64_t flags = irq_save();
	struct cpu *cpu = cpu_current();
	size_t left = 1;
	bool still_off;

	cpu->nmi_depth++;
	cpu->nmi_blocked = true;
	for (unsigned i = 0; i < 2 && left == 1; i++)
		left = read_null_from_stack(8 * i);
	still_off = !irq_enabled();
	cpu->nmi_blocked = false;
	cpu->nmi_depth--;
	irq_restore(flags);
	CHECK(left == 1);
	CHECK(still_off);
	CHECK(irq_enabled());
	return NULL;
}

/* The last of those that irq.c hands out: nobody has it. */
#define FREE_VECTOR (VECTOR_TIMER - 1)

static bool spurious_came(void *context)
{
	return irq_spurious_count() > *(uint64_t *)context;
}

static const char *an_interrupt_that_nobody_handles_is_counted(void)
{
	uint64_t before = irq_spurious_count();

	lapic_send(cpus[0].hw_id, FREE_VECTOR);
	CHECK(test_wait_until(spurious_came, &before));
	CHECK(irq_spurious_count() == before + 1);
	return NULL;
}

/* A number whose bytes are easily found; in text, like any function. */
__asm__(".cfi_sections .debug_frame\n"
	".pushsection .text\n"
	".type patched, @function\n"
	"patched:\n"
	".cfi_startproc\n"
	"movl $0x11223344, %eax\n"
	"ret\n"
	".cfi_endproc\n"
	".size patched, . - patched\n"
	".popsection\n");

int patched(void);

static const char *text_can_be_patched(void)
{
	static const unsigned char replacement[] = {0x88, 0x77, 0x66, 0x55};
	unsigned char *immediate = (unsigned char *)(uintptr_t)patched + 1;

	CHECK(text_contains((uintptr_t)patched, 6));
	CHECK(!text_contains((uintptr_t)replacement, 1));
	CHECK(patched() == 0x11223344);
	CHECK(text_write(immediate, replacement, sizeof(replacement)) == 0);
	text_sync_all();
	CHECK(patched() == 0x55667788);
	CHECK(text_write(NULL, replacement, 1) < 0);
	return NULL;
}

static const char *the_log_counts_what_it_overwrites(void)
{
	uint64_t first = log_next();
	struct log_record record;

	for (unsigned i = 0; i < LOG_RECORD_COUNT + 10; i++)
		log_printf(LOG_DEBUG, "record %u", i);
	CHECK(log_next() == first + LOG_RECORD_COUNT + 10);
	CHECK(log_oldest() == log_next() - LOG_RECORD_COUNT);
	CHECK(!log_read(log_oldest() - 1, &record));
	CHECK(!log_read(log_next(), &record));
	CHECK(log_read(log_oldest(), &record));
	CHECK(record.len == strlen("record 10") &&
	      memcmp(record.text, "record 10", record.len) == 0);
	CHECK(record.level == LOG_DEBUG && record.thread == thread_current()->id);
	return NULL;
}

static bool formats_as(const char *expected, const char *format, ...)
{
	char text[64];
	va_list arguments;
	size_t len;

	va_start(arguments, format);
	len = format_text_v(text, sizeof(text), format, arguments);
	va_end(arguments);
	return len == strlen(expected) && strcmp(text, expected) == 0;
}

static const char *text_is_formatted(void)
{
	char small[4];

	CHECK(formats_as("-1 4294967295 ff FF 0xff", "%d %u %x %X %#x", -1, -1, 255, 255, 255));
	CHECK(formats_as("[   42] [42   ] [00042] [+42]", "[%5d] [%-5d] [%05d] [%+d]", 42, 42, 42,
			 42));
	CHECK(formats_as("9223372036854775807 -9223372036854775808", "%lld %lld", INT64_MAX,
			 INT64_MIN));
	CHECK(formats_as("0 000 -007", "%d %.3d %.3d", 0, 0, -7));
	CHECK(formats_as("ab  |  ab|abc|(null)", "%-4s|%4s|%.3s|%s", "ab", "ab", "abcdef",
			 (char *)NULL));
	CHECK(formats_as("a 100% 0x10", "%c %d%% %p", 'a', 100, (void *)16));
	CHECK(format_text(small, sizeof(small), "%s", "abcdef") == 6);
	CHECK(strcmp(small, "abc") == 0);
	return NULL;
}

/* Of a guest started with: number=0x10 size=4K words="a b" flag */
static const char *the_command_line_is_read(void)
{
	char text[8];

	if (!cmdline_has("flag"))
		return "start with: number=0x10 size=4K words=\"a b\" flag";
	CHECK(cmdline_get_u64("number", 0) == 16);
	CHECK(cmdline_get_u64("size", 0) == 4096);
	CHECK(cmdline_get_u64("words", 7) == 7);
	CHECK(cmdline_get_u64("missing", 8) == 8);
	CHECK(cmdline_get("words", text, sizeof(text)) && strcmp(text, "a b") == 0);
	CHECK(!cmdline_get("flag", text, sizeof(text)));
	CHECK(!cmdline_has("fla") && !cmdline_has("flags"));
	return NULL;
}

const struct test machine_tests[] = {
	{"a_call_runs_on_all_others", a_call_runs_on_all_others, 1},
	{"a_stray_nmi_is_counted", a_stray_nmi_is_counted, 1},
	{"a_fault_inside_an_nmi_is_survived", a_fault_inside_an_nmi_is_survived, 1},
	{"an_interrupt_that_nobody_handles_is_counted", an_interrupt_that_nobody_handles_is_counted,
	 1},
	{"text_can_be_patched", text_can_be_patched, 1},
	{"the_log_counts_what_it_overwrites", the_log_counts_what_it_overwrites, 1},
	{"text_is_formatted", text_is_formatted, 1},
	{"the_command_line_is_read", the_command_line_is_read, 1},
	{NULL, NULL, 0},
};
