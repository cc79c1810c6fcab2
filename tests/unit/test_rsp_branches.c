/* SPDX-License-Identifier: MIT */

/* What `record btrace` records of a thread that steps, and how gdb reads it. The code below stands
 * in the machine's RAM from 0x100100 on, and the machine's thread 1 there at its beginning. */

#include "tests/unit/rsp_machine.h"

static const uint8_t code[] = {
	[0x00] = 0x90,			       /* nop */
	[0x01] = 0x75, 0x0d,		       /* jne 0x100110 */
	[0x03] = 0xe8, 0x18, 0x00, 0x00, 0x00, /* call 0x100120 */
	[0x08] = 0xf3, 0xa4,		       /* rep movsb */
	[0x0a] = 0xeb, 0xf4,		       /* jmp 0x100100 */
	[0x10] = 0x90,			       /* nop */
	[0x11] = 0xeb, 0xf0,		       /* jmp 0x100103 */
	[0x20] = 0x48, 0x89, 0xd8,	       /* mov %rbx, %rax */
	[0x23] = 0xc3,			       /* ret */
	[0x30] = 0xf3, 0x90,		       /* pause */
	[0x32] = 0xeb, 0xcc,		       /* jmp 0x100100 */
	[0x40] = 0xf3, 0x90,		       /* pause */
	[0x42] = 0x90,			       /* nop */
	[0x43] = 0xf3, 0x90,		       /* pause */
	[0x45] = 0xc3,			       /* ret */
};

static void attach(void)
{
	rsp_attach();
	memcpy(m.ram + 0x100, code, sizeof(code));
}

TestSuite(rsp_branches, .init = attach);

static void stand(uint64_t pc)
{
	m.threads[0].registers.words[UNI_GDB_RIP] = pc;
}

/* Thread 1 steps from where it is to each of these, 0 is the last. */
static void step(const uint64_t *pc)
{
	for (; *pc; pc++) {
		uni_gdb_branch_from(&m.stub, 1, m.threads[0].registers.words[UNI_GDB_RIP]);
		stand(*pc);
		uni_gdb_branch_to(&m.stub, 1, *pc);
	}
}

#define step(...) step((const uint64_t[]){__VA_ARGS__, 0})

#define BLOCK(begin, end) "<block begin=\"0x0000000000" begin "\" end=\"0x0000000000" end "\"/>\n"
#define DOCUMENT(blocks) "l<btrace version=\"1.0\">\n" blocks "</btrace>\n"
#define GAP "000000"

#define expect_read(annex, blocks) \
	rsp_expect("qXfer:btrace:read:" annex ":0,1000", DOCUMENT(blocks))

Test(rsp_branches, a_thread_is_recorded_until_that_is_stopped)
{
	cr_expect_not(uni_gdb_branch_is_due(&m.stub, 1));
	rsp_expect("Qbtrace:off", "E.it is not recorded");
	rsp_expect("qXfer:btrace:read:all:0,1000", "E.it is not recorded");
	rsp_expect("qXfer:btrace-conf:read::0,1000", "E.it is not recorded");
	rsp_expect("Qbtrace:bts", "OK");
	rsp_expect("Qbtrace:bts", "E.it is recorded already");
	cr_expect(uni_gdb_branch_is_due(&m.stub, 1));
	cr_expect_not(uni_gdb_branch_is_due(&m.stub, 2), "it is about the thread of Hg");
	rsp_expect("Hg2", "OK");
	rsp_expect("Qbtrace:off", "E.it is not recorded");
	rsp_expect("Qbtrace:bts", "OK");
	rsp_expect("Hg1", "OK");
	rsp_expect("Qbtrace:off", "OK");
	cr_expect_not(uni_gdb_branch_is_due(&m.stub, 1));
	cr_expect(uni_gdb_branch_is_due(&m.stub, 2));
}

Test(rsp_branches, other_formats_are_not_known)
{
	rsp_expect("Qbtrace:pt", "");
	rsp_expect("Qbtrace-conf:pt:size=0x1000", "");
}

