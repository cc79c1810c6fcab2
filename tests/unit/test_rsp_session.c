/* SPDX-License-Identifier: MIT */

/* Whole sessions against a machine in memory (gdbstub/hosted/machine.h), as gdb 13 leads them. The
 * answers are those that GDB's manual, or gdb's source, asks for. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "gdbstub/hosted/machine.h"

static struct machine m;
static char answer[MACHINE_WIRE_SIZE + 1];

static void setup(void)
{
	machine_init(&m);
	m.stub.options.run_length = false;
}

TestSuite(rsp, .init = setup);

static void send_packet_bytes(const void *payload, size_t len)
{
	const uint8_t *bytes = payload;
	uint8_t sum = 0;
	char tail[4];

	for (size_t i = 0; i < len; i++)
		sum += bytes[i];
	snprintf(tail, sizeof(tail), "#%02x", sum);
	machine_send(&m, "$", 1);
	machine_send(&m, payload, len);
	machine_send(&m, tail, 3);
}

static void send_packet(const char *payload)
{
	send_packet_bytes(payload, strlen(payload));
}

/* The raw bytes that came from the stub since the last time. */
static const char *received(void)
{
	memcpy(answer, m.from_stub, m.from_stub_len);
	answer[m.from_stub_len] = 0;
	m.from_stub_len = 0;
	return answer;
}

static enum uni_gdb_verdict poll(void)
{
	return uni_gdb_poll(&m.stub);
}

static void event(enum uni_gdb_event_kind kind, uint32_t thread, uint64_t address)
{
	uni_gdb_event(&m.stub, &(struct uni_gdb_event){
				       .kind = kind,
				       .signal = UNI_GDB_SIGTRAP,
				       .thread = thread,
				       .address = address,
			       });
}

static void watch_event(uint32_t thread, unsigned slot, uint64_t address)
{
	uni_gdb_event(&m.stub, &(struct uni_gdb_event){
				       .kind = UNI_GDB_EVENT_WATCH,
				       .signal = UNI_GDB_SIGTRAP,
				       .thread = thread,
				       .address = address,
				       .slot = slot,
			       });
}

/* The payload of the one frame that came, with the verdict expected. */
static const char *payload(void)
{
	char *start = strchr(received(), '$');
	char *end = start ? strchr(start, '#') : NULL;

	cr_assert_not_null(start, "no frame in \"%s\"", answer);
	cr_assert_not_null(end);
	cr_assert_null(strchr(end, '$'), "more than one frame: %s", answer);
	*end = 0;
	return start + 1;
}

static const char *ask(const char *packet)
{
	send_packet(packet);
	cr_assert_eq(poll(), UNI_GDB_STAY, "after %s", packet);
	return payload();
}

/* Asks for a resume, which has no answer yet. */
static void resume(const char *packet)
{
	send_packet(packet);
	cr_assert_eq(poll(), UNI_GDB_RESUME, "after %s", packet);
	cr_assert_str_eq(received(), "", "after %s", packet);
}

/* As gdb does it: no-ack mode. */
static void attach(void)
{
	event(UNI_GDB_EVENT_ATTENTION, 1, 0);
	machine_send(&m, "+", 1);
	ask("qSupported:swbreak+;hwbreak+;vContSupported+");
	machine_send(&m, "+", 1);
	ask("QStartNoAckMode");
	machine_send(&m, "+", 1);
	cr_assert_eq(ask("?")[0], 'T');
}

static uint8_t *ram(uint64_t address)
{
	return m.ram + (address - MACHINE_RAM_BASE);
}

#define CODE 0x100400u

Test(rsp, offers_what_gdb_may_use)
{
	event(UNI_GDB_EVENT_ATTENTION, 1, 0);
	cr_expect_str_eq(
		ask("qSupported:swbreak+"),
		"PacketSize=10000;multiprocess+;QStartNoAckMode+;vContSupported+;swbreak+;hwbreak+;"
		"ConditionalBreakpoints+;BreakpointCommands+;"
		"qXfer:traceframe-info:read+;ConditionalTracepoints+;TracepointSource+;"
		"EnableDisableTracepoints+;InstallInTrace+;DisconnectedTracing+;QTBuffer:size+;"
		"tracenz+;FastTracepoints+;qXfer:features:read+;qXfer:threads:read+;"
		"qXfer:memory-map:read+;QThreadEvents+;Qbtrace:bts+;Qbtrace:off+;Qbtrace-conf:bts:"
		"size+;"
		"qXfer:btrace:read+;qXfer:btrace-conf:read?;QNonStop+;qXfer:auxv:read+;no-"
		"resumed+;exec-events+");
	cr_expect_str_eq(ask("vMustReplyEmpty"), "");
	cr_expect_str_eq(ask("qAttached"), "1");
	cr_expect_str_eq(ask("QThreadSuffixSupported"), "");
	cr_expect_str_eq(ask("jThreadsInfo"), "");
	cr_expect_str_eq(ask("vCont?"), "vCont;c;C;s;S;t;r");
}

