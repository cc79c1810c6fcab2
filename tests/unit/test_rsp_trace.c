/* SPDX-License-Identifier: MIT */

/* gdb's tracepoints, in the packets of gdb 13.1. The registers of thread n are n * 0x1000 + their
 * index; byte i of the RAM is i * 7 + (i >> 8). */

#include <pthread.h>

#include "gdbstub/trace_internal.h"
#include "tests/unit/rsp_machine.h"

static void attach(void)
{
	rsp_attach();
	m.clock_us = 0x1234;
	/* push %rbp, nop, syscall */
	memcpy(m.ram + 0x400, ((uint8_t[]){0x55, 0x90, 0x0f, 0x05}), 4);
}

TestSuite(trace, .init = attach);

#define AT "100400"
#define CODE 0x100400u

/* What `collect $trace_timestamp` puts in. */
#define TIMESTAMP "56010000003412000000000000"

static void define(const char *definition, const char *actions)
{
	rsp_expect("QTinit", "OK");
	rsp_expect(definition, "OK");
	if (actions)
		rsp_expect(actions, "OK");
}

static void start(void)
{
	rsp_expect("QTStart", "OK");
	rsp_resume();
}

static void stop(void)
{
	rsp_stop(UNI_GDB_EVENT_SIGNAL, 1, 0);
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	rsp_received();
}

static bool hit_at(unsigned thread, uint64_t address)
{
	const struct uni_gdb_breakpoint *b = uni_gdb_breakpoint_passable(&m.stub, address);
	struct uni_gdb_hit hit = rsp_hit(thread);

	cr_assert_not_null(b);
	hit.registers->words[UNI_GDB_RIP] = address;
	return uni_gdb_breakpoint_hit(&m.stub, b, &hit);
}

static void hits(unsigned thread, unsigned count)
{
	while (count--)
		cr_expect(!hit_at(thread, CODE));
}

static const char *status(void)
{
	return rsp_ask("qTStatus");
}

static bool status_has(const char *part)
{
	return strstr(status(), part);
}

Test(trace, is_offered)
{
	const char *offered = rsp_ask("qSupported:");

	cr_expect_not_null(strstr(offered, ";ConditionalTracepoints+"));
	cr_expect_not_null(strstr(offered, ";qXfer:traceframe-info:read+"));
	cr_expect_null(strstr(offered, "StaticTracepoints"));
}

Test(trace, status_before_anything_ran)
{
	cr_expect_str_eq(status(), "T0;tnotrun:0;tframes:0;tcreated:0;tfree:20000;tsize:20000;"
				   "circular:0;disconn:0;starttime:0;stoptime:0;username:;notes:");
}

Test(trace, status_after_a_stop_has_the_empty_text_that_gdb_needs)
{
	define("QTDP:1:" AT ":E:0:0", NULL);
	rsp_expect("QTNotes:user:6d65;notes:6e6f;", "OK");
	start();
	stop();
	cr_expect(status_has("T1;tnotrun:0;"));
	rsp_expect("QTStop", "OK");
	cr_expect(status_has("T0;tstop::0;"));
	cr_expect(status_has(";username:6d65;notes:6e6f"));
	rsp_expect("QTNotes:tstop:6279", "OK");
	cr_expect(status_has("T0;tstop:6279:0;"));
}

Test(trace, a_hit_becomes_a_frame_as_in_trace_files)
{
	define("QTDP:1:" AT ":E:0:0-", "QTDP:-1:" AT ":M-1,100000,4");
	start();
	cr_expect_eq(m.ram[0x400], 0xcc);
	hits(1, 1);
	stop();
	cr_expect_eq(m.ram[0x400], 0x55);
	rsp_expect("qTBuffer:0,7d0", "01000f000000"
				     "4d00001000000000000400"
				     "00070e15");
	rsp_expect("qTBuffer:2,4", "0f000000");
	rsp_expect("qTBuffer:15,7d0", "l");
	rsp_expect("qTP:1:" AT, "V1:15");
	cr_expect(status_has(";tframes:1;tcreated:1;tfree:1ffeb;"));
}

