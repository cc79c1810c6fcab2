/* SPDX-License-Identifier: MIT */

/* Threads that stop one by one. */

#include "tests/unit/rsp_machine.h"

/* What gdb believes: a stop of a thread that it believes stopped is what it dies of. */
static bool believed_stopped[MACHINE_THREADS + 1];

static void believe(const char *frame)
{
	unsigned thread;
	const char *at = strstr(frame, "thread:");

	if (!at)
		return;
	cr_assert_eq(sscanf(at, "thread:%x", &thread), 1, "in %s", frame);
	cr_assert_not(believed_stopped[thread], "thread %u stopped twice: %s", thread, frame);
	cr_assert(m.threads[thread - 1].held, "thread %u runs", thread);
	believed_stopped[thread] = true;
}

/* The guest stops for bytes, and goes on when they are answered. */
static const char *ask(const char *packet)
{
	const char *answer;

	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	rsp_send(packet);
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME, "after %s", packet);
	answer = rsp_received();
	for (const char *line = answer; line; line = strchr(line + 1, '\n')) {
		char frame[256] = "";

		sscanf(line, " %255[^\n]", frame);
		believe(frame);
	}
	return answer;
}

#define expect(packet, answer) cr_expect_str_eq(ask(packet), answer, "to %s", packet)

#define expect_begins(text, start)                                                              \
	do {                                                                                    \
		const char *got = text;                                                         \
		cr_expect_eq(strncmp(got, start, strlen(start)), 0, "%s is no %s", got, start); \
	} while (0)

static void let_go(const char *packet)
{
	unsigned thread = 0;
	const char *at = strchr(packet, ':');

	if (at)
		sscanf(at, ":%x", &thread);
	for (unsigned i = 1; i <= MACHINE_THREADS; i++)
		if (!thread || i == thread)
			believed_stopped[i] = false;
	expect(packet, "OK");
}

/* Something happens to a thread; what gdb hears at once. */
static const char *happen(enum uni_gdb_event_kind kind, uint32_t thread, uint64_t address)
{
	const char *heard;

	rsp_stop(kind, thread, address);
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	heard = rsp_received();
	believe(heard);
	return heard;
}

static void enter(void)
{
	memset(believed_stopped, 0, sizeof(believed_stopped));
	machine_init(&m);
	m.stub.options.run_length = false;
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	cr_assert_not_null(strstr(rsp_ask("qSupported:swbreak+"), ";QNonStop+"));
	rsp_ask("QStartNoAckMode");
	machine_send(&m, "+", 1);
	expect("QNonStop:1", "OK");
	expect("?", "OK");
}

TestSuite(rsp_nonstop, .init = enter);

static enum uni_gdb_action_kind kind_of(uint32_t thread)
{
	return uni_gdb_resume_of(&m.stub, thread).kind;
}

Test(rsp_nonstop, serves_while_the_guest_runs)
{
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 2, 0);
	rsp_send("m100000,2");
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME, "and goes on");
	cr_expect_str_eq(rsp_received(), "0007");
	cr_expect_eq(kind_of(1), UNI_GDB_CONTINUE);
	machine_send(&m, "$m10", 4);
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 2, 0);
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY, "in the middle of a packet");
}

Test(rsp_nonstop, stops_one_thread)
{
	expect_begins(ask("vCont;t:2"), "OK\n%Stop:T00thread:2;core:1;06:");
	cr_expect_eq(kind_of(2), UNI_GDB_HOLD);
	cr_expect_eq(kind_of(1), UNI_GDB_CONTINUE);
	cr_expect(m.threads[1].held);
	cr_expect_not(m.threads[0].held);
	expect("vStopped", "OK");
	expect("vCont;t:2", "OK");
	let_go("vCont;c:2");
	cr_expect_eq(kind_of(2), UNI_GDB_CONTINUE);
	cr_expect_not(m.threads[1].held);
	expect("vCont;c:2", "OK");
	expect("vCont;t:77", "OK");
	expect("vStopped", "OK");
}

