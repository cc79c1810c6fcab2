/* SPDX-License-Identifier: MIT */
#pragma once

/* A gdb for tests of the stub, against the machine in memory. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "gdbstub/hosted/machine.h"

static struct machine m;

static inline void rsp_send(const char *packet)
{
	uint8_t sum = 0;
	char tail[4];

	for (const char *at = packet; *at; at++)
		sum += (uint8_t)*at;
	snprintf(tail, sizeof(tail), "#%02x", sum);
	machine_send(&m, "$", 1);
	machine_send(&m, packet, strlen(packet));
	machine_send(&m, tail, 3);
}

/* The payloads of all frames that came, each behind a '\n' but the first; those of notifications
 * behind their '%'. */
static inline const char *rsp_received(void)
{
	static char text[MACHINE_WIRE_SIZE + 1];
	size_t len = 0;

	for (size_t i = 0; i < m.from_stub_len; i++) {
		if (m.from_stub[i] != '$' && m.from_stub[i] != '%')
			continue;
		if (len)
			text[len++] = '\n';
		if (m.from_stub[i] == '%')
			text[len++] = '%';
		for (i++; m.from_stub[i] != '#'; i++)
			text[len++] = (char)m.from_stub[i];
	}
	text[len] = 0;
	m.from_stub_len = 0;
	return text;
}

static inline const char *rsp_ask(const char *packet)
{
	rsp_send(packet);
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY, "after %s", packet);
	return rsp_received();
}

#define rsp_expect(packet, answer) cr_expect_str_eq(rsp_ask(packet), answer, "to %s", packet)

static inline uint64_t *rsp_words(uint32_t thread)
{
	return m.threads[thread - 1].registers.words;
}

/* The register's number in hexadecimal digits. */
static inline void rsp_write_register(const char *number, uint64_t value)
{
	char packet[64];

	snprintf(packet, sizeof(packet), "P%s=%016llx", number,
		 (unsigned long long)__builtin_bswap64(value));
	rsp_expect(packet, "OK");
}

static inline void rsp_stop(enum uni_gdb_event_kind kind, uint32_t thread, uint64_t address)
{
	uni_gdb_event(&m.stub, &(struct uni_gdb_event){
				       .kind = kind,
				       .signal = UNI_GDB_SIGTRAP,
				       .thread = thread,
				       .address = address,
			       });
}

/* Asks for a resume, which has no answer yet: asserts that nothing comes. */
static inline void rsp_go(const char *packet)
{
	rsp_send(packet);
	cr_assert_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	cr_assert_str_eq(rsp_received(), "");
}

static inline void rsp_resume(void)
{
	rsp_go("vCont;c");
}

static inline void rsp_attach(void)
{
	machine_init(&m);
	m.stub.options.run_length = false;
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	rsp_ask("qSupported:swbreak+;hwbreak+;vContSupported+");
	rsp_ask("QStartNoAckMode");
	machine_send(&m, "+", 1);
	cr_assert_eq(rsp_ask("?")[0], 'T');
}

static inline struct uni_gdb_hit rsp_hit(unsigned thread)
{
	return (struct uni_gdb_hit){
		.registers = &m.threads[thread - 1].registers,
		.thread = thread,
		.cpu = (int)thread - 1,
	};
}
