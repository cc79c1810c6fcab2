/* SPDX-License-Identifier: MIT */

/* Conditions that the target looks at, as gdb 13.1 sends them. The registers of thread n are
 * n * 0x1000 + their index. */

#include "gdbstub/stub_internal.h"
#include "tests/unit/rsp_machine.h"

TestSuite(conditions, .init = rsp_attach);

#define CODE 0x100400u
#define CODE_TEXT "100400"

/* reg 5 (rdi), const16, equal, end. */
#define RDI_IS_1005 "X8,2600052310051327"
#define RDI_IS_2005 "X8,2600052320051327"

/* push %rbp, as a function starts. */
static void put_code(const uint8_t *code, size_t len)
{
	memcpy(m.ram + (CODE - MACHINE_RAM_BASE), code, len);
}

static bool hits(unsigned thread)
{
	const struct uni_gdb_breakpoint *b = uni_gdb_breakpoint_passable(&m.stub, CODE);
	struct uni_gdb_hit hit = rsp_hit(thread);

	cr_assert_not_null(b);
	return uni_gdb_breakpoint_hit(&m.stub, b, &hit);
}

Test(conditions, are_offered)
{
	cr_expect_not_null(strstr(rsp_ask("qSupported:"), ";ConditionalBreakpoints+"));
}

Test(conditions, a_breakpoint_stops_only_where_one_holds)
{
	put_code((const uint8_t[]){0x55}, 1);
	rsp_expect("Z0," CODE_TEXT ",1;" RDI_IS_1005, "OK");
	rsp_resume();
	cr_expect_eq(m.ram[CODE - MACHINE_RAM_BASE], 0xcc);
	cr_expect(hits(1));
	cr_expect(!hits(2));
}

Test(conditions, several_are_ored)
{
	rsp_expect("Z0," CODE_TEXT ",1;" RDI_IS_1005 RDI_IS_2005, "OK");
	rsp_resume();
	cr_expect(hits(1));
	cr_expect(hits(2));
	cr_expect(!hits(3));
}

Test(conditions, a_later_packet_replaces_them)
{
	rsp_expect("Z0,100500,1;" RDI_IS_2005, "OK");
	rsp_expect("Z0," CODE_TEXT ",1;" RDI_IS_1005, "OK");
	rsp_expect("Z0," CODE_TEXT ",1;" RDI_IS_2005, "OK");
	rsp_expect("z0,100500,1", "OK");
	cr_expect_eq(m.stub.expressions.len, 10);
	rsp_resume();
	cr_expect(!hits(1));
	cr_expect(hits(2));
}

Test(conditions, without_any_there_is_nothing_to_pass)
{
	rsp_expect("Z0," CODE_TEXT ",1;" RDI_IS_1005, "OK");
	rsp_expect("Z0," CODE_TEXT ",1", "OK");
	rsp_resume();
	cr_expect_null(uni_gdb_breakpoint_passable(&m.stub, CODE));
	cr_expect(uni_gdb_breakpoint_at(&m.stub, CODE));
}

/* gdb evaluates it again, and tells its user what is wrong. */
Test(conditions, one_that_cannot_be_evaluated_stops)
{
	/* *(char *)0 */
	rsp_expect("Z0," CODE_TEXT ",1;X4,22001727", "OK");
	rsp_resume();
	cr_expect(hits(1));
}

Test(conditions, one_that_never_ends_stops)
{
	rsp_expect("Z0," CODE_TEXT ",1;X4,21000027", "OK");
	rsp_resume();
	cr_expect(hits(1));
}

Test(conditions, read_the_code_without_breakpoints)
{
	put_code((const uint8_t[]){0x55}, 1);
	/* *(unsigned char *)0x100400 == 0xcc */
	rsp_expect("Z0," CODE_TEXT ",1;Xa,24001004001722cc1327", "OK");
	rsp_resume();
	cr_expect(!hits(1));
}