Test(trace, counts_are_hexadecimal)
{
	define("QTDP:1:" AT ":E:0:0", NULL);
	start();
	hits(1, 16);
	stop();
	rsp_expect("qTP:1:" AT, "V10:60");
	cr_expect(status_has(";tframes:10;tcreated:10;"));
}

Test(trace, memory_relative_to_a_register)
{
	define("QTDP:1:" AT ":E:0:0-", "QTDP:-1:" AT ":M5,fefff,2");
	start();
	hits(1, 1); /* rdi is 0x1005 */
	stop();
	rsp_expect("QTFrame:0", "F0T1");
	rsp_expect("m100004,2", "1c23");
}

Test(trace, registers_as_g_has_them)
{
	static char before[8192];

	m.threads[1].registers.words[UNI_GDB_RIP] = CODE;
	rsp_ask("Hg2");
	strcpy(before, rsp_ask("g"));
	define("QTDP:1:" AT ":E:0:0-", "QTDP:-1:" AT ":RFFFFFFFFFFFFFFFF");
	start();
	hits(2, 1);
	m.threads[1].registers.words[UNI_GDB_RAX] = 0;
	stop();
	rsp_expect("QTFrame:0", "F0T1");
	rsp_expect("g", before);
	rsp_expect("p5", "0520000000000000");
	cr_expect_eq(rsp_ask("P5=0000000000000000")[0], 'E');
	cr_expect_eq(rsp_ask("M100000,1:00")[0], 'E');
	rsp_expect("QTFrame:ffffffff", "OK");
	cr_expect_str_neq(rsp_ask("g"), before);
}

Test(trace, the_fpu_is_unavailable_unless_it_was_collected)
{
	define("QTDP:1:" AT ":E:0:0-", "QTDP:-1:" AT ":R10000");
	m.threads[0].registers.known &= ~(1u << UNI_GDB_FPU);
	start();
	hits(1, 1);
	stop();
	rsp_expect("QTFrame:0", "F0T1");
	rsp_expect("p10", "0004100000000000");
	rsp_expect("p18", "xxxxxxxxxxxxxxxxxxxx");
}

Test(trace, a_frame_without_registers_has_the_pc_alone)
{
	define("QTDP:1:" AT ":E:0:0", NULL);
	start();
	hits(1, 1);
	stop();
	rsp_expect("QTFrame:0", "F0T1");
	rsp_expect("p10", "0004100000000000");
	rsp_expect("p0", "xxxxxxxxxxxxxxxx");
}

Test(trace, a_frame_answers_for_memory)
{
	define("QTDP:1:" AT ":E:0:0-", "QTDP:-1:" AT ":X4,2e000127M-1,100010,4M-1,100020,4");
	rsp_expect("QTro:100100,100110:100200,100210", "OK");
	start();
	hits(1, 1);
	m.ram[0x10] = 0xee;
	stop();
	rsp_expect("QTFrame:0", "F0T1");
	rsp_expect("m100010,4", "70777e85");
	rsp_expect("m100012,10", "7e85");
	cr_expect_eq(rsp_ask("m100014,4")[0], 'E');
	rsp_expect("m10020e,4", "646b");
	rsp_expect("qXfer:traceframe-info:read::0,1000",
		   "l<?xml version=\"1.0\"?>\n"
		   "<!DOCTYPE traceframe-info SYSTEM \"traceframe-info.dtd\">\n"
		   "<traceframe-info>\n<tvar id=\"0x1\"/>\n"
		   "<memory start=\"0x100010\" length=\"0x4\"/>\n"
		   "<memory start=\"0x100020\" length=\"0x4\"/>\n</traceframe-info>\n");
	rsp_expect("QTFrame:ffffffff", "OK");
	rsp_expect("m100010,4", "ee777e85");
	cr_expect_eq(rsp_ask("qXfer:traceframe-info:read::0,1000")[0], 'E');
}

