/* SPDX-License-Identifier: MIT */

/* What `monitor` switches, and what gdb is told of the memory. */

#include "tests/unit/rsp_machine.h"

TestSuite(rsp_features, .init = rsp_attach);

/* `monitor LINE`, and what it prints. */
static const char *monitor(const char *line)
{
	static char text[8192];
	char packet[256] = "qRcmd,";
	const char *hex;
	size_t len = strlen(packet);
	unsigned byte;

	for (const char *at = line; *at; at++)
		len += (size_t)snprintf(packet + len, sizeof(packet) - len, "%02x", *at);
	hex = rsp_ask(packet);
	for (len = 0; sscanf(hex + 2 * len, "%2x", &byte) == 1; len++)
		text[len] = (char)byte;
	text[len] = 0;
	return text;
}

#define expect_monitor(line, text) cr_expect_str_eq(monitor(line), text, "monitor " line)

static const char *supported(void)
{
	return rsp_ask("qSupported:multiprocess+;swbreak+;hwbreak+");
}

Test(rsp_features, all_are_on_until_one_is_switched)
{
	cr_expect_null(strstr(monitor("feature"), " off"));
	cr_expect_not_null(strstr(monitor("feature"), "noack on\n"));
	expect_monitor("feature noack", "noack on\n");
	expect_monitor("feature noack off", "noack off\n");
	cr_expect_not_null(strstr(monitor("feature"), "noack off\n"));
	expect_monitor("feature noack on", "noack on\n");
	cr_expect_null(strstr(monitor("feature"), " off"));
}

Test(rsp_features, a_name_is_taken_whole)
{
	const char *none = "No such feature; `monitor feature` lists them.\n";

	expect_monitor("feature noac off", none);
	expect_monitor("feature noackk off", none);
	expect_monitor("feature threads", "threads on\n");
	cr_expect_null(strstr(monitor("feature"), " off"));
}

Test(rsp_features, what_is_off_is_not_announced)
{
	cr_expect_not_null(strstr(supported(), ";QStartNoAckMode+"));
	monitor("feature noack off");
	cr_expect_null(strstr(supported(), "QStartNoAckMode"));
	cr_expect_not_null(strstr(supported(), ";multiprocess+"));
	monitor("feature tracepoints off");
	cr_expect_null(strstr(supported(), "Tracepoint"));
	cr_expect_str_eq(rsp_ask("qTStatus"), "");
}

Test(rsp_features, what_is_off_is_not_known)
{
	static const struct {
		const char *line;
		const char *packet;
	} all[] = {
		{"feature verbose-resume off", "vCont?"},
		{"feature software-breakpoint off", "Z0,100100,1"},
		{"feature hardware-breakpoint off", "Z1,100100,1"},
		{"feature write-watchpoint off", "Z2,100200,8"},
		{"feature access-watchpoint off", "Z4,100200,8"},
		{"feature target-features off", "qXfer:features:read:target.xml:0,100"},
		{"feature threads off", "qXfer:threads:read::0,100"},
		{"feature memory-map off", "qXfer:memory-map:read::0,100"},
		{"feature thread-events off", "QThreadEvents:1"},
		{"feature btrace off", "Qbtrace:bts"},
		{"feature binary-download off", "X100200,1:a"},
		{"feature search-memory off", "qSearch:memory:100200;10;a"},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		cr_expect_str_neq(rsp_ask(all[i].packet), "", "%s while it is on", all[i].packet);
		monitor(all[i].line);
		cr_expect_str_eq(rsp_ask(all[i].packet), "", "%s", all[i].packet);
	}
}

Test(rsp_features, ranges_are_stepped_where_that_is_on)
{
	rsp_expect("vCont?", "vCont;c;C;s;S;t;r");
	monitor("feature range-stepping off");
	rsp_expect("vCont?", "vCont;c;C;s;S;t");
}

Test(rsp_features, a_hit_says_what_it_is_where_that_is_on)
{
	const char *told;

	rsp_expect("Z0,100100,1", "OK");
	rsp_resume();
	m.threads[0].registers.words[UNI_GDB_RIP] = 0x100100;
	rsp_stop(UNI_GDB_EVENT_BREAKPOINT, 1, 0x100100);
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	cr_expect_not_null(strstr(rsp_received(), "swbreak:;"));
	monitor("feature swbreak-feature off");
	told = rsp_ask("?");
	cr_expect_null(strstr(told, "swbreak"), "%s", told);
}

Test(rsp_features, one_process_where_that_is_off)
{
	monitor("feature multiprocess-feature off");
	cr_expect_null(strstr(supported(), "multiprocess"));
	rsp_expect("qC", "QC1");
	monitor("feature multiprocess-feature on");
	supported();
	rsp_expect("qC", "QCp1.1");
}

/* GDB manual, "Memory Map Format". */
Test(rsp_features, the_memory_map_leaves_out_the_hole)
{
	rsp_expect("qXfer:memory-map:read::0,1000",
		   "l<?xml version=\"1.0\"?>\n<memory-map>\n"
		   "<memory type=\"ram\" start=\"0x100000\" length=\"0x10000\"/>\n"
		   "<memory type=\"ram\" start=\"0x111000\" length=\"0x1e000\"/>\n"
		   "<memory type=\"ram\" start=\"0x12f000\" length=\"0x1000\"/>\n"
		   "</memory-map>\n");
	rsp_expect("qXfer:memory-map:read::0,5", "m<?xml");
	rsp_expect("qXfer:memory-map:read::fff,5", "l");
	rsp_expect("qXfer:memory-map:read:x:0,5", "E16");
}

static void lose_gdb(void)
{
	m.gone = true;
}

Test(rsp_features, without_gdb_it_goes_on)
{
	expect_monitor("on-disconnect", "go\n");
	lose_gdb();
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
}

Test(rsp_features, without_gdb_it_stays_if_it_was_told_to)
{
	expect_monitor("on-disconnect stop", "stop\n");
	rsp_expect("Z0,100100,1", "OK");
	lose_gdb();
	for (int i = 0; i < 3; i++)
		cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	cr_expect_not(uni_gdb_attached(&m.stub));
	uni_gdb_abandon(&m.stub); /* bytes of nobody came, and no more */
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);

	/* The next one finds it where it was, and no breakpoint. */
	m.gone = false;
	machine_send(&m, "+", 1);
	supported();
	cr_expect_eq(rsp_ask("?")[0], 'T');
	cr_expect_eq(m.stub.breakpoint_count, 0);
	rsp_send("D");
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
}

Test(rsp_features, gdb_kills_on_quit_what_it_is_told_is_its_own)
{
	expect_monitor("on-quit", "detach\n");
	rsp_expect("qAttached", "1");
	expect_monitor("on-quit kill", "kill\n");
	rsp_expect("qAttached", "0");
	expect_monitor("on-quit detach", "detach\n");
	rsp_expect("qAttached:1", "1");
}

Test(rsp_features, what_ran_when_gdb_went_goes_on)
{
	monitor("on-disconnect stop");
	rsp_resume();
	lose_gdb();
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
}

Test(rsp_features, a_detach_is_a_detach)
{
	monitor("on-disconnect stop");
	rsp_send("D");
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
}