Test(rsp, acknowledges_until_it_is_told_not_to)
{
	event(UNI_GDB_EVENT_ATTENTION, 1, 0);
	send_packet("qC");
	poll();
	cr_expect_str_eq(received(), "+$QC1#c5");
	machine_send(&m, "$qC#00", 6);
	poll();
	cr_expect_str_eq(received(), "-", "a wrong checksum");
	machine_send(&m, "-", 1);
	poll();
	cr_expect_str_eq(received(), "$QC1#c5", "once more");
	send_packet("QStartNoAckMode");
	poll();
	cr_expect_str_eq(received(), "+$OK#9a");
	machine_send(&m, "+", 1);
	send_packet("qC");
	poll();
	cr_expect_str_eq(received(), "$QC1#c5");
	machine_send(&m, "-", 1);
	poll();
	cr_expect_str_eq(received(), "", "gdb's time-out, in no-ack mode");
}

Test(rsp, another_gdb_gets_its_acknowledgements)
{
	attach();
	ask("Z0,100400,1");
	resume("vCont;c");
	event(UNI_GDB_EVENT_ATTENTION, 1, 0);
	machine_send(&m, "+", 1);
	send_packet("qSupported");
	cr_expect_eq(poll(), UNI_GDB_STAY);
	cr_expect_eq(received()[0], '+');
	cr_expect_eq(m.stub.breakpoint_count, 0, "the other's breakpoints are gone");
	cr_expect_eq(*ram(CODE), (uint8_t)(0x400 * 7 + 4));
}

Test(rsp, a_stop_without_words_goes_on)
{
	event(UNI_GDB_EVENT_ATTENTION, 1, 0);
	machine_send(&m, "++-", 3);
	cr_expect_eq(poll(), UNI_GDB_RESUME);
	cr_expect_eq(uni_gdb_resume_of(&m.stub, 1).kind, UNI_GDB_CONTINUE);
	cr_expect_not(uni_gdb_wants_stop("++-", 3));
	cr_expect(uni_gdb_wants_stop("+$", 2));
	cr_expect(uni_gdb_wants_stop("\x03", 1));
}

Test(rsp, packets_come_in_any_pieces)
{
	m.read_max = 1;
	attach();
	cr_expect_str_eq(ask("m100000,2"), "0007");
}

Test(rsp, reads_memory_as_far_as_it_is_mapped)
{
	attach();
	cr_expect_str_eq(ask("m100000,4"), "00070e15");
	cr_expect_str_eq(ask("m10fffe,8"), "f1f8", "up to the hole");
	cr_expect_str_eq(ask("m110000,1"), "E0e");
	cr_expect_str_eq(ask("m0,1"), "E0e");
	cr_expect_str_eq(ask("mffffffffffffffff,10"), "E0e");
	cr_expect_str_eq(ask("m100000,0"), "");
	cr_expect_str_eq(ask("m100000"), "E16");
	cr_expect_str_eq(ask("m100000,zz"), "E16");
	cr_expect_eq(strlen(ask("m111000,8000")), 0x10000, "half of PacketSize at once");
	cr_expect_eq(strlen(ask("m111000,ffffffff")), 0x10000);
}

Test(rsp, writes_memory)
{
	attach();
	cr_expect_str_eq(ask("M100000,3:aabbcc"), "OK");
	cr_expect_arr_eq(ram(0x100000), "\xaa\xbb\xcc", 3);
	cr_expect_str_eq(ask("M100000,3:aabbc"), "E16", "half a byte is missing");
	cr_expect_str_eq(ask("M100000,2:aabbcc"), "E16");
	cr_expect_str_eq(ask("M100000,1:zz"), "E16");
	cr_expect_str_eq(ask("M10ffff,2:0000"), "E0e");
	cr_expect_str_eq(ask("X100000,0:"), "OK", "gdb's probe");
	send_packet_bytes("X100010,5:a\x03}\x03z}\x5d", 17);
	poll();
	cr_expect_str_eq(payload(), "OK");
	cr_expect_arr_eq(ram(0x100010), "a\x03#z}", 5);
}

