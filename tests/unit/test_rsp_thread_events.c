/* SPDX-License-Identifier: MIT */

/* Threads that begin and end, told to a gdb that asked for it. */

#include "tests/unit/rsp_machine.h"

TestSuite(rsp_thread_events, .init = rsp_attach);

static void happen(enum uni_gdb_event_kind kind, uint32_t thread, uint8_t status)
{
	uni_gdb_event(&m.stub, &(struct uni_gdb_event){
				       .kind = kind,
				       .signal = UNI_GDB_SIGTRAP,
				       .thread = thread,
				       .status = status,
			       });
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
}

Test(rsp_thread_events, are_wanted_only_while_asked_for)
{
	cr_expect_not(uni_gdb_wants_thread_events(&m.stub));
	rsp_expect("QThreadEvents:1", "OK");
	cr_expect(uni_gdb_wants_thread_events(&m.stub));
	rsp_expect("QThreadEvents:0", "OK");
	cr_expect_not(uni_gdb_wants_thread_events(&m.stub));
	rsp_expect("QThreadEvents:2", "E16");
	rsp_expect("QThreadEvents:11", "E16");
	rsp_expect("QThreadEvents:", "E16");
	cr_expect_not(uni_gdb_wants_thread_events(&m.stub));
}

Test(rsp_thread_events, end_with_the_session)
{
	rsp_expect("QThreadEvents:1", "OK");
	rsp_ask("qSupported");
	cr_expect_not(uni_gdb_wants_thread_events(&m.stub), "another session starts");
	rsp_expect("QThreadEvents:1", "OK");
	rsp_send("D");
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	cr_expect_not(uni_gdb_wants_thread_events(&m.stub));
	rsp_received();
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	cr_expect_eq(rsp_ask("?")[0], 'T');
	cr_expect_not(uni_gdb_wants_thread_events(&m.stub), "nor does the next one have it");
}

Test(rsp_thread_events, are_stop_replies)
{
	rsp_expect("QThreadEvents:1", "OK");
	rsp_resume();
	happen(UNI_GDB_EVENT_CREATED, 2, 0);
	cr_expect_eq(strncmp(rsp_received(), "T05create:;thread:2;", 20), 0);
	rsp_resume();
	happen(UNI_GDB_EVENT_ENDED, 2, 0x2a);
	cr_expect_str_eq(rsp_received(), "w2a;2");
	cr_expect(uni_gdb_attached(&m.stub), "the session goes on");
	rsp_resume();
}

Test(rsp_thread_events, name_the_process_where_gdb_does)
{
	rsp_ask("qSupported:multiprocess+");
	rsp_expect("QThreadEvents:1", "OK");
	rsp_resume();
	happen(UNI_GDB_EVENT_CREATED, 2, 0);
	cr_expect_eq(strncmp(rsp_received(), "T05create:;thread:p1.2;", 23), 0);
	rsp_resume();
	happen(UNI_GDB_EVENT_ENDED, 2, 0);
	cr_expect_str_eq(rsp_received(), "w00;p1.2");
}

/* --- the end of all that gdb let go --- */

/* Thread 3 on a CPU, and let go alone, or beside others. */
static void let_go(const char *packet)
{
	m.threads[2].public.cpu = 2;
	m.threads[2].public.waits = false;
	rsp_send(packet);
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
}

static enum uni_gdb_verdict end_of_3(void)
{
	m.thread_count = 2;
	rsp_stop(UNI_GDB_EVENT_GONE, 3, 0);
	return uni_gdb_poll(&m.stub);
}

Test(rsp_thread_events, the_end_of_the_only_one_that_goes_is_told)
{
	cr_expect_not_null(strstr(rsp_ask("qSupported:no-resumed+"), ";no-resumed+"));
	let_go("vCont;c:3");
	cr_expect(uni_gdb_wants_end_of(&m.stub, 3));
	cr_expect_not(uni_gdb_wants_end_of(&m.stub, 2), "it is held");
	cr_expect_eq(end_of_3(), UNI_GDB_STAY);
	cr_expect_str_eq(rsp_received(), "N");
	cr_expect_eq(strncmp(rsp_ask("?"), "T05thread:1;", 12), 0, "a thread that there is");
	rsp_expect("qC", "QC1");
}

Test(rsp_thread_events, it_is_an_error_to_a_gdb_that_does_not_know_it)
{
	rsp_ask("qSupported:no-resumed-");
	let_go("vCont;s:3");
	cr_expect_eq(end_of_3(), UNI_GDB_STAY);
	cr_expect_eq(strncmp(rsp_received(), "E.", 2), 0);
}

Test(rsp_thread_events, one_of_several_that_go_ends_without_a_word)
{
	rsp_ask("qSupported:no-resumed+");
	let_go("vCont;c:3;c:2");
	cr_expect(uni_gdb_wants_end_of(&m.stub, 3));
	cr_expect_eq(end_of_3(), UNI_GDB_RESUME);
	cr_expect_str_eq(rsp_received(), "");
	cr_expect_eq(uni_gdb_resume_of(&m.stub, 2).kind, UNI_GDB_CONTINUE);
	cr_expect_eq(uni_gdb_resume_of(&m.stub, 1).kind, UNI_GDB_HOLD);
}

Test(rsp_thread_events, no_end_is_wanted_where_all_go)
{
	rsp_ask("qSupported:no-resumed+");
	let_go("vCont;s:3;c");
	cr_expect_not(uni_gdb_wants_end_of(&m.stub, 3));
	cr_expect_not(uni_gdb_wants_end_of(&m.stub, 2));
}
