/* SPDX-License-Identifier: MIT */

#include "kernel/text.h"

#include "kernel/arch/x86_64/fault.h"
#include "kernel/arch/x86_64/io.h"
#include "kernel/cpu.h"
#include "kernel/image.h"
#include "kernel/irq.h"
#include "tracing/errno.h"

/* SDM vol. 3, 8.3: cpuid serializes on every processor. */
static void serialize(void *argument)
{
	cpuid(0, 0);
}

int text_write(void *address, const void *bytes, size_t len)
{
	uint64_t flags = irq_save();
	uint64_t cr0 = cr0_read();
	size_t left;

	cr0_write(cr0 & ~CR0_WP);
	left = memory_write_nofault(address, bytes, len);
	cr0_write(cr0);
	serialize(NULL);
	irq_restore(flags);
	return left == 0 ? 0 : -UNI_EFAULT;
}

void text_sync_all(void)
{
	serialize(NULL);
	irq_call_others(serialize, NULL);
}

bool text_contains(uintptr_t address, size_t len)
{
	return address >= (uintptr_t)kernel_text_start && address < (uintptr_t)kernel_text_end &&
	       len <= (uintptr_t)kernel_text_end - address;
}