/* tracev 1; const32 100010, trace_quick 3; const32 100020, const8 40, tracenz; tracev 2 */
Test(trace, expressions_collect)
{
	memcpy(m.ram + 0x20, "shop", 5);
	define("QTDP:1:" AT ":E:0:0-", "QTDP:-1:" AT ":X00000017,2e000124001000100d032924001000"
				       "2022402f2e000227");
	start();
	hits(2, 1);
	stop();
	rsp_expect("qTBuffer:6,7d0", TIMESTAMP "4d10001000000000000300"
					       "70777e"
					       "4d20001000000000000500"
					       "73686f7000"
					       "56020000000100000000000000");
	rsp_expect("QTFrame:0", "F0T1");
	rsp_expect("qTV:1", "V1234");
	rsp_expect("qTV:2", "V1");
	rsp_expect("qTV:3", "U");
}

/* getv, tracev, pop: of $trace_timestamp, which gdb adds everywhere, of $seen, and of one that
 * there is not. */
#define COLLECT(variable) "X00000008,2c" variable "2e" variable "2927"

Test(trace, a_variable_is_collected_where_the_frame_stays)
{
	define("QTDP:1:" AT ":E:0:0-", "QTDP:-1:" AT ":" COLLECT("0001") COLLECT("0007"));
	rsp_expect("QTDP:2:" AT ":E:0:0-", "OK");
	rsp_expect("QTDP:-2:" AT ":" COLLECT("0001") COLLECT("0008"), "OK");
	rsp_expect("QTDV:7:2a:0:7365656e", "OK");
	start();
	hits(1, 1);
	stop();
	cr_expect_eq(m.stub.trace.code_len, 0);
	cr_expect_eq(m.stub.trace.tracepoints[0].frame_len[false], 32);
	cr_expect_eq(m.stub.trace.tracepoints[1].frame_len[false], 0);
	rsp_expect("qTBuffer:0,7d0", "01001a000000" TIMESTAMP "56070000002a00000000000000"
				     "02000d000000" TIMESTAMP);
	cr_expect_eq(m.stub.trace.buffer.unread, 1);
}

Test(trace, what_cannot_be_read_is_left_out_and_counted)
{
	define("QTDP:1:" AT ":E:0:0-", "QTDP:-1:" AT ":M-1,110000,4M-1,100000,1");
	start();
	hits(1, 1);
	stop();
	rsp_expect("qTBuffer:6,7d0", "4d00001000000000000100"
				     "00");
	cr_expect_eq(m.stub.trace.buffer.unread, 1);
}

Test(trace, what_is_too_much_is_left_out_and_counted)
{
	define("QTDP:1:" AT ":E:0:0-", "QTDP:-1:" AT ":M-1,100000,8000M-1,100000,1");
	start();
	hits(1, 1);
	stop();
	cr_expect_eq(m.stub.trace.buffer.cut, 1);
	rsp_expect("qTP:1:" AT, "V1:12");
}

/* reg rdi == 0x1005 */
Test(trace, conditions_choose)
{
	define("QTDP:1:" AT ":E:0:0:X8,2600052310051327", NULL);
	start();
	hits(1, 1);
	hits(2, 1);
	stop();
	rsp_expect("qTP:1:" AT, "V1:6");
}

Test(trace, a_condition_that_fails_ends_the_trace)
{
	define("QTDP:7:" AT ":E:0:0:X4,22001727", NULL);
	start();
	hits(1, 2);
	cr_expect(uni_gdb_trace_is_over(&m.stub));
	stop();
	cr_expect(status_has("T0;terror:"));
	cr_expect(status_has(":7;tframes:0;"));
}

Test(trace, a_pass_count_ends_the_trace)
{
	define("QTDP:5:" AT ":E:0:3", NULL);
	start();
	hits(1, 2);
	cr_expect(!uni_gdb_trace_is_over(&m.stub));
	hits(2, 2);
	cr_expect(uni_gdb_trace_is_over(&m.stub));
	stop();
	cr_expect(status_has("T0;tpasscount:5;tframes:3;tcreated:3;"));
	rsp_expect("qTP:5:" AT, "V3:12");
	rsp_resume();
	cr_expect_eq(m.ram[0x400], 0x55);
}

