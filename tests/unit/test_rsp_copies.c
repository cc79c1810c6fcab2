/* SPDX-License-Identifier: MIT */

/* Steps that gdb has a thread make in a copy of an instruction, when gdb dies in the middle: the
 * packets of gdb 13.1 in non-stop mode. */

#include "tests/unit/rsp_machine.h"

TestSuite(rsp_copies, .init = rsp_attach);

#define CODE 0x100400u
#define COPY (MACHINE_OWN_ROOM_BASE + 16u) /* gdb has two places */
#define STACK 0x101000u

static void put(uint64_t address, const void *bytes, size_t len)
{
	memcpy(m.ram + (address - MACHINE_RAM_BASE), bytes, len);
}

static uint64_t stack_top(void)
{
	uint64_t word;

	memcpy(&word, m.ram + (rsp_words(1)[UNI_GDB_RSP] - MACHINE_RAM_BASE), sizeof(word));
	return word;
}

static void come_to(const char *instruction, size_t len)
{
	put(CODE, instruction, len);
	put(COPY, m.ram + (CODE - MACHINE_RAM_BASE), 16);
	rsp_words(1)[UNI_GDB_RIP] = CODE;
	rsp_words(1)[UNI_GDB_RSP] = STACK;
	rsp_expect("Hg1", "OK");
}

static void step(void)
{
	rsp_write_register("10", COPY);
	rsp_go("vCont;s:1");
}

/* The step has led there, and ended. */
static void arrive(uint64_t pc)
{
	rsp_words(1)[UNI_GDB_RIP] = pc;
	rsp_stop(UNI_GDB_EVENT_STEP, 1, 0);
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	rsp_received();
}

static void die(void)
{
	uni_gdb_abandon(&m.stub);
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	rsp_received();
}

static void die_while_it_runs(void)
{
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 2, 0);
	die();
}

/* push %rbp */
#define PUSH "\x55", 1

Test(rsp_copies, the_thread_is_taken_to_the_instruction)
{
	come_to(PUSH);
	step();
	die_while_it_runs();
	cr_expect_eq(rsp_words(1)[UNI_GDB_RIP], CODE);
}

Test(rsp_copies, the_thread_is_taken_behind_the_instruction)
{
	come_to(PUSH);
	step();
	arrive(COPY + 1);
	die();
	cr_expect_eq(rsp_words(1)[UNI_GDB_RIP], CODE + 1);
}

Test(rsp_copies, another_gdb_finds_it_there)
{
	come_to(PUSH);
	step();
	arrive(COPY + 1);
	rsp_ask("qSupported");
	cr_expect_eq(rsp_words(1)[UNI_GDB_RIP], CODE + 1);
}

Test(rsp_copies, what_was_made_of_it_stays)
{
	/* rep stosb, two of five bytes stored */
	come_to("\xf3\xaa", 2);
	rsp_words(1)[UNI_GDB_RCX] = 5;
	step();
	rsp_words(1)[UNI_GDB_RCX] = 3;
	die_while_it_runs();
	cr_expect_eq(rsp_words(1)[UNI_GDB_RIP], CODE);
	cr_expect_eq(rsp_words(1)[UNI_GDB_RCX], 3);
}

Test(rsp_copies, a_jump_leads_from_where_it_is)
{
	/* jmp CODE + 2 + 0x40 */
	come_to("\xeb\x40", 2);
	step();
	arrive(COPY + 2 + 0x40);
	die();
	cr_expect_eq(rsp_words(1)[UNI_GDB_RIP], CODE + 2 + 0x40);
}

Test(rsp_copies, a_return_leads_where_it_leads)
{
	come_to("\xc3", 1);
	step();
	arrive(0x100800);
	die();
	cr_expect_eq(rsp_words(1)[UNI_GDB_RIP], 0x100800);
}

static void call(void)
{
	const uint64_t behind = COPY + 5;

	/* call CODE + 5 + 0x100 */
	come_to("\xe8\x00\x01\x00\x00", 5);
	step();
	put(STACK - 8, &behind, sizeof(behind));
	rsp_words(1)[UNI_GDB_RSP] = STACK - 8;
	arrive(COPY + 5 + 0x100);
}

