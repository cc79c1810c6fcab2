/* SPDX-License-Identifier: MIT */

/* int3, what stands in its place, and what DR0 to DR3 can watch: Intel SDM vol. 3, 17.2. */

#include "gdbstub/arch.h"
#include "gdbstub/arch/x86_64/instruction.h"

#define CALL 0xe8

const uint8_t *uni_gdb_arch_breakpoint(uint64_t kind, size_t *len)
{
	static const uint8_t int3[] = {0xcc};

	if (kind != 1)
		return NULL;
	*len = sizeof(int3);
	return int3;
}

bool uni_gdb_arch_call(uint64_t from, uint64_t to, uint8_t code[UNI_GDB_CALL_LEN])
{
	_Static_assert(UNI_GDB_CALL_LEN == UNI_GDB_X86_BRANCH_LEN, "arch.h");
	return uni_gdb_x86_put_branch(code, CALL, from, to);
}

unsigned uni_gdb_arch_watch_split(enum uni_gdb_watch_kind kind, uint64_t address, uint64_t len,
				  struct uni_gdb_watch pieces[UNI_GDB_WATCH_SLOTS])
{
	unsigned count = 0;

	/* An execution breakpoint has length 1 and stands on the instruction's first byte. */
	if (kind == UNI_GDB_WATCH_EXECUTE)
		len = 1;
	while (len) {
		uint8_t size = 8;

		while (size > len || address % size)
			size /= 2;
		if (count == UNI_GDB_WATCH_SLOTS)
			return 0;
		pieces[count++] = (struct uni_gdb_watch){kind, size, address};
		address += size;
		len -= size;
	}
	return count;
}