Test(trace, one_that_is_disabled_does_nothing)
{
	define("QTDP:1:" AT ":D:0:0", NULL);
	start();
	cr_expect_eq(m.ram[0x400], 0x55);
	stop();
	rsp_expect("QTEnable:1:" AT, "OK");
	rsp_resume();
	hits(1, 1);
	stop();
	rsp_expect("QTDisable:1:" AT, "OK");
	rsp_resume();
	cr_expect_eq(m.ram[0x400], 0x55);
}

Test(trace, one_that_is_defined_while_it_runs)
{
	define("QTDP:1:" AT ":E:0:0", NULL);
	start();
	stop();
	rsp_expect("QTDP:2:100401:E:0:0-", "OK");
	rsp_expect("QTDP:-2:100401:M-1,100000,1", "OK");
	rsp_resume();
	cr_expect(!hit_at(1, 0x100401));
	stop();
	rsp_expect("QTFrame:0", "F0T2");
}

Test(trace, frames_are_found)
{
	define("QTDP:1:" AT ":E:0:0", NULL);
	rsp_expect("QTDP:2:100401:E:0:0", "OK");
	start();
	hits(1, 2);
	hit_at(1, 0x100401);
	hits(1, 1);
	stop();
	rsp_expect("QTFrame:0", "F0T1");
	rsp_expect("QTFrame:tdp:2", "F2T2");
	rsp_expect("QTFrame:tdp:2", "F-1");
	rsp_expect("QTFrame:0", "F0T1");
	rsp_expect("QTFrame:pc:100401", "F2T2");
	rsp_expect("QTFrame:outside:100401:100401", "F3T1");
	rsp_expect("QTFrame:1", "F1T1");
	rsp_expect("QTFrame:range:100401:100500", "F2T2");
	rsp_expect("QTFrame:4", "F-1");
	rsp_expect("QTFrame:ffffffff", "OK");
	rsp_expect("QTFrame:pc:" AT, "F0T1");
}

Test(trace, the_guest_answers_again_after_a_resume)
{
	define("QTDP:1:" AT ":E:0:0", NULL);
	start();
	hits(1, 1);
	stop();
	rsp_expect("QTFrame:0", "F0T1");
	rsp_resume();
	stop();
	rsp_expect("m100000,1", "00");
}

static void walk(unsigned thread, unsigned instructions)
{
	struct uni_gdb_hit hit = rsp_hit(thread);

	while (instructions--) {
		hit.registers->words[UNI_GDB_RIP]++;
		(void)uni_gdb_trace_stepped(&m.stub, &hit);
	}
}

Test(trace, steps_behind_a_hit)
{
	define("QTDP:1:" AT ":E:2:0-", "QTDP:-1:" AT ":M-1,100000,1-");
	rsp_expect("QTDP:-1:" AT ":SR3-", "OK");
	rsp_expect("QTDP:-1:" AT ":M-1,100001,1", "OK");
	start();
	cr_expect(!uni_gdb_trace_steps(&m.stub, 0));
	hits(1, 1);
	cr_expect(uni_gdb_trace_steps(&m.stub, 0));
	cr_expect(!uni_gdb_trace_steps(&m.stub, 1));
	walk(1, 3);
	cr_expect(!uni_gdb_trace_steps(&m.stub, 0));
	stop();
	rsp_expect("qTP:1:" AT, "V1:498");
	rsp_expect("QTFrame:0", "F0T1");
	rsp_expect("m100000,1", "00");
	cr_expect_eq(rsp_ask("m100001,1")[0], 'E');
	rsp_expect("QTFrame:1", "F1T1");
	rsp_expect("p10", "0104100000000000");
	rsp_expect("m100001,1", "07");
	rsp_expect("QTFrame:2", "F2T1");
	rsp_expect("p10", "0204100000000000");
	rsp_expect("QTFrame:3", "F-1");
}

Test(trace, the_last_pass_ends_behind_its_steps)
{
	define("QTDP:1:" AT ":E:2:1", NULL);
	start();
	hits(1, 1);
	cr_expect(!uni_gdb_trace_is_over(&m.stub));
	walk(1, 2);
	cr_expect(uni_gdb_trace_is_over(&m.stub));
	stop();
	cr_expect(status_has("T0;tpasscount:1;tframes:3;"));
}

