/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/trace_packet.h"

#include "host-tools/lib/cursor.h"
#include "tracing/errno.h"

int uni_trace_packet_read(const void *data, size_t len, struct uni_trace_packet *header)
{
	struct uni_cursor cursor;
	uint64_t content, whole;

	uni_cursor_init(&cursor, data, len, "trace packet");
	uni_cursor_struct(&cursor, sizeof(*header), header, sizeof(*header));
	if (uni_cursor_failed(&cursor) || header->magic != UNI_TRACE_MAGIC ||
	    header->version != UNI_TRACE_VERSION || header->stream_id != 0)
		return -UNI_EINVAL;
	content = header->content_size / 8;
	whole = header->packet_size / 8;
	if (header->content_size % 8 != 0 || header->packet_size % 64 != 0 ||
	    whole > UNI_TRACE_PACKET_SIZE_MAX || content > whole || content < sizeof(*header) ||
	    header->timestamp_end < header->timestamp_begin ||
	    header->event_count > (content - sizeof(*header)) / UNI_TRACE_ALIGN)
		return -UNI_EINVAL;
	return 0;
}