Test(rsp_nonstop, stops_all_and_tells_of_each_once)
{
	expect_begins(ask("vCont;t"), "OK\n%Stop:T00thread:1;");
	expect_begins(ask("vStopped"), "T00thread:2;");
	expect_begins(ask("vStopped"), "T00thread:3;");
	expect("vStopped", "OK");
	expect("vCont;t:-1", "OK");
	let_go("vCont;c:-1");
	cr_expect_eq(m.stub.stop_count, 0);
	for (unsigned i = 0; i < m.thread_count; i++)
		cr_expect_not(m.threads[i].held);
}

Test(rsp_nonstop, a_breakpoint_stops_its_thread)
{
	expect("Z0,100200,1", "OK");
	expect_begins(happen(UNI_GDB_EVENT_BREAKPOINT, 2, 0x100200), "%Stop:T05swbreak:;thread:2;");
	expect("z0,100200,1", "OK");
	expect("vStopped", "OK");
	cr_expect_eq(kind_of(2), UNI_GDB_HOLD);
	cr_expect_eq(kind_of(3), UNI_GDB_CONTINUE);
}

Test(rsp_nonstop, stops_wait_for_their_turn)
{
	expect_begins(happen(UNI_GDB_EVENT_BREAKPOINT, 1, 0x100100), "%Stop:");
	cr_expect_str_eq(happen(UNI_GDB_EVENT_BREAKPOINT, 3, 0x100100), "");
	cr_expect_str_eq(happen(UNI_GDB_EVENT_STEP, 2, 0), "");
	expect_begins(ask("vStopped"), "T05swbreak:;thread:3;");
	expect_begins(ask("vStopped"), "T05thread:2;");
	expect("vStopped", "OK");
	let_go("vCont;c:3");
	expect_begins(happen(UNI_GDB_EVENT_BREAKPOINT, 3, 0x100100), "%Stop:T05swbreak:;thread:3;");
}

Test(rsp_nonstop, several_at_once_are_told_one_by_one)
{
	rsp_stop(UNI_GDB_EVENT_BREAKPOINT, 2, 0x100100);
	rsp_stop(UNI_GDB_EVENT_BREAKPOINT, 1, 0x100100);
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	expect_begins(rsp_received(), "%Stop:T05swbreak:;thread:2;");
	expect_begins(ask("vStopped"), "T05swbreak:;thread:1;");
	expect("vStopped", "OK");
}

/* gdb does not know of it yet, so it does not mean it. */
Test(rsp_nonstop, what_is_not_told_is_not_let_go)
{
	happen(UNI_GDB_EVENT_BREAKPOINT, 1, 0x100100);
	happen(UNI_GDB_EVENT_BREAKPOINT, 2, 0x100100);
	expect("vCont;c", "OK");
	cr_expect_eq(kind_of(1), UNI_GDB_HOLD, "sent, and not acknowledged");
	cr_expect_eq(kind_of(2), UNI_GDB_HOLD);
	expect_begins(ask("vStopped"), "T05swbreak:;thread:2;");
	let_go("vCont;c:1");
	cr_expect_eq(kind_of(1), UNI_GDB_CONTINUE);
	cr_expect_eq(kind_of(2), UNI_GDB_HOLD);
	expect("vStopped", "OK");
}

/* The kernel's threads in the middle of being set aside, and its idle threads, may. */
Test(rsp_nonstop, a_thread_that_is_told_is_not_told_again)
{
	happen(UNI_GDB_EVENT_BREAKPOINT, 1, 0x100100);
	cr_expect_str_eq(happen(UNI_GDB_EVENT_BREAKPOINT, 1, 0x100100), "");
	expect("vStopped", "OK");
	cr_expect_str_eq(happen(UNI_GDB_EVENT_SIGNAL, 1, 0), "");
	cr_expect_str_eq(happen(UNI_GDB_EVENT_HALTED, 1, 0), "");
	expect("vStopped", "OK");
	let_go("vCont;c:1");
	expect_begins(happen(UNI_GDB_EVENT_BREAKPOINT, 1, 0x100100), "%Stop:T05swbreak:;thread:1;");
}