Test(rsp, a_payload_with_0x03_is_not_an_interrupt)
{
	attach();
	send_packet_bytes("X100000,1:\x03", 11);
	cr_expect_eq(poll(), UNI_GDB_STAY);
	cr_expect_str_eq(payload(), "OK");
	machine_send(&m, "\x03", 1);
	cr_expect_eq(poll(), UNI_GDB_STAY);
	cr_expect_str_eq(received(), "", "and one while stopped says nothing");
}

Test(rsp, ctrl_c_that_meets_a_stop_holds_the_next_resume)
{
	attach();
	machine_send(&m, "\x03", 1);
	send_packet("vCont;s:1");
	cr_expect_eq(poll(), UNI_GDB_STAY);
	cr_expect_eq(strncmp(payload(), "T02", 3), 0);
	resume("vCont;s:1");
	event(UNI_GDB_EVENT_STEP, 1, 0);
	poll();
	received();
	/* This time gdb shows the stop: nobody wants the interrupt any more. */
	machine_send(&m, "\x03", 1);
	ask("qXfer:threads:read::0,1000");
	resume("vCont;c");
}

Test(rsp, ctrl_c_stops_a_thread_that_runs_and_none_that_is_held)
{
	attach();
	machine_send(&m, "\x03", 1);
	send_packet("vCont;c:2");
	cr_expect_eq(poll(), UNI_GDB_STAY);
	cr_expect_eq(strncmp(payload(), "T02thread:2;", 12), 0, "%s", answer);
	resume("vCont;c:2");
	event(UNI_GDB_EVENT_ATTENTION, 1, 0); /* of a CPU that is held, and looks */
	machine_send(&m, "\x03", 1);
	cr_expect_eq(poll(), UNI_GDB_STAY);
	cr_expect_eq(strncmp(payload(), "T02thread:2;", 12), 0, "%s", answer);
}

Test(rsp, breakpoints_are_there_only_while_it_runs)
{
	uint8_t original = *ram(CODE);

	attach();
	cr_expect_str_eq(ask("Z0,100400,1"), "OK");
	cr_expect_str_eq(ask("Z0,100400,1"), "OK", "gdb may repeat it");
	cr_expect_eq(m.stub.breakpoint_count, 1);
	cr_expect_eq(*ram(CODE), original);
	resume("vCont;c");
	cr_expect_eq(*ram(CODE), 0xcc);
	m.threads[1].registers.words[UNI_GDB_RIP] = CODE;
	event(UNI_GDB_EVENT_BREAKPOINT, 2, CODE);
	cr_expect_eq(*ram(CODE), original);
	cr_expect_eq(poll(), UNI_GDB_STAY);
	cr_expect_eq(strncmp(payload(), "T05swbreak:;thread:2;core:1;06:", 31), 0, "%s", answer);
	cr_expect_str_eq(ask("m100400,1"), "04");
	cr_expect_str_eq(ask("z0,100400,1"), "OK");
	cr_expect_str_eq(ask("z0,100400,1"), "OK");
	resume("vCont;c");
	cr_expect_eq(*ram(CODE), original);
}

Test(rsp, a_write_over_a_breakpoint_stays_when_it_goes)
{
	attach();
	ask("Z0,100400,1");
	resume("vCont;c");
	event(UNI_GDB_EVENT_SIGNAL, 1, 0);
	poll();
	received();
	ask("M100400,1:90");
	resume("vCont;c");
	cr_expect_eq(*ram(CODE), 0xcc);
	event(UNI_GDB_EVENT_SIGNAL, 1, 0);
	poll();
	received();
	cr_expect_str_eq(ask("m100400,1"), "90");
}

Test(rsp, what_the_guest_writes_over_a_breakpoint_stays)
{
	attach();
	ask("Z0,100400,1");
	resume("vCont;c");
	*ram(CODE) = 0xe9;
	event(UNI_GDB_EVENT_SIGNAL, 1, 0);
	cr_expect_eq(*ram(CODE), 0xe9);
}

