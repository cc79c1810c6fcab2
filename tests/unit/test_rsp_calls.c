/* SPDX-License-Identifier: MIT */

/* Functions that gdb calls, when gdb dies in the middle. */

#include "tests/unit/rsp_machine.h"

TestSuite(rsp_calls, .init = rsp_attach);

#define CODE 0x100400u
#define FUNCTION 0x100800u
#define STACK 0x101000u	    /* before the call */
#define RETURN_PC 0x100ff0u /* the breakpoint that gdb leaves on the stack */
#define CALL_STACK 0x100f00u

/* As gdb does it, up to the function's first instruction. */
static void prepare(void)
{
	uint64_t return_pc = RETURN_PC;

	rsp_words(1)[UNI_GDB_RIP] = CODE;
	rsp_words(1)[UNI_GDB_RSP] = STACK;
	rsp_words(1)[UNI_GDB_RDI] = 7;
	memcpy(m.ram + (CALL_STACK - MACHINE_RAM_BASE), &return_pc, sizeof(return_pc));
	rsp_expect("Hg1", "OK");
	rsp_write_register("5", 1000); /* rdi */
	rsp_write_register("7", CALL_STACK);
	rsp_write_register("10", FUNCTION);
}

static void expect_as_before(void)
{
	cr_expect_eq(rsp_words(1)[UNI_GDB_RIP], CODE);
	cr_expect_eq(rsp_words(1)[UNI_GDB_RSP], STACK);
	cr_expect_eq(rsp_words(1)[UNI_GDB_RDI], 7);
}

/* It stops for the first bytes of another gdb, or for nothing, when this one is gone. */
static void die(void)
{
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 2, 0);
	uni_gdb_abandon(&m.stub);
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	rsp_received();
}

static void come_back(void)
{
	rsp_words(1)[UNI_GDB_RIP] = RETURN_PC;
	rsp_words(1)[UNI_GDB_RSP] = CALL_STACK + 8;
	rsp_stop(UNI_GDB_EVENT_SIGNAL, 1, 0);
}

Test(rsp_calls, the_thread_is_put_back_for_a_gdb_that_died)
{
	prepare();
	rsp_resume();
	cr_expect_not(uni_gdb_call_is_over(&m.stub, RETURN_PC), "gdb is there");
	die();
	cr_expect_eq(rsp_words(1)[UNI_GDB_RIP], FUNCTION, "it still runs");
	cr_expect(uni_gdb_call_is_over(&m.stub, RETURN_PC));
	cr_expect_not(uni_gdb_call_is_over(&m.stub, FUNCTION));
	cr_expect_eq(m.ram[RETURN_PC - MACHINE_RAM_BASE], 0xcc, "where code may lie on stacks");
	come_back();
	expect_as_before();
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	cr_expect_str_eq(rsp_received(), "");
	cr_expect_not(uni_gdb_call_is_over(&m.stub, RETURN_PC), "it is, once");
}

Test(rsp_calls, the_next_gdb_hears_nothing_of_it)
{
	prepare();
	rsp_resume();
	die();
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 2, 0);
	rsp_ask("qSupported");
	rsp_resume();
	come_back();
	expect_as_before();
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	cr_expect_str_eq(rsp_received(), "");
	rsp_stop(UNI_GDB_EVENT_SIGNAL, 1, 0);
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	cr_expect_eq(rsp_received()[0], 'T', "other signals it does hear of");
}

Test(rsp_calls, gdb_itself_hears_of_the_end)
{
	prepare();
	rsp_resume();
	come_back();
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	cr_expect_eq(rsp_received()[0], 'T');
	cr_expect_eq(rsp_words(1)[UNI_GDB_RIP], RETURN_PC);
	rsp_write_register("5", 7);
	rsp_write_register("7", STACK);
	rsp_write_register("10", CODE);
	rsp_resume();
	die();
	cr_expect_not(uni_gdb_call_is_over(&m.stub, RETURN_PC));
	expect_as_before();
}