Test(rsp_nonstop, a_thread_may_take_its_time_to_stop)
{
	m.stops_late = true;
	expect("vCont;t:2", "OK");
	cr_expect(m.threads[1].held);
	expect("vCont;t:2", "OK");
	expect("vCont;c:2", "OK");
	expect("vStopped", "OK");
	expect_begins(happen(UNI_GDB_EVENT_HALTED, 2, 0), "%Stop:T00thread:2;");
	cr_expect_str_eq(happen(UNI_GDB_EVENT_HALTED, 1, 0), "", "nobody asked for this one");
	expect("vStopped", "OK");
	let_go("vCont;c:2");
	expect("vCont;t:2", "OK");
	expect_begins(happen(UNI_GDB_EVENT_BREAKPOINT, 2, 0x100100), "%Stop:T05swbreak:;thread:2;");
	cr_expect_str_eq(happen(UNI_GDB_EVENT_HALTED, 2, 0), "");
}

Test(rsp_nonstop, a_thread_may_end_before_it_stops)
{
	m.stops_late = true;
	expect("vCont;t:2", "OK");
	m.thread_count = 1;
	cr_expect_str_eq(happen(UNI_GDB_EVENT_HALTED, 2, 0), "");
	cr_expect_eq(m.stub.stop_count, 0);
}

Test(rsp_nonstop, question_mark_tells_all_once_more)
{
	happen(UNI_GDB_EVENT_BREAKPOINT, 1, 0x100100);
	expect("vStopped", "OK");
	happen(UNI_GDB_EVENT_STEP, 3, 0);
	memset(believed_stopped, 0, sizeof(believed_stopped));
	expect_begins(ask("?"), "T05swbreak:;thread:1;");
	cr_expect_str_eq(happen(UNI_GDB_EVENT_STEP, 2, 0), "");
	expect_begins(ask("vStopped"), "T05thread:3;");
	expect_begins(ask("vStopped"), "T05thread:2;");
	expect("vStopped", "OK");
}

Test(rsp_nonstop, a_step_is_of_one_thread)
{
	struct uni_gdb_action action;

	happen(UNI_GDB_EVENT_BREAKPOINT, 1, 0x100100);
	expect("vStopped", "OK");
	let_go("vCont;r100100,100120:1");
	for (unsigned i = 0; i < 2; i++) {
		action = uni_gdb_resume_of(&m.stub, 1);
		cr_expect_eq(action.kind, UNI_GDB_STEP);
		cr_expect_eq(action.start, 0x100100);
		cr_expect_eq(action.end, 0x100120);
		cr_expect_not(uni_gdb_step_done(&m.stub, 1, 0x10011f));
		cr_expect(uni_gdb_step_done(&m.stub, 1, 0x100120));
		cr_expect_eq(kind_of(2), UNI_GDB_CONTINUE);
		ask("m100000,1"); /* other stops change nothing */
	}
	expect_begins(happen(UNI_GDB_EVENT_STEP, 1, 0), "%Stop:T05thread:1;");
	cr_expect_eq(kind_of(1), UNI_GDB_HOLD);
	expect("vStopped", "OK");
	let_go("vCont;c:1");
	cr_expect_eq(kind_of(1), UNI_GDB_CONTINUE, "the step is over");
}

Test(rsp_nonstop, a_step_that_is_stopped_is_over)
{
	expect_begins(ask("vCont;t:1"), "OK\n%Stop:T00thread:1;");
	expect("vStopped", "OK");
	let_go("vCont;s:1");
	cr_expect_eq(kind_of(1), UNI_GDB_STEP);
	expect_begins(ask("vCont;t:1"), "OK\n%Stop:T00thread:1;");
	cr_expect_eq(m.stub.action_count, 0);
}