Test(rsp_branches, end_with_the_session)
{
	rsp_expect("Qbtrace:bts", "OK");
	rsp_send("D");
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	cr_expect_not(uni_gdb_branch_is_due(&m.stub, 1));
	rsp_received();
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	rsp_ask("?");
	rsp_expect("Qbtrace:bts", "OK");
	rsp_ask("qSupported");
	cr_expect_not(uni_gdb_branch_is_due(&m.stub, 1), "another session starts");
	rsp_expect("Qbtrace:bts", "OK");
	uni_gdb_abandon(&m.stub);
	cr_expect_not(uni_gdb_branch_is_due(&m.stub, 1), "gdb was killed");
}

Test(rsp_branches, the_configuration_tells_what_is_kept)
{
	rsp_expect("Qbtrace:bts", "OK");
	rsp_expect("qXfer:btrace-conf:read::0,1000",
		   "l<btrace-conf version=\"1.0\">\n<bts size=\"0x4000\"/>\n</btrace-conf>\n");
	rsp_expect("qXfer:btrace-conf:read::2,6", "mtrace-");
	rsp_expect("qXfer:btrace-conf:read:0,1000", "E16");
	rsp_expect("Qbtrace-conf:bts:size=0x40", "OK");
	rsp_expect("Qbtrace-conf:bts:size=", "E16");
	rsp_expect("Qbtrace-conf:bts:size=0x40,1", "E16");
	rsp_expect("Hg2", "OK");
	rsp_expect("Qbtrace:bts", "OK");
	rsp_expect("qXfer:btrace-conf:read::0,1000",
		   "l<btrace-conf version=\"1.0\">\n<bts size=\"0x40\"/>\n</btrace-conf>\n");
	rsp_expect("Hg3", "OK");
	rsp_expect("Qbtrace-conf:bts:size=0x1000000", "OK");
	rsp_expect("Qbtrace:bts", "OK");
	rsp_expect("qXfer:btrace-conf:read::0,1000",
		   "l<btrace-conf version=\"1.0\">\n<bts size=\"0x4000\"/>\n</btrace-conf>\n");
}

Test(rsp_branches, before_a_step_there_is_the_place_alone)
{
	rsp_expect("Qbtrace:bts", "OK");
	expect_read("all", BLOCK("100100", "100100"));
	rsp_expect("qXfer:btrace:read:some:0,1000", "E.no such annex");
	rsp_expect("qXfer:btrace:read:all:0", "E16");
}

Test(rsp_branches, a_branch_ends_a_block)
{
	rsp_expect("Qbtrace:bts", "OK");
	step(0x100101, 0x100110, 0x100111, 0x100103, 0x100120, 0x100123, 0x100108);
	expect_read("all",
		    BLOCK("100108", "100108") BLOCK("100120", "100123") BLOCK("100103", "100103")
			    BLOCK("100110", "100111") BLOCK("100100", "100101"));
}

Test(rsp_branches, one_that_is_not_taken_ends_none)
{
	rsp_expect("Qbtrace:bts", "OK");
	step(0x100101, 0x100103);
	expect_read("all", BLOCK("100100", "100103"));
}

Test(rsp_branches, an_instruction_that_repeats_is_in_one_block)
{
	stand(0x100108);
	rsp_expect("Qbtrace:bts", "OK");
	step(0x100108, 0x100108, 0x10010a, 0x100100);
	expect_read("all", BLOCK("100100", "100100") BLOCK("100108", "10010a"));
}

Test(rsp_branches, a_trap_that_came_late_led_two_instructions_on)
{
	stand(0x100130);
	rsp_expect("Qbtrace:bts", "OK");
	step(0x100100);
	stand(0x100140);
	step(0x100143, 0x100120);
	expect_read("all", BLOCK("100120", "100120") BLOCK("100140", "100145") BLOCK("100140", GAP)
				   BLOCK("100100", "100100") BLOCK("100130", "100132"));
}

Test(rsp_branches, breakpoints_are_no_part_of_the_code)
{
	rsp_expect("Qbtrace:bts", "OK");
	rsp_expect("Z0,100100,1", "OK");
	rsp_resume();
	cr_assert_eq(m.ram[0x100], 0xcc);
	step(0x100101);
	rsp_stop(UNI_GDB_EVENT_SIGNAL, 1, 0);
	uni_gdb_poll(&m.stub);
	rsp_received();
	expect_read("all", BLOCK("100100", "100101"));
}

