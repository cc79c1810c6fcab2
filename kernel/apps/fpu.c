/* SPDX-License-Identifier: MIT */

/* Threads that keep known numbers in their x87 and SSE registers, on a CPU and off, for tests of
 * what a debugger and a dump show: thread n has 10 * n + i in both halves of xmm<i> and n + 0.5 on
 * top of the x87 stack. With `panic` it dies of a panic after a while. */

#include <stdint.h>

#include "kernel/app.h"
#include "kernel/clock.h"
#include "kernel/cmdline.h"
#include "kernel/cpu.h"
#include "kernel/panic.h"
#include "kernel/thread.h"

const char app_name[] = "fpu";

#define XMM_COUNT 16

struct numbers {
	uint64_t xmm[XMM_COUNT][2];
	double top;
};

static void fill(struct numbers *numbers, unsigned n)
{
	for (unsigned i = 0; i < XMM_COUNT; i++)
		numbers->xmm[i][0] = numbers->xmm[i][1] = 10 * n + i;
	numbers->top = n + 0.5;
}

#define LOAD_NUMBERS                  \
	"movdqu 0(%0), %%xmm0\n\t"    \
	"movdqu 16(%0), %%xmm1\n\t"   \
	"movdqu 32(%0), %%xmm2\n\t"   \
	"movdqu 48(%0), %%xmm3\n\t"   \
	"movdqu 64(%0), %%xmm4\n\t"   \
	"movdqu 80(%0), %%xmm5\n\t"   \
	"movdqu 96(%0), %%xmm6\n\t"   \
	"movdqu 112(%0), %%xmm7\n\t"  \
	"movdqu 128(%0), %%xmm8\n\t"  \
	"movdqu 144(%0), %%xmm9\n\t"  \
	"movdqu 160(%0), %%xmm10\n\t" \
	"movdqu 176(%0), %%xmm11\n\t" \
	"movdqu 192(%0), %%xmm12\n\t" \
	"movdqu 208(%0), %%xmm13\n\t" \
	"movdqu 224(%0), %%xmm14\n\t" \
	"movdqu 240(%0), %%xmm15\n\t" \
	"fldl 256(%0)\n\t"

static int spin(void *argument)
{
	struct numbers numbers;

	fill(&numbers, *(unsigned *)argument);
	__asm__ volatile(LOAD_NUMBERS "1: pause\n\t"
				      "jmp 1b" ::"r"(&numbers)
			 : "memory");
	__builtin_unreachable();
}

static int sleep(void *argument)
{
	struct numbers numbers;

	fill(&numbers, *(unsigned *)argument);
	__asm__ volatile(LOAD_NUMBERS "1: movq %1, %%rdi\n\t"
				      "call thread_sleep_ns\n\t"
				      "jmp 1b" ::"b"(&numbers),
			 "i"(100 * NS_PER_MS)
			 : "memory");
	__builtin_unreachable();
}

/* For a debugger to call. */
__attribute__((noipa)) double fpu_scale(double value, float by);
__attribute__((noipa)) long double fpu_third(long double value);

double fpu_scale(double value, float by)
{
	return value * (double)by;
}

long double fpu_third(long double value)
{
	return value / 3;
}

int app_main(void)
{
	static unsigned ids[] = {1, 2, 3, 4, 5};
	static const char *const names[] = {"spinner-1", "spinner-2", "turner-3", "turner-4",
					    "sleeper-5"};
	volatile double keep = fpu_scale(1, 1) + (double)fpu_third(3);

	(void)keep;
	for (unsigned i = 0; i < 5; i++) {
		struct thread_options options = {
			.name = names[i],
			.pinned = i < 4,
			.cpu = i == 1 ? cpu_count() - 1 : 0,
			.priority = i == 1 ? THREAD_PRIORITY_HIGH : 0,
		};

		/* Two take turns on CPU 0 with the first one, the second keeps its own. */
		KASSERT(thread_create(&options, i < 4 ? spin : sleep, &ids[i]) != NULL);
	}
	thread_sleep_ns(300 * NS_PER_MS);
	if (cmdline_has("panic"))
		panic("asked to");
	thread_sleep_ns(3600 * NS_PER_S);
	return 0;
}
