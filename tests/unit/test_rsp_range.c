/* SPDX-License-Identifier: MIT */

/* Threads that step through a range of code, and run where it is a long one. Encodings from the
 * Intel SDM, vol. 2. */

#include "gdbstub/stub_internal.h"
#include "tests/unit/rsp_machine.h"

#define CODE 0x100400u
#define SP 0x107f00u

static void attach(void)
{
	rsp_attach();
	m.threads[0].registers.words[UNI_GDB_RIP] = CODE;
}

TestSuite(range, .init = attach);

/* sub $1, %rdi; jne CODE; ret */
static const uint8_t loop[] = {0x48, 0x83, 0xef, 0x01, 0x75, 0xfa, 0xc3};
#define LOOP_RET (CODE + 6)
#define LOOP_STEP "vCont;r100400,100407:1;c"

static void put_code(uint64_t at, const uint8_t *code, size_t len)
{
	memcpy(m.ram + (at - MACHINE_RAM_BASE), code, len);
}

#define PUT(...) \
	put_code(CODE, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* The thread has not come to an end when the link is looked at. */
static void look(void)
{
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	cr_assert_str_eq(rsp_received(), "");
}

static bool is_laid(uint64_t address)
{
	return m.ram[address - MACHINE_RAM_BASE] == 0xcc;
}

static unsigned laid(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < m.stub.standing_count; i++)
		count += m.stub.breakpoints[i].inserted;
	return count;
}

static enum uni_gdb_way way(uint32_t thread, uint64_t pc, uint64_t sp)
{
	return uni_gdb_range_way(&m.stub, thread, pc, sp);
}

static bool stops(unsigned thread, uint64_t pc)
{
	const struct uni_gdb_breakpoint *b = uni_gdb_breakpoint_passable(&m.stub, pc);
	struct uni_gdb_hit hit = rsp_hit(thread);

	cr_assert_not_null(b);
	return uni_gdb_breakpoint_hit(&m.stub, b, &hit);
}

Test(range, a_short_one_is_stepped_through)
{
	put_code(CODE, loop, sizeof(loop));
	rsp_go(LOOP_STEP);
	cr_expect_eq(laid(), 0);
	cr_expect_eq(way(1, CODE, SP), UNI_GDB_WAY_STEP);
}

Test(range, a_long_one_runs_to_its_exits)
{
	put_code(CODE, loop, sizeof(loop));
	rsp_go(LOOP_STEP);
	look();
	cr_expect_eq(laid(), 1);
	cr_expect(is_laid(LOOP_RET));
	cr_expect_eq(way(1, CODE, SP), UNI_GDB_WAY_RUN);
	cr_expect(uni_gdb_range_runs(&m.stub, 1));
	cr_expect(!stops(1, LOOP_RET));
	cr_expect_eq(way(1, LOOP_RET, SP), UNI_GDB_WAY_STEP);
	cr_expect(!uni_gdb_range_runs(&m.stub, 1));
	/* The return leads back into the range, or out of it. */
	cr_expect_eq(way(1, CODE, SP + 8), UNI_GDB_WAY_RUN);
	cr_expect(!uni_gdb_step_done(&m.stub, 1, CODE));
	cr_expect(uni_gdb_step_done(&m.stub, 1, CODE + 0x100));
}

Test(range, jumps_lead_out_of_it)
{
	/* je CODE + 0x40; jmp CODE + 0x50; nop */
	PUT(0x74, 0x3e, 0xe9, 0x49, 0, 0, 0, 0x90);
	rsp_go("vCont;r100400,100408:1;c");
	look();
	cr_expect_eq(laid(), 3);
	cr_expect(is_laid(CODE + 0x40));
	cr_expect(is_laid(CODE + 0x50));
	cr_expect(is_laid(CODE + 8));
	cr_expect_eq(way(1, CODE, SP), UNI_GDB_WAY_RUN);
	cr_expect_eq(way(1, CODE + 0x50, SP), UNI_GDB_WAY_LEFT);
	/* The same again after a stop that was for nothing. */
	look();
	cr_expect_eq(way(1, CODE + 0x50, SP), UNI_GDB_WAY_LEFT);
}

