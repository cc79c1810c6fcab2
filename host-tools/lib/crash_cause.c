// SPDX-License-Identifier: MIT
#include "host-tools/lib/crash_cause.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host-tools/lib/arch/x86_64/fault_words.h"
#include "host-tools/lib/quantity.h"

#define FUNCTIONS_MAX 64
#define SIGNATURE_FUNCTIONS 3

/* Starts of names, as Socorro's list of irrelevant frames. */
static const char *const machinery[] = {
	"clock_delay",	 "cond_",	"cpu_",	       "heap_",	       "mutex_",
	"out_of_memory", "panic",	"port_read_",  "port_write_",  "report_cycle",
	"reschedule",	 "sched_",	"sem_",	       "spin_",	       "switch_",
	"thread_exit",	 "thread_idle", "thread_join", "thread_sleep", "thread_yield",
	"wait_block",
};

/* Below these the stack is that of whoever was interrupted. */
static const char *const boundaries[] = {"handle_interrupt", "irq_dispatch", "trap_"};

static bool starts_with_any(const char *function, const char *const prefixes[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!strncmp(function, prefixes[i], strlen(prefixes[i])))
			return true;
	}
	return false;
}

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

bool uni_crash_is_machinery(const char *function)
{
	return starts_with_any(function, machinery, COUNT_OF(machinery));
}

size_t uni_crash_frame_lookup(const struct uni_symbols *symbols,
			      const struct uni_unwind_frame *frame, struct uni_symbol_frame out[],
			      size_t max)
{
	if (!symbols)
		return 0;
	return uni_symbols_lookup(symbols, frame->pc - (frame->is_exact ? 0 : 1), out, max);
}

/* Adds to a text of a fixed size, cut at its end. */
static void add(char *text, size_t size, const char *more)
{
	size_t len = strlen(text);

	snprintf(text + len, size - len, "%s", more);
}

/* The functions of the innermost frames, inlined ones too, up to an interrupt. */
static size_t functions_of(const struct uni_symbols *symbols,
			   const struct uni_unwind_frame frames[], size_t frame_count,
			   struct uni_symbol_frame out[FUNCTIONS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < frame_count; i++) {
		size_t more = uni_crash_frame_lookup(symbols, &frames[i], out + count,
						     FUNCTIONS_MAX - count);

		if (more && starts_with_any(out[count].function, boundaries, COUNT_OF(boundaries)))
			break;
		count += more;
	}
	return count;
}

/* A fault is its own function's. Who panics does so for its caller, perhaps through helpers that no
 * list knows: the caller of the outermost machinery. */
static size_t find_blame(const struct uni_dump_info *info,
			 const struct uni_symbol_frame functions[], size_t count)
{
	bool is_messenger = info->kind == UNI_PANIC_ASSERT || info->kind == UNI_PANIC_OOM ||
			    info->kind == UNI_PANIC_DEADLOCK;
	size_t blame = 0;

	for (size_t i = 0; i < count; i++) {
		if (uni_crash_is_machinery(functions[i].function))
			blame = i + 1;
		else if (!is_messenger)
			break;
	}
	return blame < count ? blame : 0;
}

static void sign(struct uni_crash_cause *out, const struct uni_symbol_frame functions[],
		 size_t count)
{
	for (size_t i = 0; i < count && i < SIGNATURE_FUNCTIONS; i++) {
		add(out->signature, sizeof(out->signature), " ");
		add(out->signature, sizeof(out->signature), functions[i].function);
	}
}

/* " in order_price() order.c:96", or "" where nobody is to blame. */
static void place(const struct uni_crash_cause *cause, char *out, size_t size)
{
	const struct uni_symbol_frame *blame = &cause->blame;

	if (!blame->function)
		snprintf(out, size, "%s", "");
	else if (blame->file)
		snprintf(out, size, " in %s() %s:%u", blame->function, uni_symbol_file_name(blame),
			 blame->line);
	else
		snprintf(out, size, " in %s()", blame->function);
}

/* Copies a text of the guest with code addresses replaced by the functions that lie there. */
static void name_addresses(const struct uni_symbols *symbols, const char *text, char *out,
			   size_t size)
{
	out[0] = '\0';
	while (*text) {
		struct uni_symbol_frame frame;
		char piece[128] = {*text, '\0'};
		char *end = NULL;
		uint64_t address = 0;

		if (text[0] == '0' && text[1] == 'x' && isxdigit((unsigned char)text[2]))
			address = strtoull(text, &end, 16);
		if (end && symbols && uni_symbols_is_code(symbols, address) &&
		    uni_symbols_lookup(symbols, address - 1, &frame, 1)) {
			snprintf(piece, sizeof(piece), "%s()", frame.function);
			text = end;
		} else {
			text++;
		}
		add(out, size, piece);
	}
}

