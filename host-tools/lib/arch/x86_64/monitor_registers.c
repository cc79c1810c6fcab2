/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/arch/x86_64/monitor_registers.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name; /* as QEMU writes it, with the sign */
	size_t offset;
} registers[] = {
	{"RAX=", offsetof(struct uni_core_prstatus, rax)},
	{"RBX=", offsetof(struct uni_core_prstatus, rbx)},
	{"RCX=", offsetof(struct uni_core_prstatus, rcx)},
	{"RDX=", offsetof(struct uni_core_prstatus, rdx)},
	{"RSI=", offsetof(struct uni_core_prstatus, rsi)},
	{"RDI=", offsetof(struct uni_core_prstatus, rdi)},
	{"RBP=", offsetof(struct uni_core_prstatus, rbp)},
	{"RSP=", offsetof(struct uni_core_prstatus, rsp)},
	{"R8 =", offsetof(struct uni_core_prstatus, r8)},
	{"R9 =", offsetof(struct uni_core_prstatus, r9)},
	{"R10=", offsetof(struct uni_core_prstatus, r10)},
	{"R11=", offsetof(struct uni_core_prstatus, r11)},
	{"R12=", offsetof(struct uni_core_prstatus, r12)},
	{"R13=", offsetof(struct uni_core_prstatus, r13)},
	{"R14=", offsetof(struct uni_core_prstatus, r14)},
	{"R15=", offsetof(struct uni_core_prstatus, r15)},
	{"RIP=", offsetof(struct uni_core_prstatus, rip)},
	{"RFL=", offsetof(struct uni_core_prstatus, rflags)},
	{"\nCS =", offsetof(struct uni_core_prstatus, cs)},
	{"\nSS =", offsetof(struct uni_core_prstatus, ss)},
};

/* The hexadecimal number behind `name`, between text and end. */
static bool find(const char *text, const char *end, const char *name, uint64_t *value)
{
	const char *place = strstr(text, name);

	if (!place || place >= end)
		return false;
	*value = strtoull(place + strlen(name), NULL, 16);
	return true;
}

bool uni_monitor_registers(const char *text, unsigned cpu, struct uni_core_prstatus *status,
			   uint64_t *fault_address)
{
	struct uni_core_prstatus found = *status;
	char heading[32];
	const char *end;
	uint64_t cr2;

	snprintf(heading, sizeof(heading), "CPU#%u\r\n", cpu);
	text = strstr(text, heading);
	if (!text)
		return false;
	end = strstr(text + 1, "CPU#");
	end = end ? end : text + strlen(text);
	for (unsigned i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
		if (!find(text, end, registers[i].name,
			  (uint64_t *)((char *)&found + registers[i].offset)))
			return false;
	if (!find(text, end, "CR2=", &cr2))
		return false;
	*status = found;
	*fault_address = cr2;
	return true;
}