Test(rsp, breakpoints_that_cannot_be)
{
	attach();
	cr_expect_str_eq(ask("Z0,110000,1"), "E0e", "the hole");
	cr_expect_str_eq(ask("Z0,120000,1"), "E.this is the stub's own code");
	cr_expect_str_eq(ask("Z0,100400,2"), "E.no breakpoint of this kind");
	cr_expect_str_eq(ask("Z0,100400"), "E16");
	cr_expect_str_eq(ask("Z5,100400,1"), "", "no such type");
	cr_expect_eq(m.stub.breakpoint_count, 0);
}

Test(rsp, there_is_an_end_to_breakpoints)
{
	char packet[32];

	attach();
	for (unsigned i = 0; i < UNI_GDB_BREAKPOINTS; i++) {
		snprintf(packet, sizeof(packet), "Z0,%x,1", 0x111000 + i);
		cr_assert_str_eq(ask(packet), "OK");
	}
	cr_expect_str_eq(ask("Z0,100400,1"), "E.no room for more breakpoints");
	ask("z0,111000,1");
	cr_expect_str_eq(ask("Z0,100400,1"), "OK");
}

Test(rsp, watchpoints_are_split_and_told_by_what_was_asked)
{
	attach();
	cr_expect_str_eq(ask("Z2,100404,c"), "OK", "4 bytes and 8");
	cr_expect_eq(m.stub.watches[0].watch.len, 4);
	cr_expect_eq(m.stub.watches[1].watch.len, 8);
	cr_expect_eq(m.stub.watches[1].watch.address, 0x100408);
	cr_expect_str_eq(ask("Z1,100400,1"), "OK");
	cr_expect_eq(strncmp(ask("Z2,100501,8"), "E.", 2), 0, "that needs more than are left");
	cr_expect_str_eq(ask("Z4,100500,8"), "OK");
	cr_expect_eq(strncmp(ask("Z4,100600,1"), "E.", 2), 0);
	resume("vCont;c");
	watch_event(2, 1, 0x100408);
	poll();
	cr_expect_eq(strncmp(payload(), "T05watch:100404;thread:2;", 25), 0, "%s", answer);
	resume("vCont;c");
	watch_event(2, 2, 0x100400);
	poll();
	cr_expect_eq(strncmp(payload(), "T05hwbreak:;thread:2;", 21), 0, "%s", answer);
	cr_expect_str_eq(ask("z2,100404,c"), "OK");
	cr_expect_eq(m.stub.watches[1].watch.kind, UNI_GDB_WATCH_NONE);
}

Test(rsp, reads_alone_are_not_watched)
{
	attach();
	cr_expect_str_eq(ask("Z3,100600,1"), "", "so gdb asks for Z4 and compares values");
	cr_expect_str_eq(ask("z3,100600,1"), "");
	cr_expect_eq(m.stub.watches[0].watch.kind, UNI_GDB_WATCH_NONE);
}

Test(rsp, a_watch_whose_debug_register_serves_another_is_no_news)
{
	attach();
	ask("Z1,100400,1");
	resume("vCont;c");
	watch_event(1, 0, 0x100400);
	watch_event(2, 0, 0x100400);
	poll();
	received();
	ask("z1,100400,1");
	ask("Z1,100500,1");
	resume("vCont;c");
}

Test(rsp, a_hardware_breakpoint_where_nothing_is)
{
	attach();
	cr_expect_str_eq(ask("Z1,0,1"), "OK");
	resume("vCont;c");
	watch_event(1, 0, 0);
	poll();
	cr_expect_neq(strstr(received(), "T05hwbreak:;"), NULL);
	cr_expect_str_eq(ask("z1,0,1"), "OK");
}

Test(rsp, no_hardware_breakpoint_in_the_stub_either)
{
	attach();
	cr_expect_str_eq(ask("Z1,120000,1"), "E.hw.this is the stub's own code");
	cr_expect_str_eq(ask("Z2,120000,1"), "OK", "its data may be watched");
	cr_expect_str_eq(ask("Z2,ffff8,9"), "E.hw.the debug stub itself works there");
	cr_expect_str_eq(ask("Z4,100000,4"), "E.hw.the debug stub itself works there");
	cr_expect_str_eq(ask("Z4,100008,4"), "OK");
}

