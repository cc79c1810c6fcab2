/* SPDX-License-Identifier: MIT */

/* An image starts another one in its own place, and gdb stays: GDB manual, "Stop Reply Packets",
 * `exec`. */

#include "tests/unit/rsp_machine.h"

TestSuite(rsp_exec, .init = rsp_attach);

#define PROGRAM "/next"
#define PROGRAM_HEX "2f6e657874"

/* The next image's stub, as its boot leaves it, with that session. */
static void succeed(uint64_t session)
{
	const struct uni_gdb_ops *ops = m.stub.ops;
	void *context = m.stub.context;

	uni_gdb_init(&m.stub, ops, context, m.stub.register_sets);
	uni_gdb_succeed(&m.stub, session, PROGRAM);
}

static const char *first_stop(void)
{
	rsp_stop(UNI_GDB_EVENT_SIGNAL, 2, 0);
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	return rsp_received();
}

static const char *stop_after(const char *supported)
{
	rsp_ask(supported);
	rsp_resume();
	succeed(uni_gdb_session(&m.stub));
	return first_stop();
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

Test(rsp_exec, the_first_stop_names_the_program)
{
	const char *stop = stop_after("qSupported:exec-events+;multiprocess+");

	cr_expect(begins(stop, "T05exec:" PROGRAM_HEX ";thread:p1.2;"), "%s", stop);
	rsp_resume();
	stop = first_stop();
	cr_expect(begins(stop, "T05thread:p1.2;"), "once: %s", stop);
}

Test(rsp_exec, a_gdb_that_does_not_know_it_hears_of_a_stop)
{
	const char *stop = stop_after("qSupported:multiprocess-");

	cr_expect(begins(stop, "T05thread:2;"), "%s", stop);
}

Test(rsp_exec, it_can_be_switched_off)
{
	cr_expect_not_null(strstr(rsp_ask("qSupported:exec-events+"), ";exec-events+"));
	m.stub.options.features_off |= 1u << UNI_GDB_FEATURE_EXEC;
	cr_expect_null(strstr(rsp_ask("qSupported:exec-events+"), "exec-events"));
	cr_expect(begins(stop_after("qSupported:exec-events+"), "T05thread:2;"));
}

Test(rsp_exec, without_a_session_there_is_none_to_go_on)
{
	rsp_send("D");
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	rsp_received();
	cr_expect_eq(uni_gdb_session(&m.stub), 0);
	succeed(0);
	cr_expect_not(uni_gdb_attached(&m.stub));
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	cr_expect_str_eq(rsp_received(), "");
}

Test(rsp_exec, what_was_agreed_on_holds)
{
	rsp_ask("qSupported:exec-events+;no-resumed+");
	rsp_expect("QThreadEvents:1", "OK");
	m.stub.options.run_length = false;
	m.stub.options.step_masks_irqs = false;
	m.stub.options.features_off = 1u << UNI_GDB_FEATURE_FILES;
	rsp_resume();
	succeed(uni_gdb_session(&m.stub));
	cr_expect(uni_gdb_wants_thread_events(&m.stub));
	cr_expect(m.stub.no_resumed);
	cr_expect_not(m.stub.options.run_length);
	cr_expect_not(m.stub.options.step_masks_irqs);
	cr_expect_eq(m.stub.options.features_off, 1u << UNI_GDB_FEATURE_FILES);
	cr_expect(begins(first_stop(), "T05exec:"));
}