Test(conditions, bad_ones_are_refused_and_leave_nothing)
{
	static const char *const bad[] = {
		"Z0,100400,1;X",
		"Z0,100400,1;X1",
		"Z0,100400,1;X1,",
		"Z0,100400,1;X0,",
		"Z0,100400,1;X1,zz",
		"Z0,100400,1;X2,0227",
		"Z0,100400,1;X1,27X1,00",
		"Z0,100400,1;X4,26003c27",
		"Z0,100400,1;X1,27,",
		"Z0,100400,1;cmds:",
		"Z0,100400,1;X401,27",
		"Z1,100400,1;X2,0227",
		"Z0,100400,1;Xffffffffffffffff,27",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_expect_eq(rsp_ask(bad[i])[0], 'E', "%s", bad[i]);
		cr_expect_eq(m.stub.expressions.len, 0, "%s", bad[i]);
	}
	rsp_resume();
	cr_expect(!uni_gdb_breakpoint_at(&m.stub, CODE));
	for (unsigned i = 0; i < UNI_GDB_WATCH_SLOTS; i++)
		cr_expect_eq(m.stub.watches[i].watch.kind, UNI_GDB_WATCH_NONE);
}

Test(conditions, the_copy_is_there_while_the_guest_runs)
{
	uint8_t *room = m.ram + (MACHINE_ROOM_BASE - MACHINE_RAM_BASE);
	const struct uni_gdb_breakpoint *b;

	/* lea 0x10(%rip), %rax */
	put_code((const uint8_t[]){0x48, 0x8d, 0x05, 0x10, 0, 0, 0}, 7);
	rsp_expect("Z0," CODE_TEXT ",1;" RDI_IS_1005, "OK");
	rsp_resume();
	b = uni_gdb_breakpoint_passable(&m.stub, CODE);
	cr_assert_not_null(b);
	cr_expect_eq(b->displaced.to, MACHINE_ROOM_BASE);
	/* 0x10 + 0x100400 - 0x128000 */
	cr_expect_arr_eq(room, ((uint8_t[]){0x48, 0x8d, 0x05, 0x10, 0x84, 0xfd, 0xff}), 7);
	cr_expect_eq(uni_gdb_arch_displaced_pc(&b->displaced, MACHINE_ROOM_BASE + 7), CODE + 7);
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	cr_expect_eq(room[0], 0xcc);
	cr_expect_eq(m.ram[CODE - MACHINE_RAM_BASE], 0x48);
}

/* syscall: no copy does the same. The hit stops, and gdb looks at the condition. */
Test(conditions, what_has_no_copy_always_stops)
{
	put_code((const uint8_t[]){0x0f, 0x05}, 2);
	rsp_expect("Z0," CODE_TEXT ",1;" RDI_IS_1005, "OK");
	rsp_resume();
	cr_expect(uni_gdb_breakpoint_at(&m.stub, CODE));
	cr_expect_null(uni_gdb_breakpoint_passable(&m.stub, CODE));
}

Test(conditions, of_a_debug_register)
{
	struct uni_gdb_hit one = rsp_hit(1), two = rsp_hit(2);

	rsp_expect("Z1," CODE_TEXT ",1;" RDI_IS_1005, "OK");
	rsp_resume();
	cr_assert_eq(m.stub.watches[0].watch.kind, UNI_GDB_WATCH_EXECUTE);
	cr_expect(uni_gdb_watch_hit(&m.stub, 0, &one));
	cr_expect(!uni_gdb_watch_hit(&m.stub, 0, &two));
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	rsp_resume();
	rsp_stop(UNI_GDB_EVENT_SIGNAL, 1, 0);
	uni_gdb_poll(&m.stub);
	rsp_received();
	rsp_expect("z1," CODE_TEXT ",1", "OK");
	cr_expect_eq(m.stub.expressions.len, 0);
}

/* --- commands: what dprintf does in the style of an agent --- */

#define PUSH_NONE "22002200"

/* The output that comes when the guest stops for nothing else. */
static const char *printed(void)
{
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	return rsp_received();
}

Test(conditions, commands_print_and_go_on)
{
	cr_expect_not_null(strstr(rsp_ask("qSupported:"), ";BreakpointCommands+"));
	/* "%d\n" of rdi, the backslash as its user wrote it */
	rsp_expect("Z0," CODE_TEXT ",1;cmds:0,X11,260005" PUSH_NONE "34010005"
		   "25645c6e00"
		   "27",
		   "OK");
	rsp_resume();
	cr_expect(!hits(1));
	cr_expect(!hits(2));
	cr_expect(uni_gdb_has_output(&m.stub));
	/* "4101\n8197\n" */
	cr_expect_str_eq(printed(), "O343130310a383139370a");
	cr_expect(!uni_gdb_has_output(&m.stub));
}