Test(rsp_calls, one_follows_another)
{
	prepare();
	rsp_resume();
	come_back();
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	rsp_received();
	rsp_write_register("5", 7);
	rsp_write_register("7", STACK);
	rsp_write_register("10", CODE);
	rsp_write_register("7", CALL_STACK);
	rsp_write_register("10", FUNCTION);
	rsp_resume();
	die();
	cr_expect(uni_gdb_call_is_over(&m.stub, RETURN_PC));
	come_back();
	expect_as_before();
}

Test(rsp_calls, what_was_written_by_halves_is_undone)
{
	prepare();
	uni_gdb_abandon(&m.stub);
	expect_as_before();
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
}

Test(rsp_calls, so_is_what_was_put_back_by_halves)
{
	prepare();
	rsp_resume();
	come_back();
	uni_gdb_poll(&m.stub);
	rsp_received();
	rsp_write_register("10", CODE);
	uni_gdb_abandon(&m.stub);
	expect_as_before();
}

Test(rsp_calls, another_gdb_that_comes_without_a_word_undoes_it_too)
{
	prepare();
	rsp_ask("qSupported");
	expect_as_before();
}

Test(rsp_calls, what_a_gdb_wrote_that_detaches_stays)
{
	prepare();
	rsp_send("D");
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	cr_expect_eq(rsp_words(1)[UNI_GDB_RDI], 1000);
}

Test(rsp_calls, a_jump_is_none)
{
	prepare();
	rsp_write_register("7", STACK);
	rsp_resume();
	die();
	cr_expect_not(uni_gdb_call_is_over(&m.stub, RETURN_PC));
	cr_expect_eq(rsp_words(1)[UNI_GDB_RIP], FUNCTION);
}

Test(rsp_calls, threads_that_are_held_keep_theirs)
{
	prepare();
	rsp_send("vCont;c:2");
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	die();
	expect_as_before();
}

Test(rsp_calls, what_gdb_could_not_write_does_not_pend)
{
	rsp_expect("Hg1", "OK");
	rsp_expect("G", "E16");
	rsp_expect("G00", "E16");
	rsp_expect("P5=00", "E16");
	cr_expect_not(uni_gdb_call_pends(&m.stub, 1));
}

Test(rsp_calls, what_gdb_wrote_pends_until_the_thread_goes)
{
	cr_expect_not(uni_gdb_call_pends(&m.stub, 1));
	prepare();
	cr_expect(uni_gdb_call_pends(&m.stub, 1));
	cr_expect_not(uni_gdb_call_pends(&m.stub, 2));
	rsp_go("vCont;c:2");
	cr_expect(uni_gdb_call_pends(&m.stub, 1), "it is held");
	rsp_stop(UNI_GDB_EVENT_SIGNAL, 2, 0);
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	rsp_received();
	rsp_expect("Hg1", "OK");
	rsp_write_register("7", STACK);
	rsp_go("vCont;c");
	cr_expect_not(uni_gdb_call_pends(&m.stub, 1));
}

/* --- in a thread that waits --- */

static void prepare_in_3(void)
{
	uint64_t return_pc = RETURN_PC;

	rsp_words(3)[UNI_GDB_RIP] = CODE;
	rsp_words(3)[UNI_GDB_RSP] = STACK;
	memcpy(m.ram + (CALL_STACK - MACHINE_RAM_BASE), &return_pc, sizeof(return_pc));
	rsp_expect("Hg3", "OK");
	rsp_write_register("7", CALL_STACK);
	rsp_write_register("10", FUNCTION);
}

Test(rsp_calls, a_thread_on_no_cpu_can_make_one_alone)
{
	prepare_in_3();
	rsp_send("vCont;c:3");
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	rsp_stop(UNI_GDB_EVENT_SIGNAL, 3, 0);
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	rsp_received();
	rsp_send("vCont;s:3");
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME, "it runs already");
}

Test(rsp_calls, nor_does_it_go_where_it_was_not_called)
{
	prepare_in_3();
	rsp_write_register("7", STACK);
	cr_expect_eq(strncmp(rsp_ask("vCont;c:3"), "E.", 2), 0);
}
