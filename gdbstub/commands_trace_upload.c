/* SPDX-License-Identifier: MIT */

/* What a gdb that comes later wants to know of the tracepoints that are there: qTfP, qTsP, qTP, and
 * the words in which their user wrote them, which gdb leaves here with QTDPsrc and asks back. GDB
 * manual, "Tracepoint Packets". */

#include "gdbstub/trace_internal.h"
#include "tracing/errno.h"

/* Before each piece in sources[]; numbers lie low byte first. */
enum {
	SOURCE_TRACEPOINT = 0, /* u16, index */
	SOURCE_TYPE = 2,       /* u8 */
	SOURCE_START = 3,      /* u16 */
	SOURCE_TOTAL = 5,      /* u16 */
	SOURCE_LEN = 7,	       /* u16 */
	SOURCE_HEAD = 9,
};

static const char *const types[] = {"at", "cond", "cmd"};

#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

static void put_short(uint8_t *to, uint64_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

static unsigned short_at(const uint8_t *from)
{
	return from[0] | (unsigned)from[1] << 8;
}

static bool take_type(struct uni_gdb_cursor *args, uint8_t *type)
{
	for (unsigned i = 0; i < TYPE_COUNT; i++) {
		if (!uni_gdb_take_text(args, types[i]))
			continue;
		*type = (uint8_t)i;
		return true;
	}
	return false;
}

/* QTDPsrc:number:address:type:start:length of all:bytes */
static bool take_source(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_trace *trace = &stub->trace;
	uint8_t *to = trace->sources + trace->sources_len;
	const struct uni_gdb_tracepoint *tracepoint;
	uint64_t number, address, start, total;
	uint8_t type;
	size_t len;

	if (!uni_gdb_take_tracepoint(args, &number, &address) || !uni_gdb_take(args, ':') ||
	    !take_type(args, &type) || !uni_gdb_take(args, ':') ||
	    !uni_gdb_take_hex(args, &start) || !uni_gdb_take(args, ':') ||
	    !uni_gdb_take_hex(args, &total) || !uni_gdb_take(args, ':') || start > UINT16_MAX ||
	    total > UINT16_MAX || uni_gdb_left(args) % 2)
		return false;
	len = uni_gdb_left(args) / 2;
	tracepoint = uni_gdb_tracepoint_find(stub, number, address);
	if (!tracepoint || len > UINT16_MAX ||
	    SOURCE_HEAD + len > sizeof(trace->sources) - trace->sources_len ||
	    !uni_gdb_take_hex_bytes(args, to + SOURCE_HEAD, len))
		return false;
	put_short(to + SOURCE_TRACEPOINT, (uint64_t)(tracepoint - trace->tracepoints));
	to[SOURCE_TYPE] = type;
	put_short(to + SOURCE_START, start);
	put_short(to + SOURCE_TOTAL, total);
	put_short(to + SOURCE_LEN, len);
	trace->sources_len += (uint32_t)(SOURCE_HEAD + len);
	return true;
}

void uni_gdb_cmd_tracepoint_source(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	if (take_source(stub, args))
		uni_gdb_ok(stub);
	else
		uni_gdb_error(stub, UNI_EINVAL);
}

static void put_place(struct uni_gdb_text *reply, char kind,
		      const struct uni_gdb_tracepoint *tracepoint)
{
	uni_gdb_put_char(reply, kind);
	uni_gdb_put_hex(reply, tracepoint->number);
	uni_gdb_put_char(reply, ':');
	uni_gdb_put_hex(reply, tracepoint->address);
	uni_gdb_put_char(reply, ':');
}

static void put_definition(struct uni_gdb_text *reply, const struct uni_gdb_tracepoint *tracepoint)
{
	put_place(reply, 'T', tracepoint);
	uni_gdb_put(reply, tracepoint->enabled ? "E:" : "D:");
	uni_gdb_put_hex(reply, tracepoint->step_count);
	uni_gdb_put_char(reply, ':');
	uni_gdb_put_hex(reply, tracepoint->pass_count);
	if (tracepoint->fast_len) {
		uni_gdb_put(reply, ":F");
		uni_gdb_put_hex(reply, tracepoint->fast_len);
	}
}

static void put_source(struct uni_gdb_text *reply, const struct uni_gdb_tracepoint *tracepoint,
		       const uint8_t *source)
{
	put_place(reply, 'Z', tracepoint);
	uni_gdb_put(reply, types[source[SOURCE_TYPE]]);
	uni_gdb_put_char(reply, ':');
	uni_gdb_put_hex(reply, short_at(source + SOURCE_START));
	uni_gdb_put_char(reply, ':');
	uni_gdb_put_hex(reply, short_at(source + SOURCE_TOTAL));
	uni_gdb_put_char(reply, ':');
	uni_gdb_put_hex_bytes(reply, source + SOURCE_HEAD, short_at(source + SOURCE_LEN));
}

/* The next source of the tracepoint that is being told, NULL behind the last. */
static const uint8_t *next_source(struct uni_gdb_trace *trace)
{
	while (trace->told_source < trace->sources_len) {
		const uint8_t *source = trace->sources + trace->told_source;

		trace->told_source += SOURCE_HEAD + short_at(source + SOURCE_LEN);
		if (short_at(source + SOURCE_TRACEPOINT) == trace->told)
			return source;
	}
	return NULL;
}

void uni_gdb_cmd_first_tracepoint(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_trace *trace = &stub->trace;

	(void)args;
	trace->told = 0;
	trace->told_source = 0;
	if (trace->tracepoint_count)
		put_definition(&stub->reply, &trace->tracepoints[0]);
	else
		uni_gdb_put_char(&stub->reply, 'l');
}

void uni_gdb_cmd_next_tracepoint(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	struct uni_gdb_trace *trace = &stub->trace;
	const uint8_t *source = next_source(trace);

	(void)args;
	if (source && trace->told < trace->tracepoint_count) {
		put_source(&stub->reply, &trace->tracepoints[trace->told], source);
	} else if (trace->told + 1 < trace->tracepoint_count) {
		trace->told_source = 0;
		put_definition(&stub->reply, &trace->tracepoints[++trace->told]);
	} else {
		uni_gdb_put_char(&stub->reply, 'l');
	}
}

/* qTP:number:address */
void uni_gdb_cmd_tracepoint_status(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	const struct uni_gdb_tracepoint *tracepoint = uni_gdb_tracepoint_named(stub, args);

	if (!tracepoint)
		return;
	/* Hexadecimal, both: gdb takes them so. */
	uni_gdb_put_char(&stub->reply, 'V');
	uni_gdb_put_hex(&stub->reply, tracepoint->hits);
	uni_gdb_put_char(&stub->reply, ':');
	uni_gdb_put_hex(&stub->reply, tracepoint->usage);
}