Test(conditions, commands_run_where_the_condition_holds)
{
	rsp_expect("Z0," CODE_TEXT ",1;" RDI_IS_1005 ";cmds:1,Xb," PUSH_NONE "34000002610027",
		   "OK");
	rsp_resume();
	cr_expect(!hits(2));
	cr_expect(!uni_gdb_has_output(&m.stub));
	cr_expect(!hits(1));
	cr_expect_str_eq(printed(), "O61");
}

/* gdb 13 sends as many as there are dprintfs at the address. */
Test(conditions, each_of_several_commands_runs)
{
	rsp_expect("Z0," CODE_TEXT ",1;cmds:0,Xb," PUSH_NONE "34000002610027Xb," PUSH_NONE
		   "34000002620027",
		   "OK");
	rsp_resume();
	cr_expect(!hits(1));
	cr_expect_str_eq(printed(), "O6162");
}

Test(conditions, a_command_that_fails_says_so)
{
	rsp_expect("Z0," CODE_TEXT ",1;cmds:0,X4,22001727", "OK");
	rsp_resume();
	cr_expect(!hits(1));
	cr_expect_not_null(strstr(printed(), "O5b647072696e7466"));
}

Test(conditions, output_that_finds_no_room_is_counted)
{
	rsp_expect("Z0," CODE_TEXT ",1;cmds:0,X11,260005" PUSH_NONE "34010005"
		   "25645c6e00"
		   "27",
		   "OK");
	rsp_resume();
	for (unsigned i = 0; i < UNI_GDB_OUTPUT_SIZE / 5 + 3; i++)
		hits(1);
	/* "...4101\n[3 lines" */
	cr_expect_not_null(strstr(printed(), "343130310a5b33206c696e6573"));
}

static const char *formatted(const char *format, uint64_t one, uint64_t two)
{
	static char data[128];
	struct uni_gdb_text text;

	uni_gdb_text_init(&text, data, sizeof(data) - 1);
	uni_gdb_put_format(&m.stub, &text, format, (const uint64_t[]){one, two}, 2);
	data[text.len] = 0;
	return data;
}

Test(conditions, formats_are_those_of_c)
{
	memcpy(m.ram, "shop", 5);
	cr_expect_str_eq(formatted("%d %i", 0xffffffff, 7), "-1 7");
	cr_expect_str_eq(formatted("%u %lu", UINT64_MAX, UINT64_MAX),
			 "4294967295 18446744073709551615");
	cr_expect_str_eq(formatted("%x %#lX", 0xabc, 0xabc), "abc 0xABC");
	cr_expect_str_eq(formatted("%o|%#o", 8, 8), "10|010");
	cr_expect_str_eq(formatted("%5d|%-5d|", (uint64_t)-42, 42), "  -42|42   |");
	cr_expect_str_eq(formatted("%05d|%+d", (uint64_t)-42, 42), "-0042|+42");
	cr_expect_str_eq(formatted("%.4d|%8.3x", 42, 10), "0042|     00a");
	cr_expect_str_eq(formatted("%c%%%c", 'a', 'b'), "a%b");
	cr_expect_str_eq(formatted("%s|%.2s", MACHINE_RAM_BASE, MACHINE_RAM_BASE), "shop|sh");
	cr_expect_str_eq(formatted("%6s|%-6s|", MACHINE_RAM_BASE, MACHINE_RAM_BASE),
			 "  shop|shop  |");
	cr_expect_str_eq(formatted("%s", 0, 0), "<no memory there>");
	cr_expect_str_eq(formatted("%p", 0x1234, 0), "0x1234");
	cr_expect_str_eq(formatted("%lld", (uint64_t)1 << 63, 0), "-9223372036854775808");
	cr_expect_str_eq(formatted("\\t\\\"\\\\\\101\\n", 0, 0), "\t\"\\A\n");
	cr_expect_str_eq(formatted("%f%", 0, 0), "??");
	cr_expect_str_eq(formatted("%d %d %d", 1, 2), "1 2 0");
}
