/* SPDX-License-Identifier: MIT */
/* The rules of uniscope-dumps(1), CAUSES, one by one. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "host-tools/lib/crash_cause.h"

static struct uni_dump_info fault(uint32_t vector, uint64_t error_code, uint64_t address,
				  uint64_t pc)
{
	return (struct uni_dump_info){.has_panic = true,
				      .kind = UNI_PANIC_FAULT,
				      .vector = vector,
				      .error_code = error_code,
				      .address = address,
				      .pc = pc};
}

static void expect(struct uni_dump_info info, const char *headline, const char *sentence)
{
	struct uni_crash_cause cause;

	uni_crash_cause_find(&info, NULL, NULL, 0, &cause);
	cr_expect_str_eq(cause.headline, headline);
	cr_expect_str_eq(cause.sentence, sentence);
}

/* Error codes of a page fault: 1 present, 2 write, 8 reserved, 16 fetch (Intel SDM 3, 4.7). */
Test(crash_cause, of_page_faults_follows_the_address_and_the_error_code)
{
	expect(fault(14, 0, 0, 0x100000), "null pointer", "it read through a null pointer");
	expect(fault(14, 2, 24, 0x100000), "null pointer + 24",
	       "it wrote address 0x18, a null pointer + 24");
	expect(fault(14, 0, 0xffff, 0x100000), "null pointer + 65535",
	       "it read address 0xffff, a null pointer + 65535");
	expect(fault(14, 0, 0x10000, 0x100000), "wild pointer 0x10000",
	       "it read address 0x10000, where nothing is");
	expect(fault(14, 2, 0x5eed0000, 0x100000), "wild pointer 0x5eed0000",
	       "it wrote to address 0x5eed0000, where nothing is");
	expect(fault(14, 3, 0x101000, 0x100000), "write to read-only memory at 0x101000",
	       "it wrote to 0x101000, which is read-only");
	expect(fault(14, 9, 0x200000, 0x100000), "page tables are corrupt at 0x200000",
	       "it met a corrupt page table entry for 0x200000");
	expect(fault(14, 16, 0, 0), "call through a null pointer",
	       "it called through a null pointer");
	expect(fault(14, 17, 0x200000, 0x200000), "jump into data at 0x200000",
	       "it jumped to 0x200000, which is data");
	expect(fault(14, 16, 0x5eed0000, 0x5eed0000), "jump to nowhere (0x5eed0000)",
	       "it jumped to 0x5eed0000, where nothing is");
}

Test(crash_cause, of_other_exceptions_is_named)
{
	struct uni_crash_cause cause;
	struct uni_dump_info info = fault(0, 0, 0, 0x100000);

	uni_crash_cause_find(&info, NULL, NULL, 0, &cause);
	cr_expect_str_eq(cause.headline, "division by zero");
	info.vector = 6;
	uni_crash_cause_find(&info, NULL, NULL, 0, &cause);
	cr_expect_str_eq(cause.headline, "undefined instruction");
	info.vector = 13;
	uni_crash_cause_find(&info, NULL, NULL, 0, &cause);
	cr_expect_str_eq(cause.headline, "pointer that is no address");
	info.vector = 17;
	uni_crash_cause_find(&info, NULL, NULL, 0, &cause);
	cr_expect_str_eq(cause.headline, "exception 17");
}

Test(crash_cause, lets_the_words_of_the_guest_win)
{
	struct uni_dump_info info = {.has_panic = true, .kind = UNI_PANIC_ASSERT};

	strcpy(info.cause, "assertion failed: a >= b, at ../../somewhere/else/shop.c:12");
	expect(info, "assertion failed: a >= b, at shop.c:12",
	       "assertion failed: a >= b, at shop.c:12");
	info.kind = UNI_PANIC_OOM;
	strcpy(info.cause,
	       "out of memory: 0x1234 holds 60817408 of 67108864 bytes; 0x9 asked for 1");
	expect(info, "out of memory: 0x1234 holds 58.0 MiB of 64.0 MiB", info.cause);
	strcpy(info.cause, "out of memory");
	expect(info, "out of memory", "out of memory");
}

Test(crash_cause, is_the_hosts_word_where_the_guest_left_none)
{
	struct uni_dump_info info = {.cause = "QEMU was killed (signal 9)"};

	expect(info, "QEMU was killed (signal 9)", "QEMU was killed (signal 9)");
}

static struct uni_symbols *symbols;

static void open_symbols(void)
{
	cr_assert_eq(uni_symbols_open(SYMBOLS_FIXTURE, &symbols, NULL), 0);
}

static void close_symbols(void)
{
	uni_symbols_close(symbols);
}

TestSuite(blame, .init = open_symbols, .fini = close_symbols);

/* A frame within the function of this name. */
static struct uni_unwind_frame in(const char *function)
{
	struct uni_symbol_frame frame;

	for (uint64_t address = 0x400000; address < 0x420000; address++) {
		if (uni_symbols_lookup(symbols, address, &frame, 1) &&
		    !strcmp(frame.function, function))
			return (struct uni_unwind_frame){.pc = address, .is_exact = true};
	}
	cr_assert(false, "no function %s", function);
	return (struct uni_unwind_frame){.pc = 0};
}

static void expect_blame(uint32_t kind, const struct uni_unwind_frame *frames, size_t count,
			 const char *signature)
{
	struct uni_dump_info info = {.has_panic = true, .kind = kind, .vector = 14};
	struct uni_crash_cause cause;

	uni_crash_cause_find(&info, symbols, frames, count, &cause);
	cr_expect_str_eq(cause.signature, signature);
}

Test(blame, is_the_function_that_failed)
{
	const struct uni_unwind_frame frames[] = {in("leaf"), in("plain"), in("main")};

	expect_blame(UNI_PANIC_FAULT, frames, 3, "fault leaf middle outer");
}

Test(blame, passes_from_those_that_only_report)
{
	const struct uni_unwind_frame frames[] = {in("panic_kind"), in("plain"), in("heap_alloc"),
						  in("outer"), in("main")};

	expect_blame(UNI_PANIC_OOM, frames, 5, "oom outer main");
	expect_blame(UNI_PANIC_HANG, frames, 5, "hang plain heap_alloc outer");
}

Test(blame, stays_on_this_side_of_an_interrupt)
{
	const struct uni_unwind_frame frames[] = {in("panic_kind"), in("plain"), in("trap_common"),
						  in("heap_alloc"), in("main")};

	expect_blame(UNI_PANIC_ASSERT, frames, 5, "assert plain");
}

/* A call that never returns may be a function's last instruction: from_assembly is 3 bytes long. */
Test(blame, of_a_return_address_is_the_call_before_it)
{
	struct uni_unwind_frame frame = in("from_assembly");

	frame.pc += 3;
	expect_blame(UNI_PANIC_FAULT, &frame, 1, "fault");
	frame.is_exact = false;
	expect_blame(UNI_PANIC_FAULT, &frame, 1, "fault from_assembly");
}

Test(blame, replaces_addresses_in_the_guests_words)
{
	struct uni_dump_info info = {.has_panic = true, .kind = UNI_PANIC_DEADLOCK};
	struct uni_crash_cause cause;

	snprintf(info.cause, sizeof(info.cause), "0x%llx waits, 0x12 too",
		 (unsigned long long)in("plain").pc + 1);
	uni_crash_cause_find(&info, symbols, NULL, 0, &cause);
	cr_expect_str_eq(cause.headline, "plain() waits, 0x12 too");
}