/* gdb steps a thread off a breakpoint, and its user stops it meanwhile. */
Test(rsp_nonstop, the_end_of_a_step_does_not_do_for_a_stop)
{
	ask("vCont;t:2");
	expect("vStopped", "OK");
	let_go("vCont;s:2");
	expect_begins(happen(UNI_GDB_EVENT_STEP, 2, 0), "%Stop:T05thread:2;");
	expect("vCont;t:2", "OK");
	expect("vStopped", "OK");
	believed_stopped[2] = false;
	expect_begins(ask("vCont;c:2"), "OK\n%Stop:T00thread:2;");
	expect("vStopped", "OK");
	cr_expect_eq(kind_of(2), UNI_GDB_HOLD);
	let_go("vCont;c:2");
	cr_expect_eq(kind_of(2), UNI_GDB_CONTINUE);
}

Test(rsp_nonstop, a_step_that_ends_on_the_way_to_a_stop)
{
	m.stops_late = true;
	ask("vCont;t:2");
	rsp_stop(UNI_GDB_EVENT_HALTED, 2, 0);
	rsp_send("vStopped");
	uni_gdb_poll(&m.stub);
	believe(rsp_received());
	let_go("vCont;s:2");
	expect("vCont;t:2", "OK");
	expect_begins(happen(UNI_GDB_EVENT_STEP, 2, 0), "%Stop:T05thread:2;");
	expect("vStopped", "OK");
	believed_stopped[2] = false;
	expect_begins(ask("vCont;c:2"), "OK\n%Stop:T00thread:2;");
}

Test(rsp_nonstop, a_step_that_ended_does_when_all_are_let_go)
{
	expect_begins(happen(UNI_GDB_EVENT_STEP, 2, 0), "%Stop:T05thread:2;");
	expect("vCont;t:2", "OK");
	expect("vStopped", "OK");
	believed_stopped[2] = false;
	expect("vCont;c", "OK");
}

Test(rsp_nonstop, a_breakpoint_does_for_a_stop)
{
	expect_begins(happen(UNI_GDB_EVENT_BREAKPOINT, 2, 0x100500), "%Stop:T05swbreak:;");
	expect("vCont;t:2", "OK");
	expect("vStopped", "OK");
	let_go("vCont;c:2");
}

Test(rsp_nonstop, the_first_action_of_a_thread_counts)
{
	ask("vCont;t");
	for (unsigned i = 0; i < 3; i++)
		ask("vStopped");
	memset(believed_stopped, 0, sizeof(believed_stopped));
	expect("vCont;s:1;t:2;c", "OK");
	cr_expect_eq(kind_of(1), UNI_GDB_STEP);
	cr_expect_eq(kind_of(2), UNI_GDB_CONTINUE, "it stood already when it was to stop");
	cr_expect_eq(kind_of(3), UNI_GDB_CONTINUE);
}

Test(rsp_nonstop, a_signal_is_passed_on_once)
{
	happen(UNI_GDB_EVENT_SIGNAL, 1, 0);
	expect("vStopped", "OK");
	let_go("vCont;C0b:1");
	cr_expect_eq(uni_gdb_resume_of(&m.stub, 1).signal, 11);
	ask("m100000,1");
	cr_expect_eq(uni_gdb_resume_of(&m.stub, 1).signal, 0);
}

Test(rsp_nonstop, wrong_actions_change_nothing)
{
	happen(UNI_GDB_EVENT_SIGNAL, 1, 0);
	expect("vStopped", "OK");
	expect("vCont;c:1;x", "E16");
	expect("vCont;c:1;", "E16");
	expect("vCont;c:1,", "E16");
	expect("c", "E16");
	cr_expect_eq(kind_of(1), UNI_GDB_HOLD);
}

Test(rsp_nonstop, control_c_stops_what_was_let_go_last)
{
	expect_begins(ask("vCont;t:3"), "OK\n%Stop:T00thread:3;");
	expect("vStopped", "OK");
	let_go("vCont;c:3");
	expect_begins(ask("vCtrlC"), "OK\n%Stop:T02thread:3;");
	expect("vStopped", "OK");
	expect_begins(ask("vCtrlC"), "OK\n%Stop:T02thread:1;");
	expect_begins(ask("vCtrlC"), "OK");
	expect_begins(ask("vStopped"), "T02thread:2;");
	expect("vCtrlC", "OK");
	expect("vStopped", "OK");
	machine_send(&m, "\x03", 1);
	expect("vStopped", "OK");
}