Test(trace, steps_that_are_not_made_are_counted)
{
	define("QTDP:1:" AT ":E:2:1", NULL);
	start();
	hits(1, 1);
	uni_gdb_trace_end_steps(&m.stub, 0);
	cr_expect(!uni_gdb_trace_steps(&m.stub, 0));
	stop();
	cr_expect_eq(m.stub.trace.buffer.cut, 1);
	cr_expect(status_has("T0;tpasscount:1;"));
}

Test(trace, a_breakpoint_at_the_same_address_stops_too)
{
	define("QTDP:1:" AT ":E:0:0", NULL);
	rsp_expect("Z0," AT ",1", "OK");
	start();
	cr_expect(hit_at(1, CODE));
	stop();
	rsp_expect("z0," AT ",1", "OK");
	rsp_resume();
	cr_expect_eq(m.ram[0x400], 0xcc);
	cr_expect(!uni_gdb_breakpoint_at(&m.stub, CODE));
	cr_expect(!hit_at(1, CODE));
	stop();
	rsp_expect("qTP:1:" AT, "V2:c");
}

Test(trace, a_hit_that_was_told_is_not_told_again)
{
	const struct uni_gdb_breakpoint *b;
	struct uni_gdb_hit hit = rsp_hit(1);

	define("QTDP:1:" AT ":E:0:0", NULL);
	start();
	b = uni_gdb_breakpoint_passable(&m.stub, CODE);
	hit.again = true;
	cr_expect(!uni_gdb_breakpoint_hit(&m.stub, b, &hit));
	stop();
	rsp_expect("qTP:1:" AT, "V0:0");
}

Test(trace, two_at_one_address)
{
	define("QTDP:1:" AT ":E:0:0", NULL);
	rsp_expect("QTDP:2:" AT ":E:0:0", "OK");
	start();
	hits(1, 1);
	stop();
	rsp_expect("QTFrame:0", "F0T1");
	rsp_expect("QTFrame:1", "F1T2");
}

Test(trace, a_full_buffer_ends_the_trace)
{
	/* tracev 1 */
	define("QTDP:1:" AT ":E:0:0-", "QTDP:-1:" AT ":X4,2e000127");
	rsp_expect("QTBuffer:size:40", "OK");
	start();
	hits(1, 4);
	cr_expect(uni_gdb_trace_is_over(&m.stub));
	hits(1, 1);
	stop();
	/* 19 bytes each: three fit */
	cr_expect(status_has("T0;tfull:0;tframes:3;tcreated:3;tfree:7;tsize:40;"));
	rsp_expect("qTP:1:" AT, "V4:39");
	cr_expect_eq(m.stub.trace.buffer.lost, 1);
	cr_expect_eq(m.stub.trace.tracepoints[0].lost, 1);
	rsp_expect("QTBuffer:size:-1", "OK");
	cr_expect(status_has(";tsize:20000;"));
}

Test(trace, a_circular_buffer_keeps_the_newest)
{
	/* 19 + 11 + 0xffe bytes: 4 parts of 8 frames */
	define("QTDP:1:" AT ":E:0:0-", "QTDP:-1:" AT ":M-1,100000,fe2");
	rsp_expect("QTBuffer:circular:1", "OK");
	start();
	for (unsigned i = 0; i < 50; i++) {
		m.ram[0] = (uint8_t)i;
		hits(1, 1);
	}
	stop();
	/* 50 = 6 * 8 + 2: the parts with 24 to 47, and 48, 49 */
	cr_expect(status_has("T1;tnotrun:0;tframes:1a;tcreated:32;"));
	rsp_expect("QTFrame:0", "F0T1");
	rsp_expect("m100000,1", "18");
	rsp_expect("QTFrame:19", "F19T1");
	rsp_expect("m100000,1", "31");
	rsp_expect("QTFrame:1a", "F-1");
	cr_expect_eq(m.stub.trace.buffer.lost, 0);
}

#define CPUS 4
#define ROUNDS 20000

static void *hit_often(void *argument)
{
	unsigned thread = (unsigned)(uintptr_t)argument;

	hits(thread, ROUNDS);
	return NULL;
}