Test(rsp_branches, a_way_that_nobody_saw_is_a_gap)
{
	rsp_expect("Qbtrace:bts", "OK");
	step(0x100101);
	stand(0x100120);
	step(0x100123);
	expect_read("all",
		    BLOCK("100120", "100123") BLOCK("100120", GAP) BLOCK("100100", "100101"));
	stand(0x100110);
	expect_read("all", BLOCK("100110", "100110") BLOCK("100110", GAP) BLOCK("100120", "100123")
				   BLOCK("100120", GAP) BLOCK("100100", "100101"));
}

Test(rsp_branches, a_handler_that_came_between_is_none)
{
	rsp_expect("Qbtrace:bts", "OK");
	uni_gdb_branch_from(&m.stub, 1, 0x100100);
	cr_expect_not(uni_gdb_branch_is_due(&m.stub, 1));
	stand(0x102000);
	expect_read("all", BLOCK("100100", "100100"));
	uni_gdb_branch_to(&m.stub, 1, 0x100101);
	stand(0x100101);
	expect_read("all", BLOCK("100100", "100101"));
}

Test(rsp_branches, what_no_step_led_to_does_not_count)
{
	rsp_expect("Qbtrace:bts", "OK");
	uni_gdb_branch_to(&m.stub, 1, 0x100110);
	expect_read("all", BLOCK("100100", "100100"));
}

Test(rsp_branches, a_thread_may_go_along_without_a_step)
{
	rsp_expect("Qbtrace:bts", "OK");
	uni_gdb_branch_from(&m.stub, 1, 0x100100);
	uni_gdb_branch_along(&m.stub, 1, 0x100101);
	cr_expect(uni_gdb_branch_is_due(&m.stub, 1));
	cr_expect_eq(uni_gdb_branch_pc(&m.stub, 1), 0x100101);
	cr_expect_eq(uni_gdb_branch_pc(&m.stub, 2), 0);
	expect_read("all", BLOCK("100100", "100101"));
	stand(0x100101);
	step(0x100110);
	uni_gdb_branch_along(&m.stub, 1, 0x100103);
	stand(0x100103);
	step(0x100120);
	expect_read("all", BLOCK("100120", "100120") BLOCK("100103", "100103")
				   BLOCK("100110", "100111") BLOCK("100100", "100101"));
	uni_gdb_branch_along(&m.stub, 1, 0x100100);
	stand(0x100100);
	expect_read("delta",
		    BLOCK("100100", "100100") BLOCK("100100", GAP) BLOCK("000000", "100123"));
}

/* gdb itself puts in where it was. */
Test(rsp_branches, what_came_since_begins_at_0)
{
	rsp_expect("Qbtrace:bts", "OK");
	expect_read("delta", BLOCK("000000", "100100"));
	step(0x100101, 0x100110);
	expect_read("delta", BLOCK("100110", "100110") BLOCK("000000", "100101"));
	expect_read("delta", BLOCK("000000", "100110"));
	step(0x100111);
	expect_read("delta", BLOCK("000000", "100111"));
	expect_read("all", BLOCK("100110", "100111") BLOCK("100100", "100101"));
}

Test(rsp_branches, what_is_new_is_everything_or_nothing)
{
	rsp_expect("Qbtrace:bts", "OK");
	expect_read("new", "");
	step(0x100101);
	expect_read("new", BLOCK("100100", "100101"));
	expect_read("new", "");
}

Test(rsp_branches, a_full_ring_keeps_the_newest_and_tells)
{
	rsp_expect("Qbtrace-conf:bts:size=0x20", "OK");
	rsp_expect("Qbtrace:bts", "OK");
	step(0x100101, 0x100110, 0x100111, 0x100103);
	expect_read("all",
		    BLOCK("100103", "100103") BLOCK("100110", "100111") BLOCK("100100", "100101"));
	step(0x100120, 0x100123, 0x100108);
	expect_read("delta",
		    BLOCK("100108", "100108") BLOCK("100120", "100123") BLOCK("000000", "100103"));
	step(0x10010a, 0x100100, 0x100101, 0x100110, 0x100111, 0x100103);
	rsp_expect("qXfer:btrace:read:delta:0,1000", "E.blocks that were not read are lost");
	expect_read("new", BLOCK("100103", "100103") BLOCK("100110", "100111")
				   BLOCK("100100", "100101") BLOCK("100100", GAP));
	expect_read("delta", BLOCK("000000", "100103"));
}

