/* SPDX-License-Identifier: MIT */
/*
 * The trace format: what a sub-buffer of the ring holds and what tracepoints leave in the ELF file.
 *
 * A sub-buffer is one CTF 1.8 packet (diamon.org/ctf/v1.8.3): packet header and context as struct
 * uni_trace_packet, then events, each an 8-byte aligned struct: header word, then its fields
 * without padding. Every integer is little-endian. The offset tables and the reader's algorithm are
 * in docs/formats/trace.md.
 *
 * What readers of CTF show with each event is the packet's context, and of a packet's header they
 * want only what CTF knows. So the context has what CTF gives a meaning, and the CPU; what is ours
 * lies between the two.
 *
 * UNI_TRACE_VERSION rises when a field changes its meaning or place. A field that is added takes
 * reserved bytes, and is one for which 0 says that the guest does not have it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define UNI_TRACE_VERSION 1
#define UNI_TRACE_MAGIC 0xC1FC1FC1u

/* Event header: bits 0..11 are the event id, bits 12..63 the low 52 bits of the TSC. */
#define UNI_TRACE_ID_BITS 12
#define UNI_TRACE_EVENTS_MAX (1u << UNI_TRACE_ID_BITS)
#define UNI_TRACE_ALIGN 8

/* The largest event, header and padding included. */
#define UNI_TRACE_EVENT_SIZE_MAX 1024

/* The bytes of a string that an event keeps, its NUL included. */
#define UNI_TRACE_STR_MAX 64

/* Sub-buffers are a power of two within these bounds (bytes). */
#define UNI_TRACE_PACKET_SIZE_MIN 4096
#define UNI_TRACE_PACKET_SIZE_MAX (1u << 20)

struct uni_trace_packet {
	uint32_t magic;		 /* UNI_TRACE_MAGIC; CTF's packet.header begins here */
	uint8_t uuid[16];	 /* the boot id, which is the trace's UUID in the metadata */
	uint32_t stream_id;	 /* 0 */
	uint32_t version;	 /* UNI_TRACE_VERSION; not in the metadata from here... */
	uint32_t event_count;	 /* events in this packet */
	uint64_t events_emitted; /* per CPU and session, recorded or dropped, to the packet's end */
	uint64_t reserved[3];	 /* 0; ...to here */

	uint64_t timestamp_begin;  /* TSC; CTF's packet.context begins here */
	uint64_t timestamp_end;	   /* TSC when it was closed; no event is later */
	uint64_t content_size;	   /* bits, this structure included, to the last event's end */
	uint64_t packet_size;	   /* bits; content_size rounded up to a multiple of 64 */
	uint64_t packet_seq_num;   /* per CPU and session, from 0, no gaps when written */
	uint64_t events_discarded; /* per CPU and session, dropped before the end of this packet */
	uint32_t cpu_id;
	uint32_t padding; /* 0 */
};

/* The metadata skips what is only ours by aligning the packet.context to this. */
#define UNI_TRACE_CONTEXT_ALIGN 64

_Static_assert(offsetof(struct uni_trace_packet, stream_id) == 20, "trace packet layout");
_Static_assert(offsetof(struct uni_trace_packet, version) == 24, "trace packet layout");
_Static_assert(offsetof(struct uni_trace_packet, event_count) == 28, "trace packet layout");
_Static_assert(offsetof(struct uni_trace_packet, events_emitted) == 32, "trace packet layout");
_Static_assert(offsetof(struct uni_trace_packet, timestamp_begin) == UNI_TRACE_CONTEXT_ALIGN,
	       "trace packet layout");
_Static_assert(offsetof(struct uni_trace_packet, content_size) == 80, "trace packet layout");
_Static_assert(offsetof(struct uni_trace_packet, packet_seq_num) == 96, "trace packet layout");
_Static_assert(offsetof(struct uni_trace_packet, cpu_id) == 112, "trace packet layout");
_Static_assert(sizeof(struct uni_trace_packet) == 120, "trace packet layout");

/*
 * One record a tracepoint in the section UNI_TRACE_META_SECTION, which is not loaded: the host
 * reads it from the ELF file. An event's id is the index of its record. `name` is "group:event";
 * `fields` is "type name[,type name...]" in the order of the bytes of the event, with the types u8
 * u16 u32 u64 s8 s16 s32 s64, x8 x16 x32 x64 (shown in hexadecimal), and `str` (NUL-terminated
 * bytes). Both are NUL-terminated and padded with NULs.
 */
#define UNI_TRACE_META_SECTION "uni_trace_meta"

struct uni_trace_meta {
	char name[64];
	char fields[192];
};

_Static_assert(sizeof(struct uni_trace_meta) == 256, "trace metadata layout");

/*
 * One record a place in the code where a tracepoint stands, in the loaded section
 * UNI_TRACE_SITES_SECTION. `address` holds a 5-byte nop while the tracepoint is off and a jump to
 * `target` while it is on.
 */
#define UNI_TRACE_SITES_SECTION "uni_trace_sites"

struct uni_trace_site {
	uint64_t address;
	uint64_t target;
	uint32_t event_id;
	uint32_t reserved; /* 0 */
};

_Static_assert(sizeof(struct uni_trace_site) == 24, "trace site layout");