Test(range, others_pass_by_its_exits)
{
	put_code(CODE, loop, sizeof(loop));
	rsp_go(LOOP_STEP);
	look();
	cr_expect_eq(way(1, CODE, SP), UNI_GDB_WAY_RUN);
	cr_expect(!uni_gdb_range_runs(&m.stub, 2));
	cr_expect(!stops(2, LOOP_RET));
	cr_expect(!uni_gdb_breakpoint_at(&m.stub, LOOP_RET));
}

/* On the thread's own stack. */
Test(range, so_does_a_handler_of_interrupts)
{
	put_code(CODE, loop, sizeof(loop));
	rsp_go(LOOP_STEP);
	look();
	cr_expect_eq(way(1, CODE, SP), UNI_GDB_WAY_RUN);
	cr_expect_eq(way(1, LOOP_RET, SP - 0x100), UNI_GDB_WAY_RUN);
	cr_expect_eq(way(1, CODE + 0x800, SP - 0x100), UNI_GDB_WAY_RUN);
	cr_expect_eq(way(1, LOOP_RET, SP), UNI_GDB_WAY_STEP);
}

Test(range, what_moves_the_stack_pointer_is_stepped)
{
	/* push %rbp; mov %rsp, %rbp; sub $16, %rsp; nop; leave */
	PUT(0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x10, 0x90, 0xc9);
	rsp_go("vCont;r100400,10040a:1;c");
	look();
	cr_expect_eq(laid(), 3);
	cr_expect(is_laid(CODE) && is_laid(CODE + 4) && is_laid(CODE + 9));
	cr_expect_eq(way(1, CODE, SP), UNI_GDB_WAY_STEP);
	cr_expect_eq(way(1, CODE + 1, SP - 8), UNI_GDB_WAY_RUN);
	cr_expect_eq(way(1, CODE + 4, SP - 8), UNI_GDB_WAY_STEP);
}

Test(range, a_breakpoint_in_it_stops)
{
	put_code(CODE, loop, sizeof(loop));
	rsp_expect("Z0,100404,1", "OK");
	rsp_expect("Z0,100406,1", "OK");
	rsp_go(LOOP_STEP);
	look();
	cr_expect_eq(laid(), 2);
	cr_expect(uni_gdb_breakpoint_at(&m.stub, CODE + 4));
	cr_expect_null(uni_gdb_breakpoint_passable(&m.stub, CODE + 4));
	/* On an exit too, without which it could not be passed. */
	cr_expect(stops(1, LOOP_RET));
	rsp_stop(UNI_GDB_EVENT_BREAKPOINT, 1, CODE + 4);
	m.threads[0].registers.words[UNI_GDB_RIP] = CODE + 4;
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	cr_expect_eq(strncmp(rsp_received(), "T05swbreak:;thread:1;", 21), 0);
}

Test(range, a_condition_in_it_is_looked_at)
{
	put_code(CODE, loop, sizeof(loop));
	/* %rdi == 0x2005 */
	rsp_expect("Z0,100406,1;X8,2600052320051327", "OK");
	rsp_go(LOOP_STEP);
	look();
	cr_expect(!stops(1, LOOP_RET));
	cr_expect(stops(2, LOOP_RET));
}

Test(range, its_exits_are_seen_by_nobody)
{
	uint8_t bytes[sizeof(loop)];

	put_code(CODE, loop, sizeof(loop));
	rsp_go(LOOP_STEP);
	look();
	cr_assert(uni_gdb_read_clean(&m.stub, CODE, bytes, sizeof(bytes)));
	cr_expect_arr_eq(bytes, loop, sizeof(loop));
	cr_expect(!uni_gdb_trace_is_over(&m.stub));
	rsp_stop(UNI_GDB_EVENT_STEP, 1, 0);
	cr_expect_arr_eq(m.ram + (CODE - MACHINE_RAM_BASE), loop, sizeof(loop));
}

