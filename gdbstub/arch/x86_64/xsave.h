/* SPDX-License-Identifier: MIT */
#pragma once

/* The area of XSAVE in its standard form (Intel SDM vol. 1, 13.4) as Intel's processors lay it out,
 * which is what cores of Linux and gdb 13 take for granted (gdbsupport/x86-xstate.h). Where a
 * processor puts a component elsewhere, as AMD's do, the platform moves it. */

#define UNI_XSAVE_LEGACY_SIZE 512 /* what FXSAVE has: 10.5.1 */
#define UNI_XSAVE_BV 512  /* XSTATE_BV: the components that are not in their initial state */
#define UNI_XSAVE_AVX 576 /* ymm0-15, upper halves */
#define UNI_XSAVE_AVX_END 832
#define UNI_XSAVE_OPMASK 1088	 /* k0-7 */
#define UNI_XSAVE_ZMM_HI256 1152 /* zmm0-15, upper halves */
#define UNI_XSAVE_HI16_ZMM 1664	 /* zmm16-31 */
#define UNI_XSAVE_PKRU 2688
#define UNI_XSAVE_SIZE 2696

/* Bits of XCR0: 13.3. */
#define UNI_XCR0_X87 0x001u
#define UNI_XCR0_SSE 0x002u
#define UNI_XCR0_AVX 0x004u
#define UNI_XCR0_OPMASK 0x020u
#define UNI_XCR0_ZMM_HI256 0x040u
#define UNI_XCR0_HI16_ZMM 0x080u
#define UNI_XCR0_PKRU 0x200u
#define UNI_XCR0_AVX512 (UNI_XCR0_OPMASK | UNI_XCR0_ZMM_HI256 | UNI_XCR0_HI16_ZMM)