static void hit_on_all_cpus(void)
{
	pthread_t ids[CPUS];

	for (unsigned i = m.thread_count; i < CPUS; i++)
		machine_add_thread(&m, i + 1, (int)i, "more");
	start();
	for (unsigned i = 0; i < CPUS; i++)
		pthread_create(&ids[i], NULL, hit_often, (void *)(uintptr_t)(i + 1));
	for (unsigned i = 0; i < CPUS; i++)
		pthread_join(ids[i], NULL);
	stop();
}

/* Each frame in the buffer is whole, and as many as were kept. */
static uint64_t count_frames(void)
{
	const struct uni_gdb_trace_buffer *buffer = &m.stub.trace.buffer;
	uint64_t at = 0, count = 0;
	uint8_t frame[6 + 13 + 13];

	for (; uni_gdb_trace_buffer_read(buffer, at, frame, sizeof(frame)) > 0; count++) {
		cr_assert_eq(frame[0], 1);
		cr_assert_eq(frame[2], 13 + 13);
		cr_assert_eq(frame[6], 'V');
		cr_assert_eq(frame[7], 1);
		cr_assert_eq(frame[19], 'V');
		cr_assert_eq(frame[20], 2);
		cr_assert_lt(frame[24], CPUS);
		at += sizeof(frame);
	}
	return count;
}

Test(trace, many_cpus_lose_nothing_uncounted)
{
	const struct uni_gdb_trace_buffer *buffer = &m.stub.trace.buffer;

	/* tracev 1, tracev 2 */
	define("QTDP:1:" AT ":E:0:0-", "QTDP:-1:" AT ":X7,2e00012e000227");
	rsp_expect("QTBuffer:circular:1", "OK");
	hit_on_all_cpus();
	cr_expect_eq(m.stub.trace.tracepoints[0].hits, CPUS * ROUNDS);
	cr_expect_eq(buffer->created + buffer->lost, CPUS * ROUNDS);
	cr_expect_gt(count_frames(), 3 * 1024 - 1);
	for (unsigned i = 0; i < UNI_GDB_TRACE_PARTS; i++)
		cr_expect_eq(buffer->parts[i].writers, 0);
}

Test(trace, many_cpus_fill_the_buffer)
{
	const struct uni_gdb_trace_buffer *buffer = &m.stub.trace.buffer;

	define("QTDP:1:" AT ":E:0:0-", "QTDP:-1:" AT ":X7,2e00012e000227");
	hit_on_all_cpus();
	cr_expect(status_has("T0;tfull:0;tframes:1000;tcreated:1000;tfree:0;"));
	cr_expect_eq(count_frames(), 4096);
	cr_expect_eq(m.stub.trace.tracepoints[0].hits, 4096 + buffer->lost);
}

Test(trace, ends_when_gdb_goes)
{
	define("QTDP:1:" AT ":E:0:0", NULL);
	start();
	hits(1, 1);
	stop();
	rsp_send("D");
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	cr_expect_eq(m.ram[0x400], 0x55);
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	rsp_ask("qSupported:");
	cr_expect(status_has("T0;tdisconnected:0;tframes:1;"));
}

Test(trace, goes_on_without_gdb)
{
	define("QTDP:1:" AT ":E:2:5", NULL);
	rsp_expect("QTDPsrc:1:" AT ":at:0:1:66", "OK");
	rsp_expect("QTDPsrc:1:" AT ":cmd:0:3:656e64", "OK");
	rsp_expect("QTDP:2:100401:D:0:0", "OK");
	rsp_expect("QTDPsrc:2:100401:cond:0:2:6731", "OK");
	rsp_expect("QTDisconnected:1", "OK");
	start();
	stop();
	rsp_send("D");
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	hits(1, 1);
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	rsp_ask("qSupported:");
	cr_expect(status_has("T1;tnotrun:0;tframes:1;"));
	rsp_expect("qTfP", "T1:" AT ":E:2:5");
	rsp_expect("qTsP", "Z1:" AT ":at:0:1:66");
	rsp_expect("qTsP", "Z1:" AT ":cmd:0:3:656e64");
	rsp_expect("qTsP", "T2:100401:D:0:0");
	rsp_expect("qTsP", "Z2:100401:cond:0:2:6731");
	rsp_expect("qTsP", "l");
	rsp_expect("QTFrame:0", "F0T1");
	rsp_expect("QTStop", "OK");
	rsp_expect("QTFrame:0", "F0T1");
}