/* "out of memory: shop_parse() holds 58 of 64 MiB" from the kernel's exact numbers. */
static bool round_out_of_memory(const char *text, char *out, size_t size)
{
	const char *holds = strstr(text, " holds ");
	char held[UNI_QUANTITY_SIZE], limit[UNI_QUANTITY_SIZE];
	uint64_t held_bytes, limit_bytes;

	if (!holds || sscanf(holds, " holds %" SCNu64 " of %" SCNu64 " bytes", &held_bytes,
			     &limit_bytes) != 2)
		return false;
	snprintf(out, size, "%.*s holds %s of %s", (int)(holds - text), text,
		 uni_quantity_bytes(held, sizeof(held), held_bytes),
		 uni_quantity_bytes(limit, sizeof(limit), limit_bytes));
	return true;
}

/* Drops the folders of ", at some/folder/crash.c:143". */
static void drop_folders(char *text)
{
	char *path = strstr(text, ", at ");
	char *slash = path ? strrchr(path, '/') : NULL;

	if (slash)
		memmove(path + 5, slash + 1, strlen(slash));
}

/* Kinds whose own words say it all. */
static void tell_in_words(const struct uni_dump_info *info, const struct uni_symbols *symbols,
			  struct uni_crash_cause *out)
{
	name_addresses(symbols, info->cause, out->sentence, sizeof(out->sentence));
	if (info->kind == UNI_PANIC_ASSERT)
		drop_folders(out->sentence);
	if (out->blame.function && !strstr(out->sentence, out->blame.function)) {
		add(out->sentence, sizeof(out->sentence), ", in ");
		add(out->sentence, sizeof(out->sentence), out->blame.function);
		add(out->sentence, sizeof(out->sentence), "()");
	}
	if (info->kind != UNI_PANIC_OOM ||
	    !round_out_of_memory(out->sentence, out->headline, sizeof(out->headline)))
		snprintf(out->headline, sizeof(out->headline), "%s", out->sentence);
}

static void tell_fault(const struct uni_dump_info *info, const struct uni_symbols *symbols,
		       struct uni_crash_cause *out)
{
	bool pc_is_code = !symbols || uni_symbols_is_code(symbols, info->pc);
	struct uni_fault_words words;
	char where[192];

	uni_fault_describe(info, pc_is_code, &words);
	place(out, where, sizeof(where));
	snprintf(out->headline, sizeof(out->headline), "%s%s", words.what, where);
	snprintf(out->sentence, sizeof(out->sentence), "%s%s %s",
		 out->blame.function ? out->blame.function : "it", out->blame.function ? "()" : "",
		 words.deed);
}

static void tell_hang(const struct uni_dump_info *info, const struct uni_symbols *symbols,
		      struct uni_crash_cause *out)
{
	char where[192];

	tell_in_words(info, symbols, out);
	place(out, where, sizeof(where));
	snprintf(out->headline, sizeof(out->headline), "hang%s", where);
}

static void tell_double_fault(struct uni_crash_cause *out)
{
	char where[192];

	place(out, where, sizeof(where));
	snprintf(out->headline, sizeof(out->headline), "double fault%s", where);
	snprintf(out->sentence, sizeof(out->sentence),
		 "double fault%s: the processor could not handle a fault, most often because the "
		 "stack pointer was broken",
		 where);
}

static void tell_stack_overflow(struct uni_crash_cause *out)
{
	char where[192];

	place(out, where, sizeof(where));
	snprintf(out->headline, sizeof(out->headline), "stack overflow%s", where);
	snprintf(out->sentence, sizeof(out->sentence),
		 "%s%s ran into the guard page below its stack",
		 out->blame.function ? out->blame.function : "it", out->blame.function ? "()" : "");
}

void uni_crash_cause_find(const struct uni_dump_info *info, const struct uni_symbols *symbols,
			  const struct uni_unwind_frame frames[], size_t frame_count,
			  struct uni_crash_cause *out)
{
	struct uni_symbol_frame functions[FUNCTIONS_MAX];
	size_t count;

	*out = (struct uni_crash_cause){.blame = {.function = NULL}};
	snprintf(out->signature, sizeof(out->signature), "%s",
		 info->has_panic ? uni_dump_kind_name(info->kind) : "silent");
	count = functions_of(symbols, frames, frame_count, functions);
	if (count) {
		size_t blame = find_blame(info, functions, count);

		out->blame = functions[blame];
		sign(out, functions + blame, count - blame);
	}
	if (info->has_panic && info->kind == UNI_PANIC_FAULT)
		tell_fault(info, symbols, out);
	else if (info->has_panic && info->kind == UNI_PANIC_STACK_OVERFLOW)
		tell_stack_overflow(out);
	else if (info->has_panic && info->kind == UNI_PANIC_DOUBLE_FAULT)
		tell_double_fault(out);
	else if (info->has_panic && info->kind == UNI_PANIC_HANG)
		tell_hang(info, symbols, out);
	else
		tell_in_words(info, symbols, out);
}

void uni_crash_cause_name_pointer(struct uni_crash_cause *cause, const struct uni_dump_info *info,
				  const char *variable, const char *expression)
{
	snprintf(cause->sentence, sizeof(cause->sentence),
		 "%s() %s %s at address 0x%" PRIx64 ": %s is a null pointer", cause->blame.function,
		 uni_fault_is_write(info) ? "wrote" : "read", expression, info->address, variable);
}