Test(rsp_branches, are_read_in_pieces_of_any_size)
{
	static const char whole[] = "<btrace version=\"1.0\">\n" BLOCK("100110", "100110")
		BLOCK("100100", "100101") "</btrace>\n";

	rsp_expect("Qbtrace:bts", "OK");
	step(0x100101, 0x100110);
	for (size_t len = 1; len <= sizeof(whole); len++) {
		char got[2 * sizeof(whole)] = "";
		const char *piece;
		char packet[64];

		do {
			cr_assert_lt(strlen(got), sizeof(whole), "pieces of %zu", len);
			snprintf(packet, sizeof(packet), "qXfer:btrace:read:all:%zx,%zx",
				 strlen(got), len);
			piece = rsp_ask(packet);
			cr_assert(piece[0] == 'm' || piece[0] == 'l', "%s: %s", packet, piece);
			cr_assert_leq(strlen(piece + 1), len);
			strcat(got, piece + 1);
		} while (piece[0] == 'm');
		cr_expect_str_eq(got, whole, "pieces of %zu", len);
	}
}

Test(rsp_branches, a_piece_of_another_thread_is_refused)
{
	rsp_expect("Qbtrace:bts", "OK");
	rsp_expect("qXfer:btrace:read:all:0,5", "m<btra");
	rsp_expect("Hg2", "OK");
	rsp_expect("Qbtrace:bts", "OK");
	rsp_expect("qXfer:btrace:read:all:5,5", "E.it is read from its beginning");
}

Test(rsp_branches, threads_that_ended_make_room)
{
	char packet[16];

	while (m.thread_count < MACHINE_THREADS)
		machine_add_thread(&m, m.thread_count + 1, UNI_GDB_NO_CPU, "more");
	for (unsigned i = 1; i <= UNI_GDB_BRANCH_RINGS; i++) {
		snprintf(packet, sizeof(packet), "Hg%x", i);
		rsp_expect(packet, "OK");
		rsp_expect("Qbtrace:bts", "OK");
	}
	m.threads[9].public.id = 1000;
	rsp_expect("Hg3e8", "OK");
	rsp_expect("Qbtrace:bts", "OK");
	m.threads[1].public.id = 1001;
	m.threads[2].public.id = 1002;
	rsp_expect("Hg3e9", "OK");
	rsp_expect("Qbtrace:bts", "OK");
	rsp_expect("Hg3ea", "OK");
	rsp_expect("Qbtrace:bts", "OK");
	cr_expect(uni_gdb_branch_is_due(&m.stub, 1000));
	cr_expect(uni_gdb_branch_is_due(&m.stub, 64));
	cr_expect_not(uni_gdb_branch_is_due(&m.stub, 10));
}

Test(rsp_branches, without_room_no_thread_is_recorded)
{
	uni_gdb_branch_room(&m.stub, NULL);
	rsp_expect("Qbtrace:bts", "E.there is no room to record another thread");
	cr_expect_not(uni_gdb_branch_is_due(&m.stub, 1));
}

/* Two looks at the link after which one that is not recorded would run. */
Test(rsp_branches, a_range_is_stepped_all_the_way)
{
	rsp_expect("Qbtrace:bts", "OK");
	for (unsigned i = 0; i < 2; i++) {
		if (i == 0)
			rsp_send("vCont;r100100,10010c:1;c");
		else
			uni_gdb_event(&m.stub,
				      &(struct uni_gdb_event){.kind = UNI_GDB_EVENT_ATTENTION,
							      .thread = 1});
		cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
		cr_expect_eq(uni_gdb_range_way(&m.stub, 1, 0x100100, 0x1000), UNI_GDB_WAY_STEP);
	}
	cr_expect_eq(m.ram[0x103], code[0x03], "no breakpoint of the range stands");
}