Test(rsp_nonstop, begin_and_end_of_threads)
{
	expect("QThreadEvents:1", "OK");
	expect_begins(happen(UNI_GDB_EVENT_CREATED, 2, 0), "%Stop:T05create:;thread:2;");
	cr_expect_eq(kind_of(2), UNI_GDB_HOLD);
	expect("vStopped", "OK");
	let_go("vCont;c:2");
	cr_expect_str_eq(happen(UNI_GDB_EVENT_ENDED, 2, 0), "%Stop:w00;2");
	cr_expect_eq(kind_of(2), UNI_GDB_CONTINUE, "nobody lets it go");
	cr_expect_not(m.threads[1].held);
	expect("vStopped", "OK");
	cr_expect_eq(m.stub.stop_count, 0);
	m.stops_late = true;
	expect("vCont;t:1", "OK");
	cr_expect_str_eq(happen(UNI_GDB_EVENT_ENDED, 1, 0), "%Stop:w00;1");
	cr_expect_not(m.threads[0].held, "it was to stop, and ended");
}

Test(rsp_nonstop, the_end_of_the_program_ends_the_session)
{
	cr_expect_str_eq(happen(UNI_GDB_EVENT_EXIT, 1, 0), "%Stop:W00");
	cr_expect_eq(kind_of(1), UNI_GDB_HOLD);
	expect("vStopped", "OK");
	cr_expect_not(uni_gdb_attached(&m.stub));
	cr_expect_not(m.threads[0].held);
}

Test(rsp_nonstop, ends_with_the_session)
{
	happen(UNI_GDB_EVENT_BREAKPOINT, 1, 0x100100);
	happen(UNI_GDB_EVENT_BREAKPOINT, 2, 0x100100);
	expect("D", "OK");
	cr_expect_eq(m.stub.stop_count, 0);
	cr_expect_not(m.threads[0].held || m.threads[1].held);
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	cr_expect_eq(rsp_ask("?")[0], 'T', "the next one stops all");
}

Test(rsp_nonstop, ends_with_gdb)
{
	happen(UNI_GDB_EVENT_BREAKPOINT, 1, 0x100100);
	m.gone = true;
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	cr_expect_not(m.threads[0].held);
	cr_expect_eq(kind_of(1), UNI_GDB_CONTINUE);
}

Test(rsp_nonstop, ends_with_a_gdb_that_comes)
{
	happen(UNI_GDB_EVENT_BREAKPOINT, 1, 0x100100);
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	rsp_ask("qSupported");
	cr_expect_not(m.threads[0].held);
	cr_expect_eq(rsp_ask("?")[0], 'T');
}

Test(rsp_nonstop, can_be_left)
{
	happen(UNI_GDB_EVENT_BREAKPOINT, 1, 0x100100);
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	rsp_expect("QNonStop:0", "OK");
	cr_expect_not(m.threads[0].held);
	cr_expect_eq(rsp_ask("?")[0], 'T');
	rsp_resume();
	rsp_stop(UNI_GDB_EVENT_SIGNAL, 2, 0);
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	expect_begins(rsp_received(), "T05thread:2;");
	rsp_expect("QNonStop:2", "E16");
	rsp_expect("QNonStop:11", "E16");
}

/* As where the guest waits for gdb. */
Test(rsp_nonstop, what_stopped_the_guest_is_told_when_gdb_asks)
{
	machine_init(&m);
	m.stub.options.run_length = false;
	rsp_stop(UNI_GDB_EVENT_SIGNAL, 2, 0);
	rsp_ask("qSupported");
	expect("QNonStop:1", "OK");
	cr_expect(m.threads[1].held);
	expect_begins(ask("?"), "T05thread:2;");
	expect("vStopped", "OK");
	cr_expect_eq(kind_of(1), UNI_GDB_CONTINUE);
}

Test(rsp_nonstop, the_selected_thread_stays_selected)
{
	expect("Hg2", "OK");
	happen(UNI_GDB_EVENT_BREAKPOINT, 1, 0x100100);
	expect("p6", "0620000000000000");
}

