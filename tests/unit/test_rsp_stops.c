/* SPDX-License-Identifier: MIT */

/* Which of several stops gdb is told of, and when. */

#include "tests/unit/rsp_machine.h"

#define CODE 0x100400u

TestSuite(stops, .init = rsp_attach);

static void two_hit(void)
{
	rsp_expect("Z0,100400,1", "OK");
	rsp_go("vCont;c");
	m.threads[0].registers.words[UNI_GDB_RIP] = CODE;
	m.threads[1].registers.words[UNI_GDB_RIP] = CODE;
	rsp_stop(UNI_GDB_EVENT_BREAKPOINT, 1, CODE);
	rsp_stop(UNI_GDB_EVENT_BREAKPOINT, 2, CODE);
}

Test(stops, two_that_hit_at_once_are_both_told)
{
	two_hit();
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	cr_expect_not_null(strstr(rsp_received(), "thread:1;"));
	cr_expect_not(uni_gdb_event_pends(&m.stub, 1));
	cr_expect(uni_gdb_event_pends(&m.stub, 2));
	/* gdb steps the first one off it, all others held: the second waits. */
	rsp_expect("z0,100400,1", "OK");
	rsp_go("vCont;s:1");
	m.threads[0].registers.words[UNI_GDB_RIP] = CODE + 1;
	rsp_stop(UNI_GDB_EVENT_STEP, 1, 0);
	uni_gdb_poll(&m.stub);
	cr_expect_not_null(strstr(rsp_received(), "thread:1;"));
	rsp_expect("Z0,100400,1", "OK");
	rsp_send("vCont;c");
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY,
		     "nothing runs before the other one was told");
	cr_expect_not_null(strstr(rsp_received(), "swbreak:;thread:2;"));
}

/* gdb would take it for a signal of the program's. */
Test(stops, a_step_that_another_thread_was_quicker_than_is_no_news)
{
	rsp_expect("Z0,100400,1", "OK");
	rsp_go("vCont;s:1;c");
	m.threads[1].registers.words[UNI_GDB_RIP] = CODE;
	rsp_stop(UNI_GDB_EVENT_BREAKPOINT, 2, CODE);
	rsp_stop(UNI_GDB_EVENT_STEP, 1, 0);
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	cr_expect_not_null(strstr(rsp_received(), "swbreak:;thread:2;"));
	/* Of the step that was made nothing is told: see rsp_go(). */
	rsp_go("vCont;s:1;c");
	rsp_stop(UNI_GDB_EVENT_STEP, 2, 0);
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	cr_expect_str_eq(rsp_received(), "", "nor one of a thread that is to go on");
	rsp_stop(UNI_GDB_EVENT_STEP, 1, 0);
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	cr_expect_eq(strncmp(rsp_received(), "T05thread:1;", 12), 0);
}

Test(stops, a_hit_whose_breakpoint_is_gone_is_no_news)
{
	two_hit();
	uni_gdb_poll(&m.stub);
	rsp_received();
	rsp_expect("z0,100400,1", "OK");
	rsp_go("vCont;c");
}

/* It was not yet where it could be held when gdb let the other one go. */
Test(stops, a_hit_of_a_thread_that_is_held_lets_the_others_go_on)
{
	rsp_expect("Z0,100400,1", "OK");
	rsp_go("vCont;c:1");
	m.threads[1].registers.words[UNI_GDB_RIP] = CODE;
	rsp_stop(UNI_GDB_EVENT_BREAKPOINT, 2, CODE);
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	cr_expect_str_eq(rsp_received(), "");
	cr_expect(m.stub.as_before);
	cr_expect(uni_gdb_event_pends(&m.stub, 2));
	/* gdb hears of it when it lets that one go. */
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	machine_send(&m, "\x03", 1);
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	cr_expect_not_null(strstr(rsp_received(), "T02thread:1;"));
	rsp_send("vCont;c");
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	cr_expect_not_null(strstr(rsp_received(), "swbreak:;thread:2;"));
}

/* Bytes behind a resume, for which the guest does not even start: they turn out to be nothing. */
Test(stops, bytes_behind_a_resume_do_not_undo_it)
{
	rsp_send("vCont;s:1");
	machine_send(&m, "x", 1);
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	cr_expect_str_eq(rsp_received(), "");
	cr_expect_not(m.stub.as_before);
	cr_expect_eq(m.stub.looked_at, 1);
	/* The next bytes find it running. */
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 2, 0);
	machine_send(&m, "x", 1);
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	cr_expect(m.stub.as_before);
}