Test(trace, init_forgets_all)
{
	define("QTDP:1:" AT ":E:0:0", NULL);
	rsp_expect("QTDV:4:1:0:6e", "OK");
	start();
	hits(1, 1);
	stop();
	rsp_expect("QTinit", "OK");
	rsp_expect("qTfP", "l");
	rsp_expect("QTFrame:0", "F-1");
	rsp_expect("qTV:4", "U");
	cr_expect(status_has("T0;tnotrun:0;tframes:0;"));
	rsp_resume();
	cr_expect_eq(m.ram[0x400], 0x55);
}

Test(trace, bad_ones_are_refused)
{
	static const char *const bad[] = {
		"QTDP:",
		"QTDP:1",
		"QTDP:0:" AT ":E:0:0",
		"QTDP:10000:" AT ":E:0:0",
		"QTDP:1:" AT,
		"QTDP:1:" AT ":Q:0:0",
		"QTDP:1:" AT ":E:0",
		"QTDP:1:" AT ":E:2711:0",
		"QTDP:1:" AT ":E:0:0:F5",
		"QTDP:1:" AT ":E:0:0:S",
		"QTDP:1:" AT ":E:0:0:X2,0227",
		"QTDP:1:" AT ":E:0:0:X9,27",
		"QTDP:1:" AT ":E:0:0zz",
		"QTDP:1:110000:E:0:0", /* no memory */
		"QTDP:1:120000:E:0:0", /* the stub's own code */
		"QTDP:1:100402:E:0:0", /* syscall */
		"QTDP:-1:" AT ":R1",
		"QTDPsrc:1:" AT ":at:0:1:66",
		"QTEnable:1:" AT,
		"qTP:1:" AT,
		"QTro:1",
		"QTBuffer:circular:2",
		"QTBuffer:size:",
		"QTNotes:who:66",
		"QTFrame:",
		"QTFrame:range:1",
		"qTBuffer:0",
	};

	rsp_expect("QTinit", "OK");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(rsp_ask(bad[i])[0], 'E', "%s", bad[i]);
	cr_expect_eq(m.stub.trace.tracepoint_count, 0);
	rsp_expect("QTDP:1:" AT ":E:0:0", "OK");
	cr_expect_eq(rsp_ask("QTDP:1:" AT ":E:0:0")[0], 'E');
	static const char *const bad_actions[] = {
		"QTDP:-1:" AT ":Q",  "QTDP:-1:" AT ":M3c,0,1",	    "QTDP:-1:" AT ":M-1,0",
		"QTDP:-1:" AT ":L",  "QTDP:-1:" AT ":X00000001,02", "QTDP:-1:" AT ":X2,27",
		"QTDP:-1:100401:R1",
	};
	for (size_t i = 0; i < sizeof(bad_actions) / sizeof(bad_actions[0]); i++)
		cr_expect_eq(rsp_ask(bad_actions[i])[0], 'E', "%s", bad_actions[i]);
	cr_expect_eq(m.stub.trace.action_count, 0);
}

Test(trace, there_is_an_end_to_the_room)
{
	char packet[64];

	rsp_expect("QTinit", "OK");
	for (unsigned i = 1; i <= UNI_GDB_TRACEPOINTS; i++) {
		snprintf(packet, sizeof(packet), "QTDP:%x:" AT ":E:0:0", i);
		rsp_expect(packet, "OK");
	}
	cr_expect_eq(rsp_ask("QTDP:fff:" AT ":E:0:0")[0], 'E');
	for (unsigned i = 0; i < UNI_GDB_TRACE_ACTIONS; i++)
		rsp_expect("QTDP:-1:" AT ":R1", "OK");
	cr_expect_eq(rsp_ask("QTDP:-1:" AT ":R1")[0], 'E');
	start();
	hits(1, 1);
	stop();
	cr_expect(status_has(";tframes:"));
}