Test(range, each_resume_starts_over)
{
	put_code(CODE, loop, sizeof(loop));
	rsp_go(LOOP_STEP);
	look();
	cr_expect_eq(way(1, CODE, SP), UNI_GDB_WAY_RUN);
	rsp_stop(UNI_GDB_EVENT_STEP, 1, 0);
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	rsp_received();
	rsp_go(LOOP_STEP);
	cr_expect_eq(laid(), 0);
	cr_expect(!uni_gdb_range_runs(&m.stub, 1));
	rsp_stop(UNI_GDB_EVENT_STEP, 1, 0);
	uni_gdb_abandon(&m.stub);
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	look();
	cr_expect_eq(laid(), 0);
}

/* The scheduler could take the thread to a CPU that is held. */
Test(range, one_alone_is_stepped_through)
{
	put_code(CODE, loop, sizeof(loop));
	rsp_go("vCont;r100400,100407:1");
	look();
	cr_expect_eq(laid(), 0);
	cr_expect_eq(way(1, CODE, SP), UNI_GDB_WAY_STEP);
}

static void expect_stepped(const char *packet)
{
	rsp_go(packet);
	look();
	cr_expect_eq(way(1, CODE, SP), UNI_GDB_WAY_STEP, "%s", packet);
	rsp_stop(UNI_GDB_EVENT_STEP, 1, 0);
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	rsp_received();
}

Test(range, what_cannot_be_told_is_stepped_through)
{
	/* A jump into the middle of the first instruction. */
	PUT(0xb8, 0xc3, 0xc3, 0xc3, 0xc3, 0xeb, 0xfa, 0x90);
	expect_stepped("vCont;r100400,100408:1;c");
	/* No such instruction; one that ends behind the end; a thread that is not at a beginning.
	 */
	PUT(0x90, 0x06, 0x90, 0x90);
	expect_stepped("vCont;r100400,100404:1;c");
	PUT(0x90, 0xb8, 0, 0, 0, 0);
	expect_stepped("vCont;r100400,100404:1;c");
	put_code(CODE - 2, (const uint8_t[]){0xb8, 0, 0, 0, 0, 0x90, 0x90, 0x90}, 8);
	expect_stepped("vCont;r1003fe,100406:1;c");
	/* Exits where none may stand: iret, the stub's own code, a hole. */
	PUT(0x90, 0x48, 0xcf, 0x90);
	expect_stepped("vCont;r100400,100404:1;c");
	PUT(0x90, 0xe9, 0xfa, 0xfb, 0x01, 0);
	expect_stepped("vCont;r100400,100406:1;c");
	PUT(0x90, 0xe9, 0xfa, 0xfb, 0, 0);
	expect_stepped("vCont;r100400,100406:1;c");
	/* Bounds without sense. */
	PUT(0x90, 0x90);
	expect_stepped("vCont;r100400,ffffffffffffffff:1;c");
	expect_stepped("vCont;r100402,100400:1;c");
	expect_stepped("vCont;r0,100408:1;c");
}

Test(range, so_is_one_with_too_many_exits)
{
	/* nop, as many pushes as there may be exits, jmp */
	PUT(0x90);
	memset(m.ram + (CODE + 1 - MACHINE_RAM_BASE), 0x50, UNI_GDB_EXITS);
	put_code(CODE + 1 + UNI_GDB_EXITS, (const uint8_t[]){0xeb, 0xfd}, 2);
	rsp_go("vCont;r100400,100443:1;c");
	look();
	cr_expect_eq(laid(), UNI_GDB_EXITS);
	rsp_stop(UNI_GDB_EVENT_STEP, 1, 0);
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	rsp_received();
	put_code(CODE + 1 + UNI_GDB_EXITS, (const uint8_t[]){0x50, 0x90}, 2);
	expect_stepped("vCont;r100400,100443:1;c");
}
