/* SPDX-License-Identifier: MIT */

/* Trace state variables, as gdb 13.1 sends them. */

#include "gdbstub/stub_internal.h"
#include "tests/unit/rsp_machine.h"

TestSuite(variables, .init = rsp_attach);

#define CODE 0x100400u

static bool hits(unsigned thread)
{
	const struct uni_gdb_breakpoint *b = uni_gdb_breakpoint_passable(&m.stub, CODE);
	struct uni_gdb_hit hit = rsp_hit(thread);

	cr_assert_not_null(b);
	return uni_gdb_breakpoint_hit(&m.stub, b, &hit);
}

Test(variables, the_stubs_own_are_told_at_once)
{
	rsp_expect("qTfV", "3:0:1:75735f746872656164");
	rsp_expect("qTsV", "2:0:1:75735f637075");
	rsp_expect("qTsV", "1:0:1:74726163655f74696d657374616d70");
	rsp_expect("qTsV", "l");
	rsp_expect("qTsV", "l");
}

Test(variables, the_last_one_is_told_first)
{
	rsp_expect("QTDV:4:ffffffffffffffff:0:6e", "OK");
	rsp_expect("QTDV:5:0:0:6d", "OK");
	rsp_expect("qTfV", "5:0:0:6d");
	rsp_expect("qTsV", "4:ffffffffffffffff:0:6e");
	rsp_expect("qTsV", "3:0:1:75735f746872656164");
	rsp_ask("qTsV");
	rsp_ask("qTsV");
	rsp_expect("qTsV", "l");
	rsp_expect("qTV:4", "Vffffffffffffffff");
	rsp_expect("QTDV:4:5:0:6e", "OK");
	rsp_expect("qTV:4", "V5");
	cr_expect_eq(m.stub.trace.variable_count, 2);
}

Test(variables, the_stubs_own_cannot_be_redefined)
{
	rsp_expect("QTDV:2:7:1:75735f637075", "OK");
	cr_expect_eq(m.stub.trace.variable_count, 0);
	rsp_expect("qTV:2", "V0");
}

Test(variables, are_seen_as_by_the_thread_of_hg)
{
	m.clock_us = 0x1234;
	rsp_ask("Hg2");
	rsp_expect("qTV:1", "V1234");
	rsp_expect("qTV:2", "V1");
	rsp_expect("qTV:3", "V2");
	rsp_ask("Hg3");
	rsp_expect("qTV:2", "Vffffffffffffffff");
}

Test(variables, one_that_is_not_there)
{
	rsp_expect("qTV:9", "U");
	/* getv 9 */
	rsp_expect("Z0,100400,1;X4,2c000927", "OK");
	rsp_resume();
	cr_expect(hits(1));
}

Test(variables, stand_in_conditions)
{
	/* getv 2 == 1 */
	rsp_expect("Z0,100400,1;X7,2c000222011327", "OK");
	rsp_resume();
	cr_expect(!hits(1));
	cr_expect(hits(2));
}

/* ($n = $n + 1) == 3 */
Test(variables, conditions_write_them)
{
	rsp_expect("QTDV:4:1:0:6e", "OK");
	rsp_expect("Z0,100400,1;Xd,2c00042201022d000422031327", "OK");
	rsp_resume();
	cr_expect(!hits(1));
	cr_expect(hits(1));
	cr_expect(!hits(1));
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	rsp_resume();
	cr_expect_eq(m.stub.trace.variables[0].value, 4);
}

Test(variables, bad_ones_are_refused)
{
	static const char *const bad[] = {
		"QTDV:",	 "QTDV:4",	    "QTDV:4:0:0", "QTDV:0:0:0:6e", "QTDV:4:0:0:6",
		"QTDV:4:0:0:6g", "QTDV:10000:0:0:", "qTV:",	  "qTV:10000",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(rsp_ask(bad[i])[0], 'E', "%s", bad[i]);
	cr_expect_eq(m.stub.trace.variable_count, 0);
}

Test(variables, there_is_an_end_to_the_room)
{
	char packet[64];

	for (unsigned i = 0; i < UNI_GDB_VARIABLES; i++) {
		snprintf(packet, sizeof(packet), "QTDV:%x:0:0:6e", i + 4);
		rsp_expect(packet, "OK");
	}
	cr_expect_eq(rsp_ask("QTDV:fff:0:0:6e")[0], 'E');
	rsp_expect("QTDV:4:3:0:6e", "OK");
}
