/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/trace_text.h"

#include <inttypes.h>
#include <string.h>

#include "host-tools/lib/sanitize.h"

const char *uni_trace_count(char out[UNI_TRACE_COUNT_SIZE], uint64_t count)
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, count);
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			out[at++] = ' ';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return out;
}

void uni_trace_print_losses(const struct uni_trace_info *info, FILE *out)
{
	for (uint32_t i = 0; i < info->cpu_count; i++) {
		const struct uni_trace_cpu *cpu = &info->cpus[i];
		uint64_t lost = uni_trace_cpu_lost(cpu);
		uint64_t in_guest = cpu->discarded + cpu->overwritten;
		char number[UNI_TRACE_COUNT_SIZE], of[UNI_TRACE_COUNT_SIZE];

		if (lost == 0)
			continue;
		in_guest = in_guest < lost ? in_guest : lost;
		fprintf(out, "  CPU %" PRIu32 ": %s of %s lost", i, uni_trace_count(number, lost),
			uni_trace_count(of, cpu->emitted));
		if (in_guest > 0 && in_guest < lost)
			fprintf(out, ", %s of these", uni_trace_count(number, in_guest));
		fputs(in_guest > 0 ? " where the guest's ring was full\n" : " on the way\n", out);
	}
}

static void print_text(const char *text, FILE *out)
{
	char safe[UNI_TRACE_VALUE_SIZE * UNI_SANITIZE_GROWTH + 1];

	uni_sanitize(safe, sizeof(safe), text, strnlen(text, UNI_TRACE_VALUE_SIZE));
	fprintf(out, "\"%s\"", safe);
}

void uni_trace_print_fields(const struct uni_trace_event *event, FILE *out)
{
	for (uint32_t i = 0; i < event->point->field_count; i++) {
		const struct uni_trace_field *field = &event->point->field[i];
		const struct uni_trace_value *value = &event->values[i];

		fprintf(out, "%s%s=", i ? " " : "", field->name);
		switch (field->kind) {
		case UNI_TRACE_STRING:
			print_text(value->text, out);
			break;
		case UNI_TRACE_HEX:
			fprintf(out, "0x%" PRIx64, value->number);
			break;
		case UNI_TRACE_SIGNED:
			fprintf(out, "%" PRId64, (int64_t)value->number);
			break;
		case UNI_TRACE_UNSIGNED:
			fprintf(out, "%" PRIu64, value->number);
			break;
		}
	}
}