Test(rsp, a_step_answers_with_signal_5)
{
	attach();
	resume("vCont;s:1");
	event(UNI_GDB_EVENT_STEP, 1, 0);
	poll();
	cr_expect_eq(strncmp(payload(), "T05thread:1;", 12), 0, "%s", answer);
}

Test(rsp, ctrl_c_stops)
{
	attach();
	resume("vCont;c");
	machine_send(&m, "\x03", 1);
	event(UNI_GDB_EVENT_ATTENTION, 2, 0);
	cr_expect_eq(poll(), UNI_GDB_STAY);
	cr_expect_eq(strncmp(payload(), "T02thread:1;", 12), 0, "which gdb looked at");
}

Test(rsp, ctrl_c_stops_what_runs_when_the_thread_that_gdb_looked_at_does_not)
{
	attach();
	ask("Hg3");
	resume("vCont;c");
	machine_send(&m, "\x03", 1);
	event(UNI_GDB_EVENT_ATTENTION, 2, 0);
	cr_expect_eq(poll(), UNI_GDB_STAY);
	cr_expect_eq(strncmp(payload(), "T02thread:2;", 12), 0, "%s", answer);
}

Test(rsp, ctrl_c_right_behind_the_resume_is_not_lost)
{
	attach();
	send_packet("vCont;c");
	machine_send(&m, "\x03", 1);
	cr_expect_eq(poll(), UNI_GDB_STAY);
	cr_expect_eq(strncmp(payload(), "T02", 3), 0);
}

Test(rsp, vcont_says_what_each_thread_does)
{
	attach();
	resume("vCont;r100400,100410:2;c");
	cr_expect_eq(uni_gdb_resume_of(&m.stub, 1).kind, UNI_GDB_CONTINUE);
	cr_expect_eq(uni_gdb_resume_of(&m.stub, 2).kind, UNI_GDB_STEP);
	cr_expect_not(uni_gdb_step_done(&m.stub, 2, 0x100400));
	cr_expect_not(uni_gdb_step_done(&m.stub, 2, 0x10040f));
	cr_expect(uni_gdb_step_done(&m.stub, 2, 0x100410), "the end is outside");
	cr_expect(uni_gdb_step_done(&m.stub, 2, 0x1003ff));
	event(UNI_GDB_EVENT_STEP, 2, 0);
	poll();
	cr_expect_eq(strncmp(payload(), "T05thread:2;", 12), 0);
	resume("vCont;s:2");
	cr_expect_eq(uni_gdb_resume_of(&m.stub, 1).kind, UNI_GDB_HOLD, "others stay stopped");
	cr_expect(uni_gdb_step_done(&m.stub, 2, CODE), "a plain step is done after one");
}

Test(rsp, vcont_that_makes_no_sense)
{
	attach();
	cr_expect_str_eq(ask("vCont;x"), "E16");
	cr_expect_str_eq(ask("vCont;c:zz"), "E16");
	cr_expect_str_eq(ask("vCont;r10"), "E16");
	cr_expect_str_eq(ask("vCont;"), "E16");
	cr_expect_str_eq(ask("vCont;c1"), "E16");
}

Test(rsp, a_step_of_a_thread_that_waits_ends_at_once)
{
	attach();
	send_packet("vCont;s:3");
	cr_expect_eq(poll(), UNI_GDB_STAY);
	cr_expect_eq(strncmp(payload(), "T05thread:3;06:", 15), 0, "%s", answer);
	cr_expect_eq(strncmp(ask("vCont;t"), "E.", 2), 0);
	resume("vCont;s:3;c");
}

Test(rsp, a_thread_that_waits_goes_alone)
{
	attach();
	resume("vCont;c:3");
	cr_expect(uni_gdb_holds_others(&m.stub));
	cr_expect_eq(uni_gdb_resume_of(&m.stub, 1).kind, UNI_GDB_HOLD);
	event(UNI_GDB_EVENT_STEP, 3, 0);
	poll();
	received();
	resume("vCont;r100400,100410:3");
	cr_expect_eq(uni_gdb_resume_of(&m.stub, 3).kind, UNI_GDB_STEP, "no mere step");
}

Test(rsp, a_thread_that_wants_a_cpu_only_makes_its_step)
{
	attach();
	m.threads[2].public.waits = false;
	resume("vCont;s:3");
	cr_expect_eq(uni_gdb_resume_of(&m.stub, 3).kind, UNI_GDB_STEP);
}

