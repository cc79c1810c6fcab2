/* SPDX-License-Identifier: MIT */
/*
 * Declares tracepoints.
 *
 *	UNI_TRACEPOINT(sched_switch, "sched:switch", (u32, prev), (u32, next))
 *
 * in a header gives the function uni_trace_sched_switch(uint32_t prev, uint32_t next), which costs
 * one 5-byte nop at each place that calls it while the tracepoint is off. Calls may stand in any
 * context, NMI handlers included, in inlined functions and in any number of places.
 *
 * Types: u8 u16 u32 u64 s8 s16 s32 s64; x8 x16 x32 x64 for values that people read in hexadecimal;
 * str, a NUL-terminated string (NULL: empty) of which UNI_TRACE_STR_MAX - 1 bytes are kept. One to
 * eight fields.
 *
 * Exactly one source file defines what its header declares. It first provides the platform's two
 * functions (platform.h), then:
 *
 *	#define UNI_TRACEPOINT_DEFINE
 *	#include "my_tracepoints.h"
 *
 * The event's id is the index of its metadata record in the linked image, which is known when the
 * image is: at run time no table of names is there and none is needed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tracing/arch/x86_64/site.h"
#include "tracing/trace_abi.h"

#define UNI_TRACE_C_u8 uint8_t
#define UNI_TRACE_C_u16 uint16_t
#define UNI_TRACE_C_u32 uint32_t
#define UNI_TRACE_C_u64 uint64_t
#define UNI_TRACE_C_s8 int8_t
#define UNI_TRACE_C_s16 int16_t
#define UNI_TRACE_C_s32 int32_t
#define UNI_TRACE_C_s64 int64_t
#define UNI_TRACE_C_x8 uint8_t
#define UNI_TRACE_C_x16 uint16_t
#define UNI_TRACE_C_x32 uint32_t
#define UNI_TRACE_C_x64 uint64_t
#define UNI_TRACE_C_str const char *

/* Applies `m` to each field, with `sep` (a macro that gives the separator) between two. */
#define UNI_TRACE_EACH_1(m, sep, f) m f
#define UNI_TRACE_EACH_2(m, sep, f, ...) m f sep() UNI_TRACE_EACH_1(m, sep, __VA_ARGS__)
#define UNI_TRACE_EACH_3(m, sep, f, ...) m f sep() UNI_TRACE_EACH_2(m, sep, __VA_ARGS__)
#define UNI_TRACE_EACH_4(m, sep, f, ...) m f sep() UNI_TRACE_EACH_3(m, sep, __VA_ARGS__)
#define UNI_TRACE_EACH_5(m, sep, f, ...) m f sep() UNI_TRACE_EACH_4(m, sep, __VA_ARGS__)
#define UNI_TRACE_EACH_6(m, sep, f, ...) m f sep() UNI_TRACE_EACH_5(m, sep, __VA_ARGS__)
#define UNI_TRACE_EACH_7(m, sep, f, ...) m f sep() UNI_TRACE_EACH_6(m, sep, __VA_ARGS__)
#define UNI_TRACE_EACH_8(m, sep, f, ...) m f sep() UNI_TRACE_EACH_7(m, sep, __VA_ARGS__)
#define UNI_TRACE_EACH_SELECT(_1, _2, _3, _4, _5, _6, _7, _8, n, ...) UNI_TRACE_EACH_##n
#define UNI_TRACE_EACH(m, sep, ...) \
	UNI_TRACE_EACH_SELECT(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, )(m, sep, __VA_ARGS__)

#define UNI_TRACE_SEP_COMMA() ,
#define UNI_TRACE_SEP_TEXT() ","
#define UNI_TRACE_SEP_NONE()
#define UNI_TRACE_PARAMETER(type, name) UNI_TRACE_C_##type name
#define UNI_TRACE_ARGUMENT(type, name) name
#define UNI_TRACE_FIELD_TEXT(type, name) #type " " #name

/* `attribute` keeps the path of tracepoints that are on away from the code around them. */
#define UNI_TRACEPOINT_DECLARE(attribute, symbol, ...)                                         \
	extern const struct uni_trace_meta uni_trace_meta_##symbol;                            \
	attribute void uni_trace_emit_##symbol(                                                \
		UNI_TRACE_EACH(UNI_TRACE_PARAMETER, UNI_TRACE_SEP_COMMA, __VA_ARGS__));        \
	static inline __attribute__((always_inline, unused)) void uni_trace_##symbol(          \
		UNI_TRACE_EACH(UNI_TRACE_PARAMETER, UNI_TRACE_SEP_COMMA, __VA_ARGS__))         \
	{                                                                                      \
		UNI_TRACE_SITE(uni_trace_meta_##symbol);                                       \
		return;                                                                        \
	on:                                                                                    \
		uni_trace_emit_##symbol(                                                       \
			UNI_TRACE_EACH(UNI_TRACE_ARGUMENT, UNI_TRACE_SEP_COMMA, __VA_ARGS__)); \
	}

#ifdef UNI_TRACEPOINT_DEFINE
#include "tracing/tracepoint_define.h"
#else
#define UNI_TRACEPOINT(symbol, event_name, ...) \
	UNI_TRACEPOINT_DECLARE(__attribute__((cold)), symbol, __VA_ARGS__)
#endif