Test(rsp_copies, a_call_returns_to_its_program)
{
	call();
	die();
	cr_expect_eq(rsp_words(1)[UNI_GDB_RIP], CODE + 5 + 0x100);
	cr_expect_eq(stack_top(), CODE + 5);
}

/* gdb writes the pc first. */
Test(rsp_copies, a_call_that_is_half_put_right_returns_to_its_program)
{
	call();
	rsp_write_register("10", CODE + 5 + 0x100);
	die();
	cr_expect_eq(rsp_words(1)[UNI_GDB_RIP], CODE + 5 + 0x100);
	cr_expect_eq(stack_top(), CODE + 5);
}

Test(rsp_copies, other_words_on_a_stack_are_none_of_it)
{
	const uint64_t other = 0x100600;

	call();
	put(STACK - 8, &other, sizeof(other));
	die();
	cr_expect_eq(stack_top(), other);
}

/* mov 0x10(%rip),%rax, which gdb makes a mov 0x10(%rcx),%rax. */
Test(rsp_copies, a_register_that_it_borrowed_is_given_back)
{
	come_to("\x48\x8b\x05\x10\x00\x00\x00", 7);
	rsp_words(1)[UNI_GDB_RAX] = 1;
	rsp_words(1)[UNI_GDB_RCX] = 2;
	rsp_write_register("2", CODE + 7);
	put(COPY, "\x48\x8b\x81", 3);
	step();
	rsp_words(1)[UNI_GDB_RAX] = 99;
	arrive(COPY + 7);
	die();
	cr_expect_eq(rsp_words(1)[UNI_GDB_RIP], CODE + 7);
	cr_expect_eq(rsp_words(1)[UNI_GDB_RCX], 2);
	cr_expect_eq(rsp_words(1)[UNI_GDB_RAX], 99);
}

Test(rsp_copies, a_register_that_its_user_set_stays)
{
	come_to(PUSH);
	rsp_write_register("2", 77);
	step();
	arrive(COPY + 1);
	die();
	cr_expect_eq(rsp_words(1)[UNI_GDB_RCX], 77);
}

Test(rsp_copies, what_gdb_put_right_stays)
{
	come_to(PUSH);
	step();
	arrive(COPY + 1);
	rsp_write_register("10", CODE + 1);
	die();
	cr_expect_eq(rsp_words(1)[UNI_GDB_RIP], CODE + 1);
}

Test(rsp_copies, one_step_follows_another)
{
	come_to("\x55\x90", 2);
	step();
	arrive(COPY + 1);
	rsp_write_register("10", CODE + 1);
	put(COPY, m.ram + (CODE + 1 - MACHINE_RAM_BASE), 16);
	step();
	arrive(COPY + 1);
	die();
	cr_expect_eq(rsp_words(1)[UNI_GDB_RIP], CODE + 2);
}

/* Of a jump to where a word says gdb writes no pc. */
Test(rsp_copies, a_step_that_needed_nothing_is_over_when_the_thread_goes_on)
{
	/* jmp *0x10(%rip), which gdb makes a jmp *0x10(%rcx) */
	come_to("\xff\x25\x10\x00\x00\x00", 6);
	rsp_words(1)[UNI_GDB_RCX] = 2;
	rsp_write_register("2", CODE + 6);
	put(COPY, "\xff\xa1", 2);
	step();
	arrive(CODE);
	rsp_write_register("2", 2);
	rsp_resume();
	rsp_words(1)[UNI_GDB_RCX] = 3;
	rsp_stop(UNI_GDB_EVENT_SIGNAL, 1, 0);
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	rsp_received();
	come_to(PUSH);
	step();
	die_while_it_runs();
	cr_expect_eq(rsp_words(1)[UNI_GDB_RCX], 3);
	cr_expect_eq(rsp_words(1)[UNI_GDB_RIP], CODE);
}

Test(rsp_copies, a_thread_that_went_on_is_left_alone)
{
	come_to(PUSH);
	step();
	arrive(COPY + 1);
	rsp_write_register("10", CODE + 1);
	rsp_resume();
	rsp_words(1)[UNI_GDB_RIP] = COPY;
	die_while_it_runs();
	cr_expect_eq(rsp_words(1)[UNI_GDB_RIP], COPY);
	cr_expect_not(uni_gdb_call_pends(&m.stub, 1));
}
