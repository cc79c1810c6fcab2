/* SPDX-License-Identifier: MIT */

/* Threads that keep known numbers in their x87, SSE and AVX registers, on a CPU and off, for tests
 * of what a debugger and a dump show: thread n has 10 * n + i in both halves of xmm<i>, 100 * n + i
 * in those of the upper half of ymm<i>, and n + 0.5 on top of the x87 stack. With `panic` it dies
 * of a panic when all have. */

#include <stdint.h>

#include "gdbstub/arch/x86_64/xsave.h"
#include "kernel/app.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/clock.h"
#include "kernel/cmdline.h"
#include "kernel/cpu.h"
#include "kernel/panic.h"
#include "kernel/thread.h"

const char app_name[] = "fpu";

#define REGISTER_COUNT 16
#define THREAD_COUNT 5

/* Threads that have loaded theirs. */
static volatile uint32_t filled;

struct numbers {
	uint64_t registers[REGISTER_COUNT][4];
	double top;
};

static void fill(struct numbers *numbers, unsigned n)
{
	for (unsigned i = 0; i < REGISTER_COUNT; i++) {
		numbers->registers[i][0] = numbers->registers[i][1] = 10 * n + i;
		numbers->registers[i][2] = numbers->registers[i][3] = 100 * n + i;
	}
	numbers->top = n + 0.5;
}

static bool has_avx(void)
{
	return fpu_components & UNI_XCR0_AVX;
}

#define LOAD_EACH(instruction, name)                                                   \
	".irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t" instruction \
	" 32 * \\i(%0), %%" name "\\i\n\t"                                             \
	".endr\n\t"

#define LOAD_AVX LOAD_EACH("vmovdqu", "ymm")
#define LOAD_SSE LOAD_EACH("movdqu", "xmm")

/* The numbers are at %0; %1 tells whether there is AVX. */
#define LOAD_NUMBERS                                                     \
	"testb %1, %1\n\tjz 1f\n\t" LOAD_AVX "jmp 2f\n\t1:\n\t" LOAD_SSE \
	"2: fldl 512(%0)\n\tlock incl %2\n\t"

static int spin(void *argument)
{
	struct numbers numbers;

	fill(&numbers, *(unsigned *)argument);
	__asm__ volatile(LOAD_NUMBERS "3: pause\n\t"
				      "jmp 3b" ::"r"(&numbers),
			 "q"(has_avx()), "m"(filled)
			 : "memory");
	__builtin_unreachable();
}

static int sleep(void *argument)
{
	struct numbers numbers;

	fill(&numbers, *(unsigned *)argument);
	__asm__ volatile(LOAD_NUMBERS "3: movq %3, %%rdi\n\t"
				      "call thread_sleep_ns\n\t"
				      "jmp 3b" ::"b"(&numbers),
			 "q"(has_avx()), "m"(filled), "i"(100 * NS_PER_MS)
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

/* gdb 13 passes no vector in ymm registers, nor takes one from there: amd64_classify_aggregate().
 */
typedef double quad __attribute__((vector_size(32)));
__attribute__((noipa, target("avx"))) double fpu_sum(const double values[4]);

double fpu_sum(const double values[4])
{
	quad twice = {values[0], values[1], values[2], values[3]};

	twice += twice;
	return (twice[0] + twice[1] + twice[2] + twice[3]) / 2;
}

const double fpu_quad[4] = {1, 20, 300, 4000};

int app_main(void)
{
	static unsigned ids[THREAD_COUNT] = {1, 2, 3, 4, 5};
	static const char *const names[] = {"spinner-1", "spinner-2", "turner-3", "turner-4",
					    "sleeper-5"};
	volatile double keep = fpu_scale(1, 1) + (double)fpu_third(3);

	(void)keep;
	if (has_avx())
		keep = fpu_sum(fpu_quad);
	for (unsigned i = 0; i < THREAD_COUNT; i++) {
		struct thread_options options = {
			.name = names[i],
			.pinned = i < 4,
			.cpu = i == 1 ? cpu_count() - 1 : 0,
			.priority = i == 1 ? THREAD_PRIORITY_HIGH : 0,
		};

		/* Two take turns on CPU 0 with the first one, the second keeps its own. */
		KASSERT(thread_create(&options, i < 4 ? spin : sleep, &ids[i]) != NULL);
	}
	while (filled < THREAD_COUNT)
		thread_sleep_ns(10 * NS_PER_MS);
	if (cmdline_has("panic"))
		panic("asked to");
	thread_sleep_ns(3600 * NS_PER_S);
	return 0;
}
