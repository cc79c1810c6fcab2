/* SPDX-License-Identifier: MIT */

/* Threads named with their process, for a gdb that asked for it; "Packets", thread-id syntax. */

#include "tests/unit/rsp_machine.h"

static void attach(void)
{
	rsp_attach();
	rsp_ask("qSupported:swbreak+;multiprocess+;hwbreak+");
}

TestSuite(rsp_processes, .init = attach);

Test(rsp_processes, every_answer_names_the_process)
{
	cr_expect_not_null(strstr(rsp_ask("?"), "thread:p1.1;"));
	rsp_expect("qC", "QCp1.1");
	rsp_expect("qfThreadInfo", "mp1.1,p1.2,p1.3");
	cr_expect_not_null(strstr(rsp_ask("qXfer:threads:read::0,1000"), "<thread id=\"p1.2\""));
}

Test(rsp_processes, are_taken_where_threads_are)
{
	rsp_expect("Hgp1.2", "OK");
	rsp_expect("Hgp2.2", "E16");
	rsp_expect("Hcp1.-1", "OK");
	rsp_expect("Tp1.3", "OK");
	cr_expect_eq(rsp_ask("Tp2.3")[0], 'E');
	rsp_send("vCont;s:p1.1;c:p1.-1");
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	cr_expect_eq(uni_gdb_resume_of(&m.stub, 1).kind, UNI_GDB_STEP);
	cr_expect_eq(uni_gdb_resume_of(&m.stub, 2).kind, UNI_GDB_CONTINUE);
}

Test(rsp_processes, the_exit_is_the_processs)
{
	rsp_resume();
	uni_gdb_event(&m.stub, &(struct uni_gdb_event){
				       .kind = UNI_GDB_EVENT_EXIT, .thread = 1, .status = 3});
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	cr_expect_str_eq(rsp_received(), "W03;process:1");
}

Test(rsp_processes, are_not_named_to_the_next_gdb_that_does_not_ask)
{
	rsp_send("D;1");
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	cr_expect_str_eq(rsp_received(), "OK");
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 2, 0);
	rsp_ask("qSupported:xmultiprocess+;multiprocess+x;multiprocess-");
	rsp_expect("qC", "QC2");
}