Test(rsp, a_thread_that_there_is_not_stops_nowhere)
{
	attach();
	cr_expect_str_eq(ask("vCont;s:19c"), "E.it names no thread that is to go on");
	cr_expect_str_eq(ask("vCont;c:19c;t"), "E.it names no thread that is to go on");
	cr_expect_eq(strncmp(ask("?"), "T05thread:1;", 12), 0, "%s", answer);
}

Test(rsp, the_old_way_to_resume)
{
	attach();
	ask("Hc2");
	resume("s");
	cr_expect_eq(uni_gdb_resume_of(&m.stub, 2).kind, UNI_GDB_STEP);
	cr_expect_eq(uni_gdb_resume_of(&m.stub, 1).kind, UNI_GDB_HOLD);
	event(UNI_GDB_EVENT_STEP, 2, 0);
	poll();
	received();
	resume("C0b;100500");
	cr_expect_eq(m.threads[1].registers.words[UNI_GDB_RIP], 0x100500);
	cr_expect_eq(uni_gdb_resume_of(&m.stub, 2).signal, UNI_GDB_SIGSEGV);
	cr_expect_eq(uni_gdb_resume_of(&m.stub, 1).kind, UNI_GDB_CONTINUE);
}

Test(rsp, registers_go_and_come)
{
	char packet[2048] = "G";
	size_t len;

	attach();
	cr_expect_str_eq(ask("Hg2"), "OK");
	len = strlen(ask("g"));
	/* 17 * 8 + 7 * 4 + 8 * 10 + 8 * 4 + 16 * 16 + 4 + 8 + 2 * 8 bytes */
	cr_expect_eq(len, 2 * 560);
	cr_expect_eq(strncmp(answer + 1,
			     "0020000000000000"
			     "0120000000000000",
			     32),
		     0, "rax and rbx of thread 2");
	strcat(packet, "1122334455667788");
	strncat(packet, answer + 1 + 16, len - 16);
	cr_expect_str_eq(ask(packet), "OK");
	cr_expect_eq(m.threads[1].registers.words[UNI_GDB_RAX], 0x8877665544332211);
	cr_expect_eq(m.threads[1].registers.words[UNI_GDB_RBX], 0x2001);
	cr_expect_eq(m.threads[0].registers.words[UNI_GDB_RAX], 0x1000);
	cr_expect_str_eq(ask("P10=0005100000000000"), "OK");
	cr_expect_eq(m.threads[1].registers.words[UNI_GDB_RIP], 0x100500);
	cr_expect_str_eq(ask("p10"), "0005100000000000");
	cr_expect_str_eq(ask("p3c"), "E16", "there are 0x3c");
	cr_expect_str_eq(ask("P10=00"), "E16");
	cr_expect_str_eq(ask("G00"), "E16");
}

Test(rsp, what_is_not_known_is_not_made_up)
{
	attach();
	ask("Hg3");
	m.threads[2].registers.known = 1u << UNI_GDB_RBX | 1u << UNI_GDB_RIP;
	cr_expect_str_eq(ask("p0"), "xxxxxxxxxxxxxxxx");
	cr_expect_str_eq(ask("p1"), "0130000000000000");
	cr_expect_str_eq(ask("p18"), "xxxxxxxxxxxxxxxxxxxx", "st0");
	ask("g");
	cr_expect_eq(m.threads[2].registers.known, 1u << UNI_GDB_RBX | 1u << UNI_GDB_RIP);
	cr_expect_str_eq(ask("P0=0100000000000000"), "OK");
	cr_expect_str_eq(ask("p0"), "0100000000000000", "known from here on");
	cr_expect_str_eq(ask("p2"), "xxxxxxxxxxxxxxxx");
}

Test(rsp, the_tag_word_of_the_fpu)
{
	attach();
	ask("Hg1");
	m.threads[0].registers.xsave[4] = 0x81; /* registers 0 and 7 are in use */
	cr_expect_str_eq(ask("p22"), "fc3f0000");
	cr_expect_str_eq(ask("P22=ffff0000"), "OK");
	cr_expect_eq(m.threads[0].registers.xsave[4], 0);
}

