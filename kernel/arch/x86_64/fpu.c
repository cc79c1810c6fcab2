/* SPDX-License-Identifier: MIT */

#include "kernel/arch/x86_64/fpu.h"

#include <stdbool.h>
#include <string.h>

#include "gdbstub/arch/x86_64/xsave.h"
#include "kernel/arch/x86_64/io.h"

/* Intel SDM vol. 2, CPUID, and vol. 3, 2.5. */
#define CPUID_1_ECX_XSAVE (1u << 26)
#define CPUID_XSAVE 0xd
#define CR4_OSXSAVE (1ul << 18)

/* SDM vol. 1, table 10-2 */
#define FXSAVE_FCW 0
#define FXSAVE_MXCSR 24
#define FXSAVE_MXCSR_MASK 28
#define FXSAVE_XMM 160
#define FCW_RESET 0x037f /* all exceptions masked, 64-bit precision */
#define MXCSR_RESET 0x1f80
#define MXCSR_MASK_DEFAULT 0xffbf /* where the field is 0: 11.6.6 */

#define HEADER_SIZE 64
#define AREA_ALIGN 64ul

/* Components with a place of their own. Protection keys are not among them: they are about pages of
 * user mode, and there is none. */
#define EXTENDED_COUNT 4
static const struct {
	uint8_t number;
	uint16_t at; /* in the layout of xsave.h */
	uint16_t len;
} extended[EXTENDED_COUNT] = {
	{2, UNI_XSAVE_AVX, 256},
	{5, UNI_XSAVE_OPMASK, 64},
	{6, UNI_XSAVE_ZMM_HI256, 512},
	{7, UNI_XSAVE_HI16_ZMM, 1024},
};

uint32_t fpu_components;

static uint32_t offsets[EXTENDED_COUNT]; /* in an area */
static size_t area_size = UNI_XSAVE_LEGACY_SIZE;

static bool is_kept(unsigned i)
{
	return fpu_components >> extended[i].number & 1;
}

/* AVX-512 is all of it or none, and needs AVX: 13.3. */
static uint32_t choose_components(uint32_t there)
{
	uint32_t chosen = UNI_XCR0_X87 | UNI_XCR0_SSE;

	if (!(there & UNI_XCR0_AVX))
		return chosen;
	chosen |= UNI_XCR0_AVX;
	if ((there & UNI_XCR0_AVX512) == UNI_XCR0_AVX512)
		chosen |= UNI_XCR0_AVX512;
	return chosen;
}

static void lay_out(void)
{
	area_size = UNI_XSAVE_LEGACY_SIZE + HEADER_SIZE;
	for (unsigned i = 0; i < EXTENDED_COUNT; i++) {
		if (!is_kept(i))
			continue;
		offsets[i] = cpuid(CPUID_XSAVE, extended[i].number).ebx;
		if (area_size < offsets[i] + extended[i].len)
			area_size = offsets[i] + extended[i].len;
	}
}

void fpu_init_cpu(void)
{
	if (!(cpuid(1, 0).ecx & CPUID_1_ECX_XSAVE))
		return;
	if (fpu_components == 0) {
		fpu_components = choose_components(cpuid(CPUID_XSAVE, 0).eax);
		lay_out();
	}
	cr4_write(cr4_read() | CR4_OSXSAVE);
	__asm__ volatile("xsetbv" ::"c"(0), "a"(fpu_components), "d"(0));
}

size_t fpu_room_size(void)
{
	return area_size + AREA_ALIGN - 1;
}

void *fpu_area_init(void *room)
{
	uint8_t *area = (uint8_t *)(((uintptr_t)room + AREA_ALIGN - 1) & ~(AREA_ALIGN - 1));

	memset(area, 0, area_size);
	*(uint16_t *)(area + FXSAVE_FCW) = FCW_RESET;
	*(uint32_t *)(area + FXSAVE_MXCSR) = MXCSR_RESET;
	if (fpu_components != 0)
		*(uint64_t *)(area + UNI_XSAVE_BV) = UNI_XCR0_X87 | UNI_XCR0_SSE;
	return area;
}

/* By words: a call of memcpy() may meet a breakpoint while the guest runs. Returns their union. */
static uint64_t copy(void *to, const void *from, size_t len)
{
	uint64_t bits = 0;

#pragma GCC unroll 4
	for (size_t i = 0; i < len / sizeof(bits); i++) {
		uint64_t word = ((const uint64_t *)from)[i];

		((volatile uint64_t *)to)[i] = word;
		bits |= word;
	}
	return bits;
}

void fpu_get(uint8_t *to, const void *area)
{
	const uint8_t *from = area;

	copy(to, from, UNI_XSAVE_LEGACY_SIZE);
	*(uint64_t *)(to + UNI_XSAVE_BV) = fpu_components;
	for (unsigned i = 0; i < EXTENDED_COUNT; i++)
		if (is_kept(i))
			copy(to + extended[i].at, from + offsets[i], extended[i].len);
}

#define EACH_OF_16(X) \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define STORE_XMM(n) __asm__ volatile("movups %%xmm" #n ", %0" : "=m"(to[n]));
#define STORE_YMM_HIGH(n) __asm__ volatile("vextractf128 $1, %%ymm" #n ", %0" : "=m"(to[n]));

static void store_xmm(uint8_t (*to)[16])
{
	EACH_OF_16(STORE_XMM)
}

static void store_ymm_high(uint8_t (*to)[16])
{
	EACH_OF_16(STORE_YMM_HIGH)
}

/* An emulator takes long to save what it can store at once. */
void fpu_peek(uint8_t *to, void *area)
{
	if ((fpu_components & ~(UNI_XCR0_X87 | UNI_XCR0_SSE)) != UNI_XCR0_AVX) {
		fpu_save(area);
		fpu_get(to, area);
		return;
	}
	__asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(UNI_XCR0_X87), "d"(0) : "memory");
	copy(to, area, FXSAVE_XMM);
	__asm__ volatile("stmxcsr %0" : "=m"(*(uint32_t *)(to + FXSAVE_MXCSR)));
	store_xmm((uint8_t(*)[16])(to + FXSAVE_XMM));
	store_ymm_high((uint8_t(*)[16])(to + UNI_XSAVE_AVX));
	*(uint64_t *)(to + UNI_XSAVE_BV) = fpu_components;
}

/* Bits that are reserved in MXCSR are a fault when it is loaded. */
static void tame_mxcsr(uint8_t *area)
{
	uint32_t mask = *(const uint32_t *)(area + FXSAVE_MXCSR_MASK);

	*(uint32_t *)(area + FXSAVE_MXCSR) &= mask != 0 ? mask : MXCSR_MASK_DEFAULT;
}

/* A component of zeroes is in its initial state, and costs the processor less when it is told. */
void fpu_set(void *area, const uint8_t *from)
{
	uint64_t used = UNI_XCR0_X87 | UNI_XCR0_SSE;
	uint8_t *to = area;

	copy(to, from, UNI_XSAVE_LEGACY_SIZE);
	tame_mxcsr(to);
	if (fpu_components == 0)
		return;
	for (unsigned i = 0; i < EXTENDED_COUNT; i++)
		if (is_kept(i) &&
		    copy(to + offsets[i], from + extended[i].at, extended[i].len) != 0)
			used |= 1ul << extended[i].number;
	*(uint64_t *)(to + UNI_XSAVE_BV) = used;
}
