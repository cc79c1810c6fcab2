/* SPDX-License-Identifier: MIT */

/* Fast tracepoints: a call that stands where an int3 would, as long as nothing is in its way. */

#include "gdbstub/stub_internal.h"
#include "tests/unit/rsp_machine.h"

#define AT "100480"
#define CODE 0x100480u
#define OFFSET 0x480

/* mov $0x04030201, %eax; nop; push %rbp */
static const uint8_t original[] = {0xb8, 0x01, 0x02, 0x03, 0x04, 0x90, 0x55};
/* call 0x12a000, from behind 0x100485 */
static const uint8_t call[] = {0xe8, 0x7b, 0x9b, 0x02, 0x00, 0x90, 0x55};
static const uint8_t int3[] = {0xcc, 0x01, 0x02, 0x03, 0x04, 0x90, 0x55};

static void attach(void)
{
	rsp_attach();
	memcpy(m.ram + OFFSET, original, sizeof(original));
	rsp_expect("QTinit", "OK");
}

TestSuite(fast, .init = attach);

static void define(void)
{
	rsp_expect("QTDP:1:" AT ":E:0:0:F5", "OK");
	rsp_expect("QTStart", "OK");
}

static void stop(void)
{
	rsp_stop(UNI_GDB_EVENT_SIGNAL, 1, 0);
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	rsp_received();
}

#define stands(bytes) cr_expect_arr_eq(m.ram + OFFSET, bytes, sizeof(bytes))

static void hit(void)
{
	const struct uni_gdb_breakpoint *b = uni_gdb_breakpoint_passable(&m.stub, CODE);
	struct uni_gdb_hit now = rsp_hit(1);

	cr_assert_not_null(b);
	cr_expect(!uni_gdb_breakpoint_hit(&m.stub, b, &now));
}

Test(fast, they_are_offered)
{
	cr_expect_not_null(strstr(rsp_ask("qSupported:"), ";FastTracepoints+"));
	rsp_expect("qTMinFTPILen", "5");
}

Test(fast, a_call_stands_while_the_guest_runs)
{
	define();
	stands(original);
	rsp_resume();
	stands(call);
	hit();
	stop();
	stands(original);
	rsp_expect("m" AT ",7", "b8010203049055");
	rsp_expect("qTP:1:" AT, "V1:6");
	rsp_expect("qTfP", "T1:" AT ":E:0:0:F5");
}

Test(fast, what_is_collected_has_no_call_in_it)
{
	rsp_expect("QTDP:1:" AT ":E:0:0:F5-", "OK");
	rsp_expect("QTDP:-1:" AT ":M-1,100482,5", "OK");
	rsp_expect("QTStart", "OK");
	rsp_resume();
	hit();
	stop();
	rsp_expect("QTFrame:0", "F0T1");
	rsp_expect("m100482,5", "0203049055");
}

Test(fast, what_the_guest_wrote_over_a_call_stays)
{
	define();
	rsp_resume();
	m.ram[OFFSET + 4] = 0x77;
	stop();
	cr_expect_eq(m.ram[OFFSET], call[0]);
	cr_expect_eq(m.ram[OFFSET + 4], 0x77);
}

Test(fast, a_condition_and_a_pass_count)
{
	/* reg rdi == 0x1005, as it is in thread 1 */
	rsp_expect("QTDP:1:" AT ":E:0:2:F5:X8,2600052310051327", "OK");
	rsp_expect("QTStart", "OK");
	rsp_resume();
	stands(call);
	hit();
	hit();
	cr_expect(uni_gdb_trace_is_over(&m.stub));
	stop();
	rsp_expect("qTfP", "T1:" AT ":E:0:2:F5");
	rsp_resume();
	stands(original);
}

Test(fast, is_among_what_stands_while_the_guest_runs)
{
	define();
	rsp_expect("Z0,100500,1", "OK");
	cr_expect_not(uni_gdb_breakpoint_stands(&m.stub, CODE));
	rsp_resume();
	cr_expect(uni_gdb_breakpoint_stands(&m.stub, CODE));
	cr_expect(uni_gdb_breakpoint_stands(&m.stub, 0x100500));
	cr_expect_not(uni_gdb_breakpoint_stands(&m.stub, CODE + 1));
	cr_expect_not(uni_gdb_breakpoint_at(&m.stub, CODE), "that is for gdb's alone");
	cr_expect(uni_gdb_breakpoint_at(&m.stub, 0x100500));
	stop();
	cr_expect_not(uni_gdb_breakpoint_stands(&m.stub, 0x100500));
}

