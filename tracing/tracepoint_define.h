/* SPDX-License-Identifier: MIT */
#pragma once

/* The half of tracepoint.h for the one file that defines tracepoints: metadata, and the function
 * that records. Included by tracepoint.h only. */

#include "tracing/ring.h"
#include "tracing/trace_abi.h"

extern const struct uni_trace_meta __start_uni_trace_meta[];

#define UNI_TRACE_KIND_u8 INT
#define UNI_TRACE_KIND_u16 INT
#define UNI_TRACE_KIND_u32 INT
#define UNI_TRACE_KIND_u64 INT
#define UNI_TRACE_KIND_s8 INT
#define UNI_TRACE_KIND_s16 INT
#define UNI_TRACE_KIND_s32 INT
#define UNI_TRACE_KIND_s64 INT
#define UNI_TRACE_KIND_x8 INT
#define UNI_TRACE_KIND_x16 INT
#define UNI_TRACE_KIND_x32 INT
#define UNI_TRACE_KIND_x64 INT
#define UNI_TRACE_KIND_str STR

#define UNI_TRACE_PASTE(a, b) a##b
#define UNI_TRACE_BY_KIND(prefix, kind) UNI_TRACE_PASTE(prefix, kind)
#define UNI_TRACE_SEP_PLUS() +

/* Bytes of a field: exactly, and at most. */
#define UNI_TRACE_SIZE(type, name) UNI_TRACE_BY_KIND(UNI_TRACE_SIZE_, UNI_TRACE_KIND_##type)(name)
#define UNI_TRACE_SIZE_INT(name) sizeof(name)
#define UNI_TRACE_SIZE_STR(name) (name##_len + 1)
#define UNI_TRACE_BOUND(type, name) UNI_TRACE_BY_KIND(UNI_TRACE_BOUND_, UNI_TRACE_KIND_##type)(type)
#define UNI_TRACE_BOUND_INT(type) sizeof(UNI_TRACE_C_##type)
#define UNI_TRACE_BOUND_STR(type) UNI_TRACE_STR_MAX

#define UNI_TRACE_MEASURE(type, name) \
	UNI_TRACE_BY_KIND(UNI_TRACE_MEASURE_, UNI_TRACE_KIND_##type)(name)
#define UNI_TRACE_MEASURE_INT(name)
#define UNI_TRACE_MEASURE_STR(name) const size_t name##_len = uni_trace_str_len(name);

#define UNI_TRACE_STORE(type, name) UNI_TRACE_BY_KIND(UNI_TRACE_STORE_, UNI_TRACE_KIND_##type)(name)
#define UNI_TRACE_STORE_INT(name)                        \
	__builtin_memcpy(uni_at, &(name), sizeof(name)); \
	uni_at += sizeof(name);
#define UNI_TRACE_STORE_STR(name) uni_at = uni_trace_str_store(uni_at, name, name##_len);

static inline __attribute__((unused)) size_t uni_trace_str_len(const char *text)
{
	size_t len = 0;

	while (text && len < UNI_TRACE_STR_MAX - 1 && text[len])
		len++;
	return len;
}

/* Of the length that was measured, even if the text changed since. */
static inline __attribute__((unused)) uint8_t *uni_trace_str_store(uint8_t *at, const char *text,
								   size_t len)
{
	for (size_t i = 0; i < len; i++)
		*at++ = (uint8_t)text[i];
	*at++ = 0;
	return at;
}

#define UNI_TRACEPOINT(symbol, event_name, ...)                                                   \
	UNI_TRACEPOINT_DECLARE(, symbol, __VA_ARGS__)                                             \
	_Static_assert(sizeof(uint64_t) + UNI_TRACE_EACH(UNI_TRACE_BOUND, UNI_TRACE_SEP_PLUS,     \
							 __VA_ARGS__) <=                          \
			       UNI_TRACE_EVENT_SIZE_MAX,                                          \
		       event_name " has too many fields");                                        \
	const struct uni_trace_meta uni_trace_meta_##symbol __attribute__((                       \
		section(UNI_TRACE_META_SECTION), aligned(32), used)) = {                          \
		.name = event_name,                                                               \
		.fields = UNI_TRACE_EACH(UNI_TRACE_FIELD_TEXT, UNI_TRACE_SEP_TEXT, __VA_ARGS__)}; \
	void uni_trace_emit_##symbol(                                                             \
		UNI_TRACE_EACH(UNI_TRACE_PARAMETER, UNI_TRACE_SEP_COMMA, __VA_ARGS__))            \
	{                                                                                         \
		UNI_TRACE_EACH(UNI_TRACE_MEASURE, UNI_TRACE_SEP_NONE, __VA_ARGS__)                \
		const size_t uni_size =                                                           \
			sizeof(uint64_t) +                                                        \
			UNI_TRACE_EACH(UNI_TRACE_SIZE, UNI_TRACE_SEP_PLUS, __VA_ARGS__);          \
		const size_t uni_padded = (uni_size + 7) & ~(size_t)7;                            \
		const uint32_t uni_id = (uint32_t)(((uintptr_t)&uni_trace_meta_##symbol -         \
						    (uintptr_t)__start_uni_trace_meta) /          \
						   sizeof(struct uni_trace_meta));                \
		struct uni_ring *uni_ring = uni_platform_pin();                                   \
		struct uni_ring_entry uni_entry;                                                  \
                                                                                                  \
		if (uni_ring && uni_ring_reserve(uni_ring, uni_size, uni_id, &uni_entry)) {       \
			uint8_t *uni_at = uni_entry.fields;                                       \
                                                                                                  \
			if (uni_padded != uni_size)                                               \
				__builtin_memset(uni_at + uni_padded - 16, 0, 8);                 \
			UNI_TRACE_EACH(UNI_TRACE_STORE, UNI_TRACE_SEP_NONE, __VA_ARGS__)          \
			(void)uni_at;                                                             \
			uni_ring_commit(&uni_entry);                                              \
		}                                                                                 \
		uni_platform_unpin();                                                             \
	}
