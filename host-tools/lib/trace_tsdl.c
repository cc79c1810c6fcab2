/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/trace_tsdl.h"

#include <inttypes.h>
#include <string.h>

#include "tracing/trace_abi.h"

static void write_types(FILE *out)
{
	static const struct {
		const char *name;
		unsigned bits;
		const char *rest;
	} integers[] = {
		{"u8", 8, ""},
		{"u16", 16, ""},
		{"u32", 32, ""},
		{"u64", 64, ""},
		{"s8", 8, " signed = true;"},
		{"s16", 16, " signed = true;"},
		{"s32", 32, " signed = true;"},
		{"s64", 64, " signed = true;"},
		{"x8", 8, " base = 16;"},
		{"x16", 16, " base = 16;"},
		{"x32", 32, " base = 16;"},
		{"x64", 64, " base = 16;"},
		{"tsc", 64, " map = clock.tsc.value;"},
	};

	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++)
		fprintf(out, "typealias integer { size = %u; align = 8;%s } := %s_t;\n",
			integers[i].bits, integers[i].rest, integers[i].name);
	fputs("typealias string { encoding = UTF8; } := str_t;\n", out);
}

/* "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" */
static void write_uuid(const char *hex, FILE *out)
{
	fprintf(out, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static void write_trace(const struct uni_trace_info *info, FILE *out)
{
	fputs("\ntrace {\n"
	      "\tmajor = 1;\n"
	      "\tminor = 8;\n"
	      "\tuuid = \"",
	      out);
	write_uuid(info->boot_id, out);
	fputs("\";\n"
	      "\tbyte_order = le;\n"
	      "\tpacket.header := struct {\n"
	      "\t\tx32_t magic;\n"
	      "\t\tu8_t uuid[16];\n"
	      "\t\tu32_t stream_id;\n"
	      "\t};\n"
	      "};\n",
	      out);
}

static void write_env_text(const char *key, const char *text, FILE *out)
{
	fprintf(out, "\t%s = \"", key);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputs("\";\n", out);
}

static void write_env(const struct uni_trace_info *info, FILE *out)
{
	fputs("\nenv {\n", out);
	write_env_text("tracer_name", "uniscope", out);
	write_env_text("guest", info->guest, out);
	write_env_text("boot_id", info->boot_id, out);
	write_env_text("build_id", info->build_id, out);
	write_env_text("application", info->application, out);
	write_env_text("kernel", info->kernel, out);
	fputs("};\n", out);
}

/* Unix time = offset_s + (offset + TSC) / freq. */
static void write_clock(const struct uni_trace_info *info, FILE *out)
{
	const uint64_t ns_per_s = 1000000000;
	uint64_t seconds = info->unix_ns / ns_per_s;
	__int128 cycles =
		(__int128)(info->unix_ns % ns_per_s) * info->tsc_hz / ns_per_s - info->tsc;

	/* offset must not be negative. */
	if (cycles < 0) {
		uint64_t borrow = (uint64_t)(-cycles / info->tsc_hz) + 1;

		borrow = borrow < seconds ? borrow : seconds;
		seconds -= borrow;
		cycles += (__int128)borrow * info->tsc_hz;
	}
	fprintf(out,
		"\nclock {\n"
		"\tname = tsc;\n"
		"\tdescription = \"time stamp counter of the guest\";\n"
		"\tfreq = %" PRIu64 ";\n"
		"\toffset_s = %" PRIu64 ";\n"
		"\toffset = %" PRIu64 ";\n"
		"\tabsolute = true;\n"
		"};\n\n",
		info->tsc_hz, seconds, cycles < 0 ? 0 : (uint64_t)cycles);
}

static void write_stream(FILE *out)
{
	fprintf(out,
		"\nstream {\n"
		"\tid = 0;\n"
		"\tpacket.context := struct {\n"
		"\t\ttsc_t timestamp_begin;\n"
		"\t\ttsc_t timestamp_end;\n"
		"\t\tu64_t content_size;\n"
		"\t\tu64_t packet_size;\n"
		"\t\tu64_t packet_seq_num;\n"
		"\t\tu64_t events_discarded;\n"
		"\t\tu32_t cpu_id;\n"
		"\t} align(%u);\n"
		"\tevent.header := struct {\n"
		"\t\tinteger { size = 12; align = 1; } id;\n"
		"\t\tinteger { size = 52; align = 1; map = clock.tsc.value; } timestamp;\n"
		"\t} align(%u);\n"
		"};\n",
		UNI_TRACE_CONTEXT_ALIGN * 8, UNI_TRACE_ALIGN * 8);
}

static void write_event(const struct uni_trace_point *point, FILE *out)
{
	fprintf(out,
		"\nevent {\n"
		"\tname = \"%s\";\n"
		"\tid = %" PRIu32 ";\n"
		"\tstream_id = 0;\n"
		"\tfields := struct {\n",
		point->name, point->id);
	for (uint32_t i = 0; i < point->field_count; i++) {
		static const char letters[] = {
			[UNI_TRACE_UNSIGNED] = 'u',
			[UNI_TRACE_SIGNED] = 's',
			[UNI_TRACE_HEX] = 'x',
		};
		const struct uni_trace_field *field = &point->field[i];

		/* An underscore before a name, which readers take off, keeps TSDL's keywords and
		 * the names of the types apart from it. */
		if (field->kind == UNI_TRACE_STRING)
			fprintf(out, "\t\tstr_t _%s;\n", field->name);
		else
			fprintf(out, "\t\t%c%u_t _%s;\n", letters[field->kind], field->size * 8u,
				field->name);
	}
	fputs("\t};\n};\n", out);
}

void uni_trace_write_tsdl(const struct uni_trace_info *info, FILE *out)
{
	fputs("/* CTF 1.8 */\n\n", out);
	write_types(out);
	write_trace(info, out);
	write_env(info, out);
	write_clock(info, out);
	write_stream(out);
	for (size_t i = 0; i < info->points.count; i++)
		write_event(&info->points.list[i], out);
}