Test(fast, none_stands_when_gdb_is_gone)
{
	define();
	rsp_resume();
	stands(call);
	stop();
	rsp_send("D");
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	stands(original);
}

Test(fast, tracing_goes_on_without_gdb)
{
	define();
	rsp_expect("QTDisconnected:1", "OK");
	rsp_send("D");
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	stands(call);
}

/* --- where an int3 does it --- */

Test(fast, a_breakpoint_at_the_same_address)
{
	define();
	rsp_expect("Z0," AT ",1", "OK");
	rsp_resume();
	stands(int3);
	stop();
	rsp_expect("z0," AT ",1", "OK");
	rsp_resume();
	stands(call);
}

Test(fast, a_breakpoint_in_the_bytes_of_the_call)
{
	define();
	rsp_expect("Z0,100484,1", "OK");
	rsp_resume();
	cr_expect_eq(m.ram[OFFSET], 0xcc);
	cr_expect_eq(m.ram[OFFSET + 1], 0x01);
	cr_expect_eq(m.ram[OFFSET + 4], 0xcc);
	stop();
	stands(original);
	rsp_expect("z0,100484,1", "OK");
	rsp_expect("Z0,100485,1", "OK");
	rsp_resume();
	cr_expect_arr_eq(m.ram + OFFSET, call, UNI_GDB_CALL_LEN);
	cr_expect_eq(m.ram[OFFSET + 5], 0xcc);
}

Test(fast, a_step_of_any_thread)
{
	define();
	rsp_send("vCont;s:1;c");
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	stands(int3);
	stop();
	rsp_resume();
	stands(call);
}

Test(fast, a_thread_that_is_recorded)
{
	define();
	rsp_ask("Hg1");
	rsp_expect("Qbtrace:bts", "OK");
	rsp_resume();
	stands(int3);
	stop();
	rsp_expect("Qbtrace:off", "OK");
	rsp_resume();
	stands(call);
}

Test(fast, data_that_is_watched)
{
	define();
	rsp_expect("Z1,100490,1", "OK");
	rsp_resume();
	stands(call);
	stop();
	rsp_expect("Z2,100200,8", "OK");
	rsp_resume();
	stands(int3);
}

/* --- what is refused --- */

Test(fast, the_reason_is_told)
{
	static const struct {
		const char *packet, *answer;
	} samples[] = {
		{"QTDP:1:100485:E:0:0:F1", "E.the instruction is shorter than a jump: use trace"},
		{"QTDP:1:" AT ":E:3:0:F5", "E.no steps behind a fast tracepoint: use trace"},
		{"QTDP:1:" AT ":E:0:0:F", "E.a fast tracepoint without its length"},
		/* mov $..., %eax whose last byte is the stub's own */
		{"QTDP:1:11fffc:E:0:0:F5", "E.this is the stub's own code"},
		/* the same, into the hole */
		{"QTDP:1:10fffc:E:0:0:F5", "E.there is no memory at the address"},
	};

	m.ram[0x1fffc] = m.ram[0xfffc] = 0xb8;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		rsp_expect(samples[i].packet, samples[i].answer);
	cr_expect_eq(m.stub.trace.tracepoint_count, 0);
}

Test(fast, monitor_feature_switches_them)
{
	/* feature fast-tracepoints off */
	rsp_ask("qRcmd,6665617475726520666173742d7472616365706f696e7473206f6666");
	cr_expect_null(strstr(rsp_ask("qSupported:"), "FastTracepoints"));
	rsp_expect("qTMinFTPILen", "");
}

Test(fast, a_call_reaches_two_gigabytes)
{
	static const uint8_t far[] = {0xe8, 0xff, 0xff, 0xff, 0x7f};
	uint8_t code[UNI_GDB_CALL_LEN];

	cr_assert(uni_gdb_arch_call(0x100000, 0x80100004, code));
	cr_expect_arr_eq(code, far, sizeof(far));
	cr_expect(!uni_gdb_arch_call(0x100000, 0x80100005, code));
	cr_assert(uni_gdb_arch_call(0x90000000, 0x10000005, code));
	cr_expect(!uni_gdb_arch_call(0x90000000, 0x10000004, code));
}