Test(rsp, threads_by_list)
{
	attach();
	cr_expect_str_eq(ask("qfThreadInfo"), "m1,2,3");
	cr_expect_str_eq(ask("qsThreadInfo"), "l");
	cr_expect_str_eq(ask("T3"), "OK");
	cr_expect_str_eq(ask("T4"), "E02");
	cr_expect_str_eq(ask("Hg9"), "E02");
	cr_expect_str_eq(ask("Hg0"), "OK");
	/* "worker: running" */
	cr_expect_str_eq(ask("qThreadExtraInfo,2"), "776f726b65723a2072756e6e696e67");
	cr_expect_str_eq(ask("qThreadExtraInfo,9"), "E02");
}

Test(rsp, threads_as_xml_in_pieces)
{
	char xml[1024] = "";
	char packet[64];

	attach();
	strcpy(m.threads[1].public.name, "<\xff\"&");
	m.threads[2].public.handle = 0x123456;
	m.rendered = 0;
	for (unsigned at = 0; at < sizeof(xml) - 32; at += 13) {
		snprintf(packet, sizeof(packet), "qXfer:threads:read::%x,d", at);
		strcat(xml, ask(packet) + 1);
		if (answer[1] == 'l')
			break;
		cr_expect_eq(strlen(answer + 2), 13);
	}
	cr_expect_str_eq(xml,
			 "<?xml version=\"1.0\"?>\n<threads>\n"
			 "<thread id=\"1\" core=\"0\" name=\"main\">running</thread>\n"
			 "<thread id=\"2\" core=\"1\" name=\"&lt;?&quot;&amp;\">running</thread>\n"
			 "<thread id=\"3\" handle=\"5634120000000000\" name=\"sleeper\">ready"
			 "</thread>\n"
			 "</threads>\n");
	cr_expect_eq(m.rendered, 4, "no thread is rendered twice");
	cr_expect_str_eq(ask("qXfer:threads:read::10000,10"), "l");
	cr_expect_eq(ask("qXfer:threads:read::0,1000")[0], 'l');
}

Test(rsp, the_target_description)
{
	char head[4096];
	char whole[16384];

	attach();
	strcpy(whole, ask("qXfer:features:read:target.xml:0,7000") + 1);
	cr_expect_eq(answer[1], 'l');
	strcpy(head, ask("qXfer:features:read:target.xml:0,100"));
	cr_expect_eq(head[0], 'm');
	cr_expect_eq(strncmp(head + 1, whole, 0x100), 0);
	cr_expect_eq(strncmp(ask("qXfer:features:read:target.xml:100,7000") + 1, whole + 0x100, 64),
		     0);
	cr_expect_not_null(strstr(whole, "org.gnu.gdb.i386.core"));
	for (char *line = strtok(whole, "\n"); line; line = strtok(NULL, "\n"))
		cr_expect_lt(strlen(line), 1000, "gdb's trace files take no longer lines");
	cr_expect_str_eq(ask("qXfer:features:read:other.xml:0,100"), "E00");
}

Test(rsp, detach_leaves_nothing)
{
	uint8_t original = *ram(CODE);

	attach();
	ask("Z0,100400,1");
	ask("Z2,100500,8");
	send_packet("D");
	cr_expect_eq(poll(), UNI_GDB_RESUME);
	cr_expect_str_eq(payload(), "OK");
	cr_expect_eq(*ram(CODE), original);
	cr_expect_eq(m.stub.watches[0].watch.kind, UNI_GDB_WATCH_NONE);
	cr_expect_not(uni_gdb_attached(&m.stub));
	cr_expect_eq(uni_gdb_resume_of(&m.stub, 2).kind, UNI_GDB_CONTINUE);
	attach();
}

Test(rsp, gdb_that_dies_leaves_nothing)
{
	uint8_t original = *ram(CODE);

	attach();
	ask("Z0,100400,1");
	resume("vCont;c");
	m.gone = true;
	event(UNI_GDB_EVENT_ATTENTION, 1, 0);
	cr_expect_eq(poll(), UNI_GDB_RESUME);
	cr_expect_eq(*ram(CODE), original);
	cr_expect_not(uni_gdb_attached(&m.stub));
	m.gone = false;
	attach();
	m.gone = true;
	cr_expect_eq(poll(), UNI_GDB_RESUME, "while stopped, too");
}

Test(rsp, a_wire_that_takes_nothing_ends_the_session)
{
	attach();
	m.write_failed = true;
	send_packet("g");
	cr_expect_eq(poll(), UNI_GDB_RESUME);
	cr_expect_not(uni_gdb_attached(&m.stub));
}

