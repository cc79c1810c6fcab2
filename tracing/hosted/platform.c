/* SPDX-License-Identifier: MIT */

#include "tracing/hosted/platform.h"

#include <linux/membarrier.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tracing/errno.h"

_Thread_local struct uni_ring *uni_hosted_ring;

static int write_text(void *address, const void *bytes, size_t len)
{
	uintptr_t page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = (uintptr_t)address & ~(page_size - 1);
	uintptr_t end = ((uintptr_t)address + len + page_size - 1) & ~(page_size - 1);

	if (mprotect((void *)start, end - start, PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
		return -UNI_EFAULT;
	memcpy(address, bytes, len);
	return mprotect((void *)start, end - start, PROT_READ | PROT_EXEC) == 0 ? 0 : -UNI_EFAULT;
}

/* Each running thread of the process executes a serializing instruction. A thread inside its
 * handler of SIGTRAP may still be there: it then finds the site whole, and executes it again. */
static void sync_threads(void)
{
	static int registered;

	if (!__atomic_exchange_n(&registered, 1, __ATOMIC_RELAXED))
		syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
	syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
}

const struct uni_text_ops uni_hosted_text = {.write = write_text, .sync = sync_threads};