static const char *join(char *list, const char *reply)
{
	return strcat(list, reply + 1);
}

Test(rsp_nonstop, lists_go_on_where_they_were)
{
	char whole[8192] = "", pieces[8192] = "";
	char packet[64];

	for (unsigned i = 4; i <= 40; i++)
		machine_add_thread(&m, i, UNI_GDB_NO_CPU, "more");
	join(whole, ask("qXfer:threads:read::0,3000"));
	for (unsigned at = 0; at < strlen(whole); at += 0x64) {
		snprintf(packet, sizeof(packet), "qXfer:threads:read::%x,64", at);
		join(pieces, ask(packet));
	}
	cr_expect_str_eq(pieces, whole);
	ask("qfThreadInfo");
	expect("qsThreadInfo", "l");
	expect_begins(ask("qfThreadInfo"), "m1,2,3,4,");
}

Test(rsp_nonstop, what_dprintf_printed_comes_with_a_monitor_command)
{
	m.stub.output.len = 2;
	memcpy(m.stub.output.data, "hi", 2);
	cr_expect_not(uni_gdb_has_output(&m.stub), "nothing that the guest is to stop for");
	expect("m100000,1", "00");
	expect_begins(ask("qRcmd,726c65"), "O6869\n");
	cr_expect_eq(m.stub.output.len, 0);
}

Test(rsp_nonstop, gives_room_for_the_copies_that_gdb_makes)
{
	/* A page's size, MACHINE_OWN_ROOM_BASE, the end. */
	static const char reply[] = "$l"
				    "\6\0\0\0\0\0\0\0"
				    "\0\x10\0\0\0\0\0\0"
				    "\t\0\0\0\0\0\0\0"
				    "\0\x90\x12\0\0\0\0\0"
				    "\0\0\0\0\0\0\0\0"
				    "\0\0\0\0\0\0\0\0"
				    "#";

	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	rsp_send("qXfer:auxv:read::0,1000");
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	cr_expect_eq(memcmp(m.from_stub, reply, sizeof(reply) - 1), 0);
	m.from_stub_len = 0;
	expect("qXfer:auxv:read:x:0,1000", "E16");
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	rsp_expect("QNonStop:0", "OK");
	rsp_expect("qXfer:auxv:read::0,1000", "l");
}

/* One that a stopped thread may meet on its way off its CPU. */
Test(rsp_nonstop, each_breakpoint_can_be_passed)
{
	m.ram[0x200] = 0x90;
	expect("Z0,100200,1", "OK");
	cr_expect_not_null(uni_gdb_breakpoint_passable(&m.stub, 0x100200));
}

Test(rsp_nonstop, there_is_room_for_so_many)
{
	m.stub.stop_count = UNI_GDB_STOPS - 1;
	for (unsigned i = 0; i < UNI_GDB_STOPS - 1; i++)
		m.stub.stops[i] = (struct uni_gdb_stop){
			.event.thread = 1000 + i,
			.state = UNI_GDB_STOP_TOLD,
		};
	expect_begins(ask("vCont;t"), "E.no room for so many threads");
	cr_expect_str_eq(happen(UNI_GDB_EVENT_BREAKPOINT, 2, 0x100100), "");
	cr_expect_eq(kind_of(2), UNI_GDB_CONTINUE, "it meets the breakpoint again");
	for (unsigned i = 0; i < UNI_GDB_ACTIONS; i++) {
		char packet[32];

		snprintf(packet, sizeof(packet), "vCont;s:%x", 1000 + i);
		expect(packet, "OK");
	}
	expect_begins(ask("vCont;s:408"), "E.no room for so many threads");
	cr_expect_eq(kind_of(0x408), UNI_GDB_HOLD);
}

Test(rsp_nonstop, is_offered_where_the_platform_can)
{
	struct uni_gdb_ops ops;

	machine_init(&m);
	ops = *m.stub.ops;
	ops.thread_hold = NULL;
	m.stub.ops = &ops;
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	cr_expect_null(strstr(rsp_ask("qSupported"), "QNonStop"));
	rsp_expect("QNonStop:1", "");
	rsp_expect("vStopped", "");
}