Test(rsp, kill_ends_the_guest)
{
	attach();
	send_packet("vKill;a410");
	cr_expect_eq(poll(), UNI_GDB_KILL);
	cr_expect_str_eq(payload(), "OK");
}

Test(rsp, k_is_not_answered)
{
	attach();
	send_packet("k");
	cr_expect_eq(poll(), UNI_GDB_KILL);
	cr_expect_str_eq(received(), "");
}

Test(rsp, crc_of_memory)
{
	attach();
	/* The check value of CRC-32/MPEG-2 over "123456789". */
	memcpy(ram(0x100000), "123456789", 9);
	cr_expect_str_eq(ask("qCRC:100000,9"), "C376e6e7");
	cr_expect_str_eq(ask("qCRC:10fff0,20"), "E0e");
	cr_expect_str_eq(ask("qCRC:zz"), "E16");
}

Test(rsp, search_of_memory)
{
	attach();
	memset(ram(0x111000), 0, 0xf000);
	/* Across the end of one part of the search, which is half a packet long. */
	memcpy(ram(0x118ffe), "needle", 6);
	cr_expect_str_eq(ask("qSearch:memory:111000;f000;needle"), "1,118ffe");
	cr_expect_str_eq(ask("qSearch:memory:118fff;7001;needle"), "0");
	cr_expect_str_eq(ask("qSearch:memory:111000;8003;needle"), "0", "cut off at the end");
	cr_expect_str_eq(ask("qSearch:memory:110000;10;needle"), "E0e");
	cr_expect_str_eq(ask("qSearch:memory:111000;10;"), "E16");
}

Test(rsp, monitor)
{
	attach();
	/* "cpus" */
	cr_expect_str_eq(ask("qRcmd,63707573"),
			 "43505520303a206d61696e0a43505520313a20776f726b65720a");
	/* "rle on", "rle" */
	cr_expect_str_eq(ask("qRcmd,726c65206f6e"), "6f6e0a");
	cr_expect(m.stub.options.run_length);
	cr_expect_str_eq(ask("qRcmd,726c65"), "6f6e0a");
	cr_expect_gt(strlen(ask("qRcmd,68656c70")), 40);
	cr_expect_gt(strlen(ask("qRcmd,78")), 40, "an unknown one lists the known");
	cr_expect_str_eq(ask("qRcmd,7"), "E16");
}

Test(rsp, a_fault_is_told_with_its_signal_and_the_first_one_first)
{
	attach();
	resume("vCont;c");
	uni_gdb_event(&m.stub, &(struct uni_gdb_event){
				       .kind = UNI_GDB_EVENT_SIGNAL,
				       .signal = UNI_GDB_SIGSEGV,
				       .thread = 2,
			       });
	event(UNI_GDB_EVENT_SIGNAL, 1, 0);
	cr_expect_eq(poll(), UNI_GDB_STAY);
	cr_expect_eq(strncmp(payload(), "T0bthread:2;", 12), 0);
	cr_expect_str_eq(ask("qC"), "QC2");
	resume("vCont;C0b:2");
	cr_expect_eq(uni_gdb_resume_of(&m.stub, 2).signal, UNI_GDB_SIGSEGV);
	event(UNI_GDB_EVENT_ATTENTION, 2, 0);
	machine_send(&m, "\x03", 1);
	poll();
	cr_expect_eq(strncmp(payload(), "T02", 3), 0, "the signal of the held thread waits");
	send_packet("vCont;c");
	poll();
	cr_expect_eq(strncmp(payload(), "T05thread:1;", 12), 0);
}

Test(rsp, the_end_of_the_program_ends_the_session)
{
	const struct uni_gdb_event end = {.kind = UNI_GDB_EVENT_EXIT, .thread = 1, .status = 42};
	uint8_t before = *ram(CODE);

	attach();
	cr_expect_str_eq(ask("Z0,100400,1"), "OK");
	resume("vCont;c");
	uni_gdb_event(&m.stub, &end);
	cr_expect_eq(poll(), UNI_GDB_RESUME);
	cr_expect_str_eq(payload(), "W2a");
	cr_expect_not(uni_gdb_attached(&m.stub));
	cr_expect_eq(*ram(CODE), before, "the breakpoint is gone");
	cr_expect_eq(uni_gdb_resume_of(&m.stub, 1).kind, UNI_GDB_CONTINUE);
}
